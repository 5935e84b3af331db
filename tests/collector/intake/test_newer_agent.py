"""What an agent of a later version says beyond what we know is kept byte for byte, and what we know of it counts as ever."""

from __future__ import annotations

from typing import Any

import pytest
from centre import NOW_MS, Centre
from newer import LAST_VALUE, NUMBERS, STATE_TEXT, schema_of, spoken
from sender import Sender, request
from sqlalchemy import select

from agent.link.model import encode
from agent.link.wire import WireError, open_schema
from collector.log.tables import envelopes, losses, schemas


def known(centre: Centre, sender: Sender) -> dict[str, Any]:
    """All that is counted, shown and kept of one agent, but for the bytes themselves."""
    host = centre.live.hosts[sender.host]
    position = dict(centre.positions.items())[sender.agent_id, sender.epoch]
    with centre.store.reading() as connection:
        lost = connection.execute(select(losses).where(losses.c.agent_id == sender.agent_id)).all()
    return {
        "value": host.value("node_load1"),
        "check": (host.checks["disk"].state, host.checks["disk"].text),
        "at": (host.seq, host.taken_at_ms),
        "held": list(position.held),
        "lost": list(position.lost),
        "losses": sorted((row.first_seq, row.last_seq, row.reason) for row in lost),
    }


def kept(centre: Centre, sender: Sender) -> list[bytes]:
    with centre.store.reading() as connection:
        rows = connection.execute(select(envelopes.c.packed).where(envelopes.c.agent_id == sender.agent_id))
        return [bytes(row.packed) for row in rows]


def test_a_later_agent_is_kept_whole_and_counted_as_todays(centre: Centre) -> None:
    told, counts = [], []
    for name, later in (("srv1", False), ("srv2", True)):
        sender = centre.enrolled(name)
        packed = spoken(sender, NOW_MS, later)
        before = centre.live.reports.copy()
        answer = centre.answer(request(packed))
        assert (answer.envelopes, answer.need_schemas) == ([], [])
        assert answer.agents[0].held == [(1, NUMBERS)]
        assert kept(centre, sender) == [packed], "byte for byte"
        told.append(known(centre, sender))
        counts.append(centre.live.reports - before)
        centre.answer(request(packed))
        assert kept(centre, sender) == [packed], "and once"
    assert told[0] == told[1]
    assert counts[0] == counts[1]
    assert told[1]["value"] == LAST_VALUE
    assert told[1]["check"] == (2, STATE_TEXT)
    assert told[1]["losses"], "what it declared lost, and what it rolled up"


def test_it_is_read_back_after_a_restart(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(spoken(sender, NOW_MS, later=True)))
    before = known(centre, sender)
    centre.stop()
    centre.start()
    assert known(centre, sender) == before


def test_its_schema_comes_alone_too(centre: Centre) -> None:
    sender, schema = centre.enrolled(), schema_of("srv1.abuja", later=True)
    answer = centre.answer(request(sender.envelope([sender.sample(schema, [7.0, 1.0], NOW_MS)])))
    assert answer.need_schemas == [schema.hash.hex()]
    assert centre.post(encode([schema.packed]), "/v1/schemas")[0] == 200
    host = centre.live.hosts[sender.host]
    assert (host.value("node_load1"), host.checks["disk"].state) == (7.0, 1)
    with centre.store.reading() as connection:
        assert connection.execute(select(schemas.c.packed)).scalars().all() == [schema.packed]


@pytest.mark.parametrize("checks", [[["srv1.abuja"]], [["srv1.abuja", 7]], ["srv1.abuja"], [[7, "disk"]]])
def test_what_is_short_or_wrong_is_no_later_version(checks: Any) -> None:
    with pytest.raises(WireError, match="malformed"):
        open_schema(encode([[], checks]))
