"""An agent of version 0.1.0 and the centre it reported to, under today's program: what it sends counts as ever, its spool is
delivered by today's sender, and what the centre took from it then is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import Centre, exchange
from released import HOST, Released, lay, released, write
from sqlalchemy import select

from agent.identity import load_identity
from agent.link.clock import SystemChance
from agent.link.exchange import Failure, Request, Response
from agent.link.files import SystemFiles
from agent.link.model import Series, make_schema, pack_values
from agent.link.names import COUNTER, GAUGE
from agent.link.offset import Offset
from agent.link.profile import PROFILES
from agent.link.send import Sender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft
from agent.link.wire import open_envelope, open_header, open_request
from collector.history.query import Query
from collector.history.reader import History
from collector.log.tables import envelopes
from collector.store.engine import Store
from collector.store.migrate import upgrade
from collector.store.scope import EVERYTHING

MINUTE = 60_000


@pytest.fixture(scope="module")
def old() -> Released:
    return released()


@pytest.fixture
def centre(old: Released, tmp_path: Path) -> Iterator[Centre]:
    """Today's intake on the upgraded rows, a moment after the line was cut."""
    store = Store(f"sqlite:///{tmp_path / 'bongsu.db'}")
    lay(store, old.rows)
    upgrade(store)
    made = Centre(store, key=old.centre)
    made.clock.now_ms = old.at_ms
    made.start()
    yield made
    made.stop()
    store.close()


def held(centre: Centre) -> list[tuple[int, int]]:
    ((_, position),) = centre.positions.items()
    return [(first, last) for first, last in position.held]


def kept(centre: Centre) -> list[bytes]:
    with centre.store.reading() as connection:
        return [bytes(row.packed) for row in connection.execute(select(envelopes.c.packed).order_by(envelopes.c.id))]


def test_what_the_centre_had_is_there(centre: Centre, old: Released) -> None:
    assert held(centre) == [(1, 88)]
    host = centre.live.hosts[HOST]
    assert host.value("node_load1") == 80 / 4
    assert (host.checks["disk"].state, host.checks["process:sshd"].state) == (0, 0)
    start_ms = old.at_ms - 80 * MINUTE
    found = Query([History(centre.store, centre.registry, 15)], EVERYTHING).points(
        "node_load1", start_ms + MINUTE, old.at_ms, MINUTE
    )
    assert found[0].values == [minute / 4 for minute in range(1, 81)], "out of its chunks and its log"


def test_its_requests_count_as_they_did_then(centre: Centre, old: Released) -> None:
    centre.clock.now_ms = old.cut_until_ms
    sent = [bytes(raw) for _, body in old.requests for raw in open_request(body)]
    before = kept(centre)
    for path, body in old.requests:
        assert path == "/v1/envelopes"
        assert not centre.answer(body).envelopes
    assert [list(span) for span in held(centre)] == old.held[0]
    assert kept(centre) == [*before, *sent], "byte for byte"
    host = centre.live.hosts[HOST]
    assert (host.value("node_load1"), host.seq) == (103 / 4, open_header(open_envelope(sent[-1])[0]).last_seq)
    for _, body in old.requests:
        centre.answer(body)
    assert kept(centre) == [*before, *sent], "and once"
    centre.stop()
    centre.start()
    assert [list(span) for span in held(centre)] == old.held[0]
    assert centre.live.hosts[HOST].value("node_load1") == 103 / 4


def test_todays_agent_delivers_its_spool_and_goes_on(centre: Centre, old: Released, tmp_path: Path) -> None:
    write(old.spool, tmp_path / "agent")
    identity = load_identity(tmp_path / "agent")
    assert (identity.host, identity.centre_key) == (HOST, old.centre.public)
    clock = centre.clock
    clock.now_ms = old.cut_until_ms
    spool = Spool(SystemFiles(), clock, SystemChance(), str(tmp_path / "agent"), identity.agent_id)
    assert len(spool.shelves()) == 1, "its own epoch goes on"

    def line(asked: Request) -> Response | Failure:
        handler = centre.intake.envelopes if asked.path == "/v1/envelopes" else centre.intake.schemas
        status, kind, body = asyncio.run(exchange(handler, asked.body))
        return Response(status, kind, body)

    signer = Signer(identity.agent_id, identity.enrolment.key_no, identity.key.sign)
    ports = (line, clock, SystemChance(), Offset(clock), PROFILES["thin"])
    sender = Sender(spool, signer, old.centre.public, ["http://centre.test"], *ports)

    def deliver() -> None:
        for _ in range(60):
            clock.now_ms += 2_000
            sender.step(clock.monotonic())

    deliver()
    assert held(centre) == [(1, 88), (90, 111)]
    schema = make_schema(
        (Series(HOST, "node_load1", GAUGE, ()), Series(HOST, "node_context_switches_total", COUNTER, ())), ()
    )
    spool.append([SampleDraft(schema, clock.now_ms, 0, pack_values([7.5, 1.0]))])
    deliver()
    assert held(centre) == [(1, 88), (90, 112)]
    assert centre.live.hosts[HOST].value("node_load1") == 7.5
    assert spool.figures().records == 0, "the centre's receipt let it forget"
    spool.close()
