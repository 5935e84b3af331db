"""What a hub took arrives at the centre: once, newest first, over cuts, crashes and lost disks; and only the centre's
word lets an agent delete."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from region import CENTRE, Region
from sender import Sender, schema_of
from sqlalchemy import insert, select, update

from agent.link.answer import EnvelopeRefusal, read_answer, write_answer
from agent.link.exchange import Failure, Request, Response
from agent.link.model import Loss, loss_record
from agent.link.names import ANSWER_TYPE, LANE_HEADER
from agent.link.wire import open_envelope, open_header, open_request
from collector.fleet.agent_status import set_status
from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts
from collector.log.queries import NewEnvelope, add_envelopes
from collector.log.tables import losses
from collector.store.schema import instant


class PowerGone(BaseException):
    """The hub's process stops here."""


def values(region: Region, sender: Sender) -> list[float]:
    """What the centre's history holds of the agent, in the order of its times."""
    found = region.at_centre.history
    found.refresh()
    with region.at_centre.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT packed FROM envelopes").fetchall()
    assert rows
    return sorted(seq for (packed,) in rows for seq in numbers(bytes(packed), sender))


def numbers(packed: bytes, sender: Sender) -> list[float]:
    header = open_header(open_envelope(packed)[0])
    return [header.first_seq] if header.agent_id == sender.agent_id else []


def bundles(region: Region) -> list[tuple[str, list[int]]]:
    """(lane, first numbers of the envelopes) of each request with envelopes."""
    found = []
    for asked in region.sent:
        if asked.path == "/v1/envelopes" and len(asked.body) > 1:
            firsts = [open_header(open_envelope(raw)[0]).first_seq for raw in open_request(asked.body)]
            found.append((dict(asked.headers)[LANE_HEADER], firsts))
    return found


def test_a_report_goes_up_and_the_receipt_comes_down(region: Region) -> None:
    agent = region.agent()
    first = region.report(agent)
    assert (first.receiver.role, first.agents[0].held, first.agents[0].receipt) == ("hub", [(1, 1)], "")
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 1)]
    region.wait(2)
    second = region.report(agent)
    receipt = region.receipt(second, agent)
    assert (receipt.epoch, receipt.ranges) == (agent.epoch, [(1, 1)])
    assert region.at_centre.hub_contacts.states() == {"mea": 0}


def test_after_a_cut_what_is_of_now_goes_first_and_then_newest_first(region: Region) -> None:
    agent, late = region.agent(), region.agent("srv2")
    region.is_cut = True
    for _ in range(40):
        region.report(agent)
        region.hub.turn()
        region.wait(15)
    region.report(late, age_seconds=3600)
    region.report(agent)
    region.is_cut = False
    region.wait(61)
    region.sent.clear()
    region.hub.turn()
    lanes = bundles(region)
    # The last three minutes, but for what was late when it came; then all the rest, newest first.
    assert [lane for lane, _ in lanes] == sorted((lane for lane, _ in lanes), reverse=True)
    assert [first for lane, firsts in lanes if lane == "live" for first in firsts] == list(range(41, 33, -1))
    assert [first for lane, firsts in lanes if lane == "backlog" for first in firsts] == [1, *range(33, 0, -1)]
    assert region.held(region.at_centre, agent) == [(1, 41)]
    assert region.held(region.at_centre, late) == [(1, 1)]
    assert values(region, agent) == list(range(1, 42)), "each once"


def test_what_came_both_ways_is_one(region: Region) -> None:
    agent = region.agent()
    schema_of_both = agent.report(region.hub.clock.wall_ms())
    region.post(region.hub, schema_of_both)
    region.post(region.centre, schema_of_both)
    region.hub.turn()
    region.report(agent, at=region.centre)
    region.wait(2)
    region.report(agent)
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 3)]
    assert values(region, agent) == [1, 2, 3]


def test_a_kill_at_any_point_sends_again_and_skips_nothing(region: Region) -> None:
    agent = region.agent()
    for fate in ("request lost", "answer lost", "before its rows"):
        for _ in range(3):
            region.report(agent)
            region.wait(2)
        lose_next(region, fate)
        with suppress(PowerGone):
            region.hub.turn()
        region.hub.end()
        region.hub.begin()
        region.forge = lambda said: said
        region.tamper = lambda asked: asked
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 9)]
    assert values(region, agent) == list(range(1, 10))


def lose_next(region: Region, fate: str) -> None:
    """What happens to the next request with envelopes."""

    def lost(said: Response | Failure) -> Response | Failure:
        return Failure("connection reset")

    def unheard(asked: Request) -> Request:
        return asked._replace(path="/nowhere") if len(asked.body) > 1 else asked

    if fate == "request lost":
        region.tamper = unheard
    elif fate == "answer lost":
        region.forge = lost
    else:  # the centre has them; the hub's own commit of that does not happen
        region.at_hub.upstream.relay._keep = die


def die(*_: object) -> None:
    raise PowerGone


def test_a_lost_disk_of_the_hub_is_made_good_by_its_agents(region: Region) -> None:
    agent = region.agent()
    region.is_cut = True
    sent = [agent.report(region.hub.clock.wall_ms()) for _ in range(5)]
    before = region.post(region.hub, *sent)
    assert before.agents[0].held == [(1, 5)]
    region.hub.end()
    region.is_cut = False
    region.hub = region.join("hub2")
    region.hub.begin()
    unknown = region.hub.answer(Request("POST", "", "/v1/envelopes", b"\x90"))
    assert isinstance(unknown, Response)
    assert unknown.status == 503, "before its first registry it knows nobody, and must not send anybody away"
    region.hub.turn()
    after = region.post(region.hub, *sent)
    assert after.receiver.epoch != before.receiver.epoch, "so that agents forget what the former one held"
    assert after.agents[0].held == [(1, 5)]
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 5)]


def test_a_centre_that_lost_its_store_is_sent_everything_again(region: Region) -> None:
    agent = region.agent()
    region.report(agent)
    region.hub.turn()
    with region.at_centre.store.transaction() as connection:
        for table in ("envelopes", "positions", "log_checkpoint", "losses"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    region.centre.end()
    receiver = region.folder / "centre" / "identity.json"
    receiver.write_text(receiver.read_text().replace('"epoch": "', '"epoch": "ff'))
    region.centre.begin()
    region.wait(2)
    region.report(agent)
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 2)]


def test_a_schema_the_centre_lacks_is_brought(region: Region) -> None:
    agent = region.agent()
    region.report(agent)  # brings the schema to the hub
    region.is_cut = True
    region.hub.turn()
    region.is_cut = False
    region.post(region.hub, agent.report(region.hub.clock.wall_ms(), 2.0, with_schema=False))
    region.wait(61)

    def only_the_second(asked: Request) -> Request:
        if asked.path != "/v1/envelopes" or len(asked.body) < 2:
            return asked
        kept = [bytes(raw) for raw in open_request(asked.body) if open_header(open_envelope(raw)[0]).first_seq == 2]
        return asked._replace(body=b"".join([bytes([0x90 + len(kept)]), *kept]))

    region.tamper = only_the_second
    region.hub.turn()
    assert any(asked.path == "/v1/schemas" for asked in region.sent)
    with region.at_centre.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT is_parked FROM envelopes").scalars().all() in ([False], [0])
    region.tamper = lambda asked: asked
    region.wait(70)
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 2)]


def test_records_of_any_age_are_taken_and_the_centre_decides(region: Region) -> None:
    agent = region.agent()
    answer = region.report(agent, age_seconds=40 * 86_400)
    assert answer.agents[0].held == [(1, 1)]
    assert region.rows(region.at_hub) == 1
    region.hub.turn()
    assert region.rows(region.at_centre) == 0
    assert region.held(region.at_centre, agent) == [(1, 1)], "counted lost there"
    region.wait(2)
    assert region.receipt(region.report(agent), agent).ranges == [(1, 1)]


def test_another_hub_is_no_centre(region: Region) -> None:
    def as_hub(said: Response | Failure) -> Response | Failure:
        if isinstance(said, Response) and b'"role":"centre"' in said.body:
            return said._replace(body=said.body.replace(b'"role":"centre"', b'"role":"hub"'))
        return said

    agent = region.agent()
    region.forge = as_hub
    region.report(agent)
    region.hub.turn()
    standing: Any = region.at_hub.upstream.standing
    assert f"{CENTRE} is a hub: expected the centre" in standing.trouble
    assert region.at_hub.upstream.relay.needs(1)


def test_what_an_agent_gave_up_because_it_is_here_goes_up_all_the_same(region: Region) -> None:
    """Its loss record arrives first, and the centre's receipt then covers numbers the centre does not have."""
    agent = region.agent()
    region.is_cut = True
    for _ in range(3):
        region.report(agent)
    region.hub.turn()
    region.wait(600)
    agent.seq = 4
    at_ms = region.hub.clock.wall_ms()
    region.post(region.centre, agent.envelope([], records=[loss_record(4, at_ms, 0, Loss(1, 3, "entrusted"))]))
    assert region.held(region.at_centre, agent) == [(1, 4)]
    region.is_cut = False
    region.report(agent)
    region.hub.turn()
    assert values(region, agent) == [1, 2, 3, 4, 5]
    assert not list(dict(region.at_centre.log.positions.items())[agent.agent_id, agent.epoch].lost)


def test_a_copy_that_was_faster_at_the_centre_does_not_end_what_waits_at_the_hub(region: Region) -> None:
    agent = region.agent()
    region.report(agent)
    region.hub.turn()
    region.is_cut = True
    region.report(agent, value=2.0)
    twin = replace(agent, seq=1)
    region.report(twin, value=3.0, at=region.centre)
    region.wait(300)
    region.is_cut = False
    region.report(agent, value=4.0)
    upstream = region.at_hub.upstream
    assert upstream is not None
    while region.held(region.at_centre, agent) != [(1, 3)]:  # what is of now, before what waits
        region.wait(1)
        upstream.step(region.hub.clock.monotonic())
    (told,) = region.report(agent).agents
    assert (told.receipt, told.refused) == ("", []), "the centre's 2 is the copy's"
    region.hub.turn()
    (told,) = region.report(agent).agents
    assert told.receipt == ""
    assert [(one.seqs, one.code) for one in told.refused] == [([(2, 2)], "fork")]
    region.hub.end()
    region.hub.begin()
    (told,) = region.report(agent).agents
    assert (told.receipt, [one.action for one in told.refused]) == ("", ["renew"])
    other = replace(agent, epoch=b"the next")
    region.report(other)
    region.hub.turn()
    region.wait(2)
    assert region.receipt(region.report(other), other).ranges == [(7, 7)]


def test_whose_reports_the_centre_does_not_take_now_holds_up_nobody_else(region: Region) -> None:
    patient, suspended = region.agent(), region.agent("srv2")
    region.is_cut = True
    for _ in range(5):
        region.report(patient)
        region.wait(15)
    held = suspended.report(region.hub.clock.wall_ms())
    row = NewEnvelope(
        suspended.agent_id, suspended.epoch, 1, 1, region.hub.clock.wall_ms(), b"\x92\x90\xc4\x00", held, False
    )
    with region.at_hub.store.transaction() as connection:
        add_envelopes(connection, [row] * 21_000)
    with region.at_centre.store.transaction() as connection:
        set_status(connection, suspended.agent_id, "suspended", instant(region.centre.clock.wall_ms()))
    region.wait(600)
    region.is_cut = False
    region.report(patient)
    region.hub.turn()
    assert region.held(region.at_centre, patient) == [(1, 6)]
    assert len(bundles(region)) < 20
    upstream = region.at_hub.upstream
    assert upstream is not None
    region.wait(2)
    began = time.process_time()
    upstream.step(region.hub.clock.monotonic())
    assert time.process_time() - began < 0.01, "what was passed over is not looked at again at every turn"
    with region.at_centre.store.transaction() as connection:
        set_status(connection, suspended.agent_id, "active", instant(region.centre.clock.wall_ms()))
    region.wait(31)
    with suppress(AssertionError):  # so many rows take more turns than that
        region.hub.turn(5)
    assert region.held(region.at_centre, suspended) == [(1, 1)]


@pytest.mark.parametrize(("code", "is_asked_again"), [("revoked", True), ("too_large", False)])
def test_a_hold_that_the_registry_contradicts_ends_with_the_next_pull(
    region: Region, code: str, is_asked_again: bool
) -> None:
    agent = region.agent()
    region.hub.turn()

    def altered(said: Response | Failure) -> Response | Failure:
        assert isinstance(said, Response)
        if said.content_type != ANSWER_TYPE or b'"agent":' not in said.body:
            return said
        refusal = EnvelopeRefusal(0, "hold", code)
        answer = msgspec.structs.replace(read_answer(said.body), envelopes=[refusal], agents=[])
        return said._replace(body=write_answer(answer))

    region.forge = altered
    region.report(agent)
    region.hub.turn()
    region.forge = lambda said: said
    region.sent.clear()
    region.wait(20)
    region.hub.turn()
    assert not bundles(region), "it may not be asked at every turn"
    region.wait(11)
    region.hub.turn()
    assert [firsts for _, firsts in bundles(region)] == ([[1]] if is_asked_again else [])


def test_a_host_that_is_no_longer_bound_spoils_nothing_that_stands_beside_it(region: Region) -> None:
    agent = region.agent()
    with region.at_centre.store.transaction() as connection:
        host = {"id": "printer.abuja", "name": "printer", "site": "abuja", "agency": "for", "managed_by": "topology"}
        connection.execute(insert(hosts), {**host, "agent_id": agent.agent_id})
        bump_version(connection)
    region.wait(31)
    region.hub.turn()
    region.is_cut = True
    at_ms = region.hub.clock.wall_ms()
    own, other = schema_of(agent.host), schema_of("printer.abuja")
    samples = [agent.sample(own, [1.0], at_ms), agent.sample(other, [2.0], at_ms), agent.sample(own, [3.0], at_ms + 1)]
    lines = agent.envelope(samples, [own.packed, other.packed])
    assert region.post(region.hub, lines).agents[0].held == [(1, 3)]
    with region.at_centre.store.transaction() as connection:
        connection.execute(update(hosts).where(hosts.c.id == "printer.abuja").values(agent_id=None))
        bump_version(connection)
    region.wait(61)
    region.is_cut = False
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 3)]
    with region.at_centre.store.reading() as connection:
        lost = [(row.first_seq, row.last_seq, row.reason) for row in connection.execute(select(losses))]
    assert lost == [(2, 2, "refused:bad_labels")]
    assert dict(region.at_centre.live.reports) == {("abuja", "refused"): 1, ("abuja", "late"): 2}
    assert region.at_centre.intake.refusals["abuja", "bad_labels"] == 1
    region.wait(2)
    assert region.receipt(region.report(agent), agent).ranges == [(1, 3)]
    region.post(region.centre, lines)
    assert region.at_centre.live.reports["abuja", "refused"] == 1, "counted once"
