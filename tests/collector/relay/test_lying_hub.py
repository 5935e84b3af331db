"""A hub that lies is found out: what it alters or invents is refused under its name, what it drops is a gap, what it
replays is counted, and no claim of its own lets an agent delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from region import CENTRE, HUB_URL, Region
from sender import Sender, schema_of
from sender import request as enclose

from agent.link.answer import Receiver, read_answer, write_answer
from agent.link.exchange import Failure, Request, Response
from agent.link.keys import new_key
from agent.link.model import pack_values
from agent.link.offset import Offset
from agent.link.packing import seal
from agent.link.profile import PROFILES
from agent.link.receipt import Receipt, pack_receipt, receipt_text
from agent.link.send import Sender as AgentSender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft
from agent.link.wire import open_envelope, open_header, open_request
from collector.world.clock import SeededChance
from collector.world.disk import DiskModel

Change = Callable[[list[bytes]], Sequence[bytes]]


def alter(envelopes: list[bytes]) -> list[bytes]:
    changed = bytearray(envelopes[0])
    changed[-1] ^= 1
    return [bytes(changed), *envelopes[1:]]


def invent(envelopes: list[bytes]) -> list[bytes]:
    """A report of an agent it has no key of."""
    header, _, body = open_envelope(envelopes[0])
    liar = Sender("srv1.abuja")
    forged = seal(open_header(header).agent_id, 1, b"e" * 8, [1], body, liar.key.sign)
    return [*envelopes, forged]


def lie(region: Region, change: Change) -> None:
    def tamper(asked: Request) -> Request:
        if asked.path != "/v1/envelopes" or len(asked.body) < 2:
            return asked
        return asked._replace(body=enclose(*change([bytes(raw) for raw in open_request(asked.body)])))

    region.tamper = tamper


def count(region: Region, name: str, **labels: str) -> float:
    return region.at_centre.telemetry.registry.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("change", [alter, invent])
def test_altered_and_invented_envelopes_are_refused_and_the_hub_is_named(region: Region, change: Change) -> None:
    agent = region.agent()
    lie(region, change)
    region.report(agent, 2.5)
    region.hub.turn()
    assert count(region, "bongsu_hub_envelopes_refused_total", hub="mea", code="bad_signature") == 1
    held = region.held(region.at_centre, agent)
    assert held == ([] if change is alter else [(1, 1)])
    assert {name for name, _ in region.at_centre.log.positions.items()} <= {(agent.agent_id, agent.epoch)}


def test_what_somebody_forged_before_an_honest_hub_is_told_at_the_centre(
    region: Region, caplog: pytest.LogCaptureFixture
) -> None:
    agent = region.agent()
    forged = bytearray(agent.report(region.hub.clock.wall_ms()))
    forged[-1] ^= 1
    region.post(region.hub, bytes(forged))
    assert agent.agent_id.hex() in next(r.agents for r in caplog.records if "did not seal" in r.message)  # type: ignore[attr-defined]
    for _ in range(2):
        region.wait(31)
        region.hub.turn()
        assert count(region, "bongsu_hub_envelopes_forged_total", hub="mea", code="bad_signature") == 1
    region.centre.end()
    region.centre.begin()
    region.wait(31)
    region.hub.turn()
    assert count(region, "bongsu_hub_envelopes_forged_total", hub="mea", code="bad_signature") == 0, "it is old by then"


def test_what_it_drops_is_a_gap_the_agent_still_has(region: Region) -> None:
    agent = region.agent()
    for _ in range(5):
        region.report(agent)
    lie(region, lambda envelopes: [one for one in envelopes if open_header(open_envelope(one)[0]).first_seq != 3])
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 2), (4, 5)]
    region.wait(2)
    answer = region.report(agent)
    assert answer.agents[0].held == [(1, 6)], "the hub may claim what it likes"
    assert region.receipt(answer, agent).ranges == [(1, 2), (4, 5)], "the centre's receipt leaves the gap out"
    region.at_centre.log.save_checkpoint()
    region.at_centre.log.step()
    region.at_centre.jobs.run("completeness")
    region.wait(3_600)
    region.at_centre.jobs.run("completeness")
    said = region.centre.answer(Request("GET", "", "/api/sites/abuja/completeness", b"", []))
    assert isinstance(said, Response)
    (gap,) = msgspec.json.decode(said.body)["missing"]
    assert (gap["host"], gap["first"], gap["last"]) == (agent.host, 3, 3), "and people see which numbers"


def test_what_it_replays_is_counted_once(region: Region) -> None:
    agent = region.agent()
    region.report(agent)
    region.hub.turn()
    (brought,) = [asked for asked in region.sent if asked.path == "/v1/envelopes" and len(asked.body) > 1]
    for _ in range(3):
        said = region.centre.answer(brought)
        assert isinstance(said, Response)
        assert read_answer(said.body).agents[0].held == [(1, 1)]
    assert region.rows(region.at_centre) == 1
    assert region.at_centre.live.reports["abuja", "duplicate"] == 3


def test_its_claims_delete_nothing_at_an_agent(region: Region, tmp_path: Path) -> None:
    """The product's own sender and spool, against a hub that calls itself the centre and signs receipts itself."""
    identity = region.agent()
    clock, disk = region.hub.clock, DiskModel(1)
    offset = Offset(clock)
    spool = Spool(disk, clock, SeededChance(1), "/data", identity.agent_id, 1 << 20, offset.offset_ms)
    claims: list[int] = []

    def through(asked: Request) -> Response | Failure:
        said = region.hub.answer(asked)
        if not asked.path.endswith("envelopes") or not isinstance(said, Response) or said.status != 200:
            return said
        answer = read_answer(said.body)
        liar, agents = new_key(), []
        for mine in answer.agents:
            name = bytes.fromhex(mine.agent), bytes.fromhex(mine.epoch)
            receipt = receipt_text(pack_receipt(Receipt(*name, [(1, 1_000)], clock.wall_ms()), liar.sign))
            agents.append(type(mine)(mine.agent, mine.epoch, [(1, 1_000)], [], receipt))
            claims.append(1)
        lying = type(answer)(Receiver("centre", "c0ffee", "0011223344556677"), answer.now_ms, [], agents)
        return said._replace(body=write_answer(lying))

    sender = AgentSender(
        spool,
        Signer(identity.agent_id, 1, identity.key.sign),
        region.key.public,
        [HUB_URL, CENTRE],
        through,
        clock,
        SeededChance(2),
        offset,
        PROFILES["lan"],
    )
    schema = schema_of(identity.host)
    spool.append([SampleDraft(schema, clock.wall_ms(), 0, pack_values([float(n)])) for n in range(5)])
    for _ in range(20):
        sender.step(clock.monotonic())
        region.wait(5)
    assert claims
    assert spool.figures().records == 5


def test_what_was_lost_on_the_way_is_sent_again(region: Region) -> None:
    """A bundle that arrives in part: only what the receipt covers is done with."""
    agent = region.agent()
    for _ in range(5):
        region.report(agent)
    bundles = []

    def once(envelopes: list[bytes]) -> list[bytes]:
        bundles.append(len(envelopes))
        return envelopes if len(bundles) > 1 else [one for at, one in enumerate(envelopes) if at != 2]

    lie(region, once)
    region.hub.turn()
    assert bundles == [5, 1]
    assert region.held(region.at_centre, agent) == [(1, 5)]
