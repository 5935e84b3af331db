"""A later agent behind today's hub: its bytes arrive at the centre as they left it, and its numbers are read there."""

from __future__ import annotations

import pytest
from newer import LAST_VALUE, NUMBERS, STATE_TEXT, spoken
from region import Region
from sqlalchemy import select

from collector.app import App
from collector.log.tables import envelopes, losses


def kept(app: App) -> list[bytes]:
    with app.store.reading() as connection:
        return [bytes(row.packed) for row in connection.execute(select(envelopes.c.packed))]


@pytest.mark.parametrize("later", [False, True], ids=["today", "later"])
def test_a_hub_hands_on_what_it_does_not_know(region: Region, later: bool) -> None:
    agent = region.agent()
    packed = spoken(agent, region.hub.clock.wall_ms(), later)
    region.post(region.hub, packed)
    region.hub.turn()
    assert kept(region.at_hub) == kept(region.at_centre) == [packed]
    assert region.held(region.at_centre, agent) == region.held(region.at_hub, agent) == [(1, NUMBERS)]
    for app in (region.at_hub, region.at_centre):
        host = app.live.hosts[agent.host]
        assert (host.value("node_load1"), host.checks["disk"].text) == (LAST_VALUE, STATE_TEXT)
        with app.store.reading() as connection:
            rows = connection.execute(select(losses.c.first_seq, losses.c.last_seq).order_by(losses.c.id)).all()
        assert sorted(tuple(row) for row in rows) == [(4, 5), (7, 7)], "rolled up, and declared lost"
    again = region.post(region.hub, packed)
    assert region.receipt(again, agent).ranges == [(1, NUMBERS)], "the centre's word came back"
