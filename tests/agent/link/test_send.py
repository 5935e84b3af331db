"""The sender against a receiver that keeps the contract and a network that does not."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_receiver import ModelReceiver, fresh_keys
from still_clock import SeededChance, StillClock

from agent.link.exchange import Failure, Response
from agent.link.model import Series, StateChange, make_schema, pack_values
from agent.link.names import ANSWER_TYPE
from agent.link.offset import Offset
from agent.link.profile import PROFILES
from agent.link.ranges import Ranges
from agent.link.send import Sender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft, StateDraft
from collector.world.disk import DiskModel

AGENT = b"A" * 16
SCHEMA = make_schema((Series("srv1.local", "node_load1", 0, ()),), ())


class Site:
    """An agent's link end: spool, sender, and two collectors (a hub, then the centre)."""

    def __init__(self, profile: str = "lan", hub: bool = False, seed: int = 0) -> None:
        self.clock = StillClock()
        self.chance = SeededChance(seed)
        self.key, centre = fresh_keys()
        self.centre_key = centre.public
        self.disk = DiskModel(seed)
        self.centre = ModelReceiver(self.clock, self.key.public, centre)
        self.hub = ModelReceiver(self.clock, self.key.public, None, "hub1")
        self.profile = PROFILES[profile]
        self.urls = ["http://hub", "http://centre"] if hub else ["http://centre"]
        self.logged: list[str] = []
        self.start()

    def start(self) -> None:
        self.offset = Offset(self.clock)
        self.spool = Spool(self.disk, self.clock, self.chance, "/data", AGENT, offset_ms=self.offset.offset_ms)
        self.sender = Sender(
            self.spool, Signer(AGENT, 1, self.key.sign), self.centre_key, self.urls, self.exchange,
            self.clock, self.chance, self.offset, self.profile, self.logged.append,
        )  # fmt: skip

    def exchange(self, request):
        return (self.hub if request.base_url == "http://hub" else self.centre)(request)

    def report(self, value: float = 1.0, state: str = "") -> None:
        stamp = self.clock.wall_ms(), self.offset.offset_ms()
        drafts = [SampleDraft(SCHEMA, *stamp, pack_values([value]))]
        if state:
            drafts.append(StateDraft(StateChange("srv1.local", "process:x", 2, 0, state), *stamp))
        self.spool.append(drafts)

    def run(self, seconds: float, steps: int = 100_000) -> None:
        """Step until nothing is due within ``seconds``."""
        until = self.clock.monotonic() + seconds
        for _ in range(steps):
            due = self.sender.step(self.clock.monotonic())
            if due > until:
                self.clock.seconds = max(self.clock.seconds, until)
                return
            self.clock.seconds = max(self.clock.seconds, due)
        raise AssertionError("the sender never comes to rest")

    def reports(self, count: int, every: float = 15.0) -> None:
        for n in range(count):
            self.report(n)
            self.run(every)

    @property
    def epoch(self) -> bytes:
        return self.spool.shelves()[0].epoch


def refused(status: int, content_type: str = "text/html") -> Response:
    return Response(status, content_type, b"<html>please log in</html>")


def test_reports_arrive_once_each_with_the_schema_once():
    site = Site()
    site.reports(20)
    assert site.centre.held(site.epoch) == Ranges([(1, 20)])
    assert site.centre.duplicates == 0
    assert site.centre.enveloped == [[n] for n in range(1, 21)]
    assert site.spool.figures().records == 0
    sizes = [len(request.body) for request in site.centre.requests[1:]]
    assert sizes[0] > sizes[1]
    assert all(dict(r.headers)["bongsu-sent-at-ms"].isdigit() for r in site.centre.requests)


def test_the_offset_is_learnt_before_the_first_record_and_fixed_into_it():
    site = Site()
    site.centre.skew_ms = 5_000
    site.run(1)
    assert len(site.centre.requests) == 1
    assert abs(site.offset.offset_ms() - 5_000) <= 10
    site.report()
    site.run(1)
    record = site.spool.shelves()[0].find(Ranges([(1, 1)]))
    assert abs(next(iter(record)).offset_ms - 5_000) <= 10


@pytest.mark.parametrize("shift", [3_600_000, -3_600_000, 10 * 365 * 86_400_000, -10 * 365 * 86_400_000])
def test_a_jump_of_the_wall_clock_changes_the_offset_and_no_timer(shift):
    site = Site()
    site.reports(3)
    true_ms = site.clock.wall_ms()
    site.clock.wall_shift_ms += shift
    assert abs(site.offset.offset_ms() + shift) <= 50
    site.centre.skew_ms = -shift
    site.reports(5)
    assert site.centre.held(site.epoch) == Ranges([(1, 8)])
    (*_, last) = [taken for _, taken, _ in site.centre.content.values()]
    assert abs(last + site.offset.offset_ms() - true_ms) < 80_000


@pytest.mark.parametrize(
    "junk",
    [
        Failure("no route to host"),
        refused(200),
        refused(404),
        refused(500),
        refused(413),
        Response(200, ANSWER_TYPE, b"{}"),
        Response(200, ANSWER_TYPE, b"\xff" * 10),
        Response(503, ANSWER_TYPE, b"{}", 7.0),
    ],
)
def test_what_is_not_an_answer_is_tried_again_for_ever(junk):
    site = Site()
    site.centre.mood = lambda request: junk
    site.reports(40)
    assert not site.centre.content
    assert site.spool.figures().records == 40
    gaps = len(site.centre.requests)
    assert gaps < 200, "it backs off"
    site.centre.mood = lambda request: None
    site.run(600)
    assert site.centre.held(site.epoch) == Ranges([(1, 40)])
    assert site.spool.figures().records == 0


def test_after_a_cut_the_newest_goes_first_and_the_backlog_newest_first():
    site = Site()
    site.centre.mood = lambda request: Failure("cut")
    site.reports(100)
    site.centre.mood = lambda request: None
    site.run(60)
    site.report(100)
    site.run(300)
    assert site.centre.held(site.epoch) == Ranges([(1, 101)])
    live, *backlog = site.centre.enveloped
    assert 97 <= live[0] <= 100
    assert live[-1] == 100
    chunks = [chunk for chunk in backlog if chunk != [101]]
    assert all(len(chunk) <= 20 for chunk in chunks)
    assert [max(chunk) for chunk in chunks] == sorted((max(chunk) for chunk in chunks), reverse=True)


def test_on_a_thin_line_live_records_never_wait_for_a_day_of_backlog():
    site = Site("thin")
    site.centre.mood = lambda request: Failure("cut")
    site.reports(1440, every=60)
    site.centre.mood = lambda request: None

    def thin(request):
        site.clock.pass_(0.6 + len(request.body) * 8 / 64_000)
        return

    site.centre.mood = thin
    site.centre.seconds = 0
    worst = 0.0
    began = site.clock.monotonic()
    for n in range(8):
        site.report(2_000 + n)
        seq, taken_at = 1440 + 1 + n, site.clock.monotonic()
        while seq not in site.centre.held(site.epoch):
            due = site.sender.step(site.clock.monotonic())
            site.clock.seconds = max(site.clock.seconds, due)
        worst = max(worst, site.clock.monotonic() - taken_at)
        site.run(60 - (site.clock.monotonic() - taken_at))
    assert worst < 65, "the first may fall into a back-off"
    assert site.centre.held(site.epoch) == Ranges([(1, 1448)])
    assert site.clock.monotonic() - began < 500


def test_backlog_obeys_the_rate_the_collector_asks_for():
    site = Site()
    site.centre.mood = lambda request: Failure("cut")
    site.reports(400)
    site.centre.mood = lambda request: None
    site.centre.answers = msgspec.structs.replace(site.centre.answers, backlog_bytes_per_second=100)
    site.run(70)
    before = sum(len(r.body) for r in site.centre.requests)
    site.run(60)
    assert sum(len(r.body) for r in site.centre.requests) - before < 100 * 60 * 1.5


def test_retry_after_is_obeyed():
    site = Site()
    site.run(1)
    site.centre.answers = msgspec.structs.replace(site.centre.answers, retry_after_seconds=90.0)
    site.report()
    site.run(1)
    count = len(site.centre.requests)
    site.reports(5)
    assert len(site.centre.requests) == count
    site.run(30)
    assert len(site.centre.requests) > count


def test_hold_keeps_everything_and_asks_hourly():
    site = Site()
    site.run(1)
    real = site.centre.take

    def suspended(request):
        return real(request) if len(request.body) < 3 else hold(site)

    site.centre.mood = suspended
    site.reports(4 * 60 * 4)
    assert 4 <= len(site.centre.requests) <= 6
    assert not site.centre.content
    assert site.sender.figures().hold == "suspended"
    site.centre.mood = lambda request: None
    site.run(7_200)
    assert site.centre.held(site.epoch) == Ranges([(1, 960)])
    assert site.sender.figures().hold == ""


def hold(site: Site) -> Response:
    from agent.link.answer import EnvelopeRefusal

    return site.centre.answer([EnvelopeRefusal(0, "hold", "suspended")], {}, {})


def test_a_refused_record_is_found_singly_declared_and_the_rest_arrives():
    site = Site()
    site.centre.mood = lambda request: Failure("cut")
    site.reports(30)
    bad_at = [r.taken_at_ms for r in site.spool.shelves()[0].find(Ranges([(7, 7)]))]
    site.centre.mood = lambda request: None
    site.centre.refuse = lambda seq, taken: "bad_labels" if taken in bad_at else ""
    site.run(600)
    held = site.centre.held(site.epoch)
    assert held == Ranges([(1, 6), (8, 31)])
    assert [tuple(loss) for loss in site.centre.losses[site.epoch]] == [(7, 7, "refused:bad_labels")]
    assert site.spool.figures().records == 0
    assert any("quarantine" in path for path in site.disk.paths())


def test_refusing_everything_ends_in_rest_not_in_a_storm():
    site = Site()
    site.centre.refuse = lambda seq, taken: "bad_signature"
    site.reports(20)
    assert len(site.centre.requests) < 100
    assert site.spool.figures().records > 0


def test_schemas_are_sent_when_asked_for():
    site = Site()
    site.reports(2)
    site.centre.schemas.clear()
    site.centre.answers = msgspec.structs.replace(site.centre.answers, need_schemas=[SCHEMA.hash.hex(), "ab" * 16])
    site.report()
    site.run(0.05)
    site.centre.answers = msgspec.structs.replace(site.centre.answers, need_schemas=[])
    site.run(15)
    assert site.centre.schemas == {SCHEMA.hash: SCHEMA.packed}


def test_a_copied_machine_gets_names_of_its_own_and_nothing_is_lost():
    """Two agents run on from one disk: the same key, the same epoch, the same next number."""
    site = Site()
    site.reports(5)
    first_epoch = site.epoch
    twin = Site()
    twin.clock, twin.key, twin.centre_key = site.clock, site.key, site.centre_key
    twin.centre = site.centre
    import copy

    twin.disk = copy.deepcopy(site.disk)
    twin.chance = SeededChance(77)
    twin.start()
    site.centre.mood = lambda request: Failure("cut")
    for n in range(6):
        site.report(100 + n)
        twin.report(200 + n)
        site.run(15)
        twin.run(15)
    site.centre.mood = lambda request: None
    site.run(300)
    twin.run(300)
    assert site.epoch == first_epoch
    assert twin.epoch != first_epoch
    assert site.centre.held(site.epoch) == Ranges([(1, 11)])
    mine = site.centre.held(twin.epoch)
    assert mine.count >= 6
    assert mine == Ranges([(1, mine.last)])
    assert twin.spool.figures().records == 0


def test_the_centre_takes_over_when_the_hub_is_gone_and_hands_back():
    site = Site(hub=True)
    site.reports(5)
    assert len(site.hub.content) == 5
    assert not site.centre.content
    assert site.spool.figures().records == 5, "what a hub holds is not deleted"
    site.hub.mood = lambda request: Failure("refused")
    site.reports(10)
    assert site.centre.held(site.epoch) == Ranges([(1, 15)])
    assert site.spool.figures().records == 0
    site.hub.mood = lambda request: None
    site.run(120)
    site.reports(3)
    assert site.hub.held(site.epoch).covers(16, 18)
    assert site.sender.figures().role == "hub"


def test_a_hub_with_an_empty_store_gets_everything_again():
    site = Site(hub=True)
    site.reports(5)
    site.hub.content.clear()
    site.hub.receiver = msgspec.structs.replace(site.hub.receiver, epoch="11" * 8)
    site.reports(2)
    assert site.hub.held(site.epoch) == Ranges([(1, 7)])


def test_a_forged_receipt_deletes_nothing():
    site = Site()
    site.centre.centre = fresh_keys()[0]
    site.reports(5)
    assert site.spool.figures().records == 5
    assert any("receipt" in text for text in site.logged)


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["report", "state", "kill", "power_cut", "idle", "long"]),
            st.sampled_from(["good", "lost_request", "lost_answer", "portal"]),
        ),
        min_size=5,
        max_size=60,
    ),
    st.integers(0, 1000),
)
def test_whatever_the_line_and_the_power_do_all_reports_arrive_exactly_once(doings, seed):
    site = Site(seed=seed)
    moods = {
        "good": lambda request: None,
        "lost_request": lambda request: Failure("lost"),
        "lost_answer": lambda request: (site.centre.take(request), Failure("lost"))[1],
        "portal": lambda request: refused(200),
    }
    produced = 0
    for what, weather in doings:
        site.centre.mood = moods[weather]
        if what in ("report", "state"):
            site.report(produced, "gone" if what == "state" else "")
            produced += 2 if what == "state" else 1
        elif what == "power_cut":
            site.disk.power_cut()
            site.start()
        elif what == "kill":
            site.start()
        site.run(3_600 if what == "long" else 15)
    site.centre.mood = moods["good"]
    site.run(3_600)
    assert len(site.centre.content) == produced
    assert not produced or site.centre.held(site.epoch) == Ranges([(1, produced)])
    assert not site.centre.losses
    assert site.spool.figures().records == 0
