"""An agent between a hub and the centre: whose word counts, where records go, and that a hub deletes nothing."""

from __future__ import annotations

import msgspec
import pytest
from test_send import AGENT, Site

from agent.link import wire
from agent.link.answer import AgentAnswer, EnvelopeRefusal, RecordRefusal
from agent.link.exchange import Failure, Response
from agent.link.keys import new_key
from agent.link.ranges import Ranges
from agent.link.receipt import Receipt, pack_receipt, receipt_text
from agent.link.send_request import Signer
from agent.link.send_signers import Signers


def unreachable(_):
    return Failure("no route")


def refusing(site: Site, receiver, seqs: Ranges, code: str = "bad_labels"):
    """Takes what comes, and says in ``refused`` that some of it is refused, as a hub that hands down the centre's word."""
    real = receiver.take

    def take(request):
        answer = msgspec.json.decode(real(request).body, type=dict)
        for agent in answer["agents"]:
            mine = Ranges(agent["held"])
            agent["refused"] = [{"seqs": [list(s) for s in seqs if s[0] in mine], "action": "drop", "code": code}]
            for span in seqs:
                mine.remove(*span)
            agent["held"] = mine.as_lists()
        return Response(200, "application/vnd.bongsu.answer+json", msgspec.json.encode(answer))

    return take


def test_each_request_names_its_lane():
    site = Site()
    site.centre.mood = unreachable
    site.reports(100)
    site.centre.mood = lambda request: None
    del site.centre.requests[:]
    site.run(600)
    lanes = [dict(request.headers)["bongsu-lane"] for request in site.centre.requests]
    assert lanes[0] == "live"
    assert set(lanes[2:]) == {"backlog"}


@pytest.mark.parametrize("is_whole", [True, False], ids=["its own refusal", "the centre's, handed down"])
def test_what_a_hub_refuses_is_kept_and_not_sent_there_again(is_whole):
    site = Site(hub=True)
    site.centre.mood = unreachable
    if is_whole:
        site.hub.refuse = lambda seq, taken: "malformed" if seq == 3 else ""
    else:
        site.hub.mood = refusing(site, site.hub, Ranges([(3, 3)]))
    site.reports(40)
    assert sum(3 in seqs for seqs in site.hub.enveloped) == 1, "never again"
    assert not site.hub.losses
    assert [r.seq for r in site.spool.shelves()[0].find(Ranges([(3, 3)]))] == [3]
    assert site.spool.figures().lost == 0
    assert site.sender.figures().refused == 1
    assert site.hub.held(site.epoch).covers(4, 40), "the others go on"


def test_the_centre_settles_what_a_hub_refuses():
    site = Site(hub=True)
    site.hub.refuse = lambda seq, taken: "bad_labels" if seq in (2, 4) else ""
    site.centre.refuse = lambda seq, taken: "bad_labels" if seq == 4 else ""
    site.reports(300)
    assert site.centre.held(site.epoch).as_lists() == [[2, 2]], "only what the hub refuses goes past it"
    losses = [tuple(loss) for loss in site.hub.losses[site.epoch]]
    assert losses == [(4, 4, "refused:bad_labels")]


def test_a_centre_that_asked_us_to_hold_is_asked_again_about_what_the_hub_refuses():
    site = Site(hub=True)
    site.hub.refuse = lambda seq, taken: "bad_signature" if seq == 2 else ""
    suspended = [EnvelopeRefusal(0, "hold", "suspended")]
    site.centre.mood = lambda request: site.centre.answer(suspended, {}, {}) if len(request.body) > 2 else None
    site.reports(20)
    assert not site.centre.content
    site.centre.mood = lambda request: None
    asked = len(site.centre.requests)
    site.run(3_000)
    assert len(site.centre.requests) == asked, "an hour is an hour"
    site.run(5_000)
    assert site.centre.held(site.epoch) == Ranges([(2, 2)])


def test_a_refusal_names_the_host_and_what_to_do():
    site = Site()
    site.centre.refuse = lambda seq, taken: "bad_labels" if seq == 2 else ""
    site.reports(3)
    (said,) = [text for text in site.logged if "refused" in text]
    assert "srv1.local" in said
    assert "topology" in said
    assert "[[2, 2]]" in said


def test_a_hub_that_answers_but_holds_is_passed_by_and_tried_again():
    site = Site(hub=True)
    real = site.hub.take

    def holds(request):
        return real(request) if len(request.body) < 3 else site.hub.answer(
            [EnvelopeRefusal(0, "hold", "unknown_agent")], {}, {}
        )  # fmt: skip

    site.hub.mood = holds
    site.reports(20)
    assert site.centre.held(site.epoch) == Ranges([(1, 20)])
    assert not site.hub.content
    site.hub.mood = lambda request: None
    site.run(3_700)
    site.reports(3)
    assert site.hub.held(site.epoch).covers(21, 23)
    assert site.sender.figures().role == "hub"


def test_without_receipts_for_days_everything_stays():
    site = Site(hub=True)
    site.centre.mood = unreachable
    site.reports(3 * 24 * 6, every=600)
    assert site.hub.held(site.epoch).count == 3 * 24 * 6
    assert site.spool.figures().records == 3 * 24 * 6
    assert site.hub.duplicates == 0


def test_a_hub_cannot_settle_with_a_receipt_of_its_own():
    site = Site(hub=True)
    site.hub.centre = new_key()
    site.centre.mood = unreachable
    site.reports(5)
    assert site.spool.figures().records == 5


def test_a_busy_receiver_is_waited_for_and_not_given_up():
    """Were it given up, its agents would swamp the next one."""
    site = Site(hub=True)
    site.reports(3)
    site.hub.mood = lambda request: Response(429, "application/problem+json", b"{}", 5.0)
    site.reports(10)
    assert not site.centre.requests
    assert len(site.hub.requests) < 40
    site.hub.mood = lambda request: None
    site.run(30)
    assert site.hub.held(site.epoch) == Ranges([(1, 13)])
    site.hub.mood = lambda request: Response(429, "application/problem+json", b"{}", 5.0)
    site.reports(60)
    assert site.centre.held(site.epoch).count > 0, "busy for so long is as good as gone"


def test_where_only_the_backlog_is_turned_away_what_is_live_goes_on():
    site = Site()
    site.centre.mood = unreachable
    site.reports(200)

    def sheds(request):
        if dict(request.headers)["bongsu-lane"] == "backlog":
            return Response(429, "application/problem+json", b"{}", 60.0)
        return None

    site.centre.mood = sheds
    site.run(60)
    site.reports(20)
    assert site.centre.held(site.epoch).covers(201, 220)
    assert sum(dict(r.headers)["bongsu-lane"] == "backlog" for r in site.centre.requests[-60:]) < 10
    site.centre.mood = lambda request: None
    site.run(600)
    assert site.centre.held(site.epoch) == Ranges([(1, 220)])


class Rotated(Site):
    """An agent with a new key that one of its collectors has not heard of."""

    def start(self) -> None:
        super().start()
        self.taken: list[int] = []
        self.newer = new_key()
        signers = Signers([Signer(AGENT, 2, self.newer.sign), Signer(AGENT, 1, self.key.sign)], self.taken.append)
        self.sender.__init__(  # type: ignore[misc]
            self.spool, signers, self.centre_key, self.urls, self.exchange, self.clock, self.chance, self.offset,
            self.profile, self.logged.append,
        )  # fmt: skip


def test_a_hub_that_has_not_heard_of_a_new_key_gets_the_former_until_it_has():
    site = Rotated(hub=True)
    real = site.hub.take

    def knows(*keys):
        def take(request):
            if len(request.body) < 3:
                return real(request)
            number = wire.open_header(wire.open_envelope(wire.open_request(request.body)[0])[0]).key_no
            if number not in keys:
                return site.hub.answer([EnvelopeRefusal(0, "hold", "unknown_key")], {}, {})
            site.hub.agent_key = {1: site.key, 2: site.newer}[number].public
            return real(request)

        return take

    site.hub.mood = knows(1)
    site.reports(10)
    assert site.hub.held(site.epoch) == Ranges([(1, 10)])
    assert not site.centre.requests
    assert site.taken == []
    site.hub.mood = knows(1, 2)
    site.reports(300)
    assert site.hub.held(site.epoch).covers(250, 310)
    assert site.taken == [], "a hub's word is not enough to forget the former key"
    site.hub.mood = unreachable
    site.centre.agent_key = site.newer.public
    site.reports(20)
    assert site.taken == [2], "told once, when the centre took the new key"


def test_refused_records_of_another_agent_are_nobodys_business():
    site = Site()
    answers = [AgentAnswer("ff" * 16, "00" * 8, [(1, 9)], [RecordRefusal([(1, 9)], "drop", "malformed")])]
    real = site.centre.take

    def take(request):
        answer = msgspec.json.decode(real(request).body, type=dict)
        answer["agents"] += msgspec.to_builtins(answers)
        return Response(200, "application/vnd.bongsu.answer+json", msgspec.json.encode(answer))

    site.centre.mood = take
    site.reports(9)
    assert site.spool.figures().lost == 0
    assert site.spool.figures().records == 0


def test_a_hub_that_takes_a_key_the_centre_never_heard_of_does_not_make_the_agent_forget_the_former():
    site = Rotated(hub=True)
    site.hub.agent_key = site.newer.public
    site.reports(10)
    assert site.hub.held(site.epoch) == Ranges([(1, 10)])
    assert site.taken == [], "only the centre's word counts, and it said nothing yet"
    real = site.hub.take

    def hands_down(request):
        answer = msgspec.json.decode(real(request).body, type=dict)
        for agent in answer["agents"]:
            receipt = Receipt(AGENT, site.epoch, [(1, 5)], site.clock.wall_ms())
            agent["receipt"] = receipt_text(pack_receipt(receipt, site.centre.centre.sign))
        return Response(200, "application/vnd.bongsu.answer+json", msgspec.json.encode(answer))

    site.hub.mood = hands_down
    site.reports(2)
    assert site.taken == [2]


def test_a_collector_that_asks_for_schemas_without_end_is_not_obeyed_without_end():
    site = Site()
    site.centre.answers = msgspec.structs.replace(
        site.centre.answers, need_schemas=[f"{number:032x}" for number in range(50_000)]
    )
    site.report()
    site.sender.step(site.clock.monotonic())
    assert len(site.sender.collectors[0].wanted_schemas) == 1_000
    site.reports(3)
    assert site.centre.held(site.epoch) == Ranges([(1, 4)])


def test_a_receipt_of_the_centre_ends_nothing_that_only_the_hub_took():
    """The hub's disk may be lost, and under these numbers a copied machine's records may stand at the centre."""
    site = Site(hub=True)
    site.centre.mood = unreachable
    site.reports(3)
    for seq in (2, 3):
        site.centre.content[site.epoch, seq] = (b"a twin's", 0, 1)
    forked = site.epoch
    site.hub.mood = unreachable
    site.centre.mood = lambda request: None
    site.reports(40)
    assert site.epoch != forked
    assert site.sender.figures().forks == 1
    assert site.centre.held(site.epoch).count >= 42, "all but the first under new names, at most"
    assert site.spool.figures().records == 0


def crying_fork(receiver):
    """Takes what comes, and says that the names are spent."""
    real = receiver.take

    def renews(request):
        answer = msgspec.json.decode(real(request).body, type=dict)
        for agent in answer["agents"]:
            agent["refused"] = [{"seqs": agent["held"], "action": "renew", "code": "fork"}]
        return Response(200, "application/vnd.bongsu.answer+json", msgspec.json.encode(answer))

    return renews


def test_what_a_hub_relayed_counts_once_though_it_cries_fork():
    site = Site(hub=True)
    site.reports(5)
    called_spent = site.epoch
    site.centre.content.update(site.hub.content)  # relayed, and no receipt came down yet
    site.hub.mood = crying_fork(site.hub)
    site.reports(1)
    site.hub.mood = lambda request: None
    site.reports(30)
    settled = site.centre.held(called_spent)
    assert settled == Ranges([(1, settled.last)]), "all of it stands under its first name"
    assert site.epoch != called_spent, "and the names are left all the same, for there may be a fork at the hub"
    contents = [content for content, *_ in site.centre.content.values()]
    assert len(contents) == len(set(contents))
    assert site.sender.figures().role == "hub", "used again once there is nothing to mistake"


def test_a_hub_that_cries_fork_is_believed_where_the_centre_is_out_of_reach_for_an_hour():
    site = Site(hub=True)
    site.centre.mood = unreachable
    site.reports(3)
    forked = site.epoch
    site.hub.content[forked, 4] = (b"a twin's", 0, 1)
    site.reports(220)
    assert site.epoch == forked, "it may be away for a while, and be asked then"
    site.reports(60)
    assert site.epoch != forked
    assert site.hub.held(site.epoch).count > 30
    assert site.sender.figures().forks == 2, "asked about, and then believed"


def test_a_hub_that_asks_for_ever_new_epochs_is_left():
    site = Site(hub=True)
    site.hub.mood = crying_fork(site.hub)
    site.reports(100)
    assert site.sender.figures().forks == 3, "in less than an hour"
    assert site.centre.held(site.epoch).count > 90
    assert site.spool.figures().records == 0
    assert any("ever new epochs" in text for text in site.logged)
