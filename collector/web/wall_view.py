"""What the wall shows: sites by hub as tiles, and how many are left out. Values only, no words, no markup.

A wall is read from across a room and cannot be scrolled by anyone, so what it leaves out is counted, and what is left
out is never what is not well while what is well is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from collector.fleet.registry import Fleet, Named
from collector.store.scope import Scope
from collector.verdicts.api import may_see
from collector.verdicts.standing import OK, Standing
from collector.web.view import Judged, SiteRow, groups, judged

MOST_TILES = 64
"""So many fit at a size that is read from five metres."""
MOST_INCIDENTS = 8


class WallHub(NamedTuple):
    """``hub`` None = sites that report to the centre directly; ``verdict`` is the hub's own, None where it has none."""

    hub: Named | None
    verdict: Judged | None
    total: int
    well: int
    tiles: tuple[SiteRow, ...]
    left_out: int

    @property
    def id(self) -> str:
        return self.hub.id if self.hub else ""


def wall_hubs(rows: Iterable[SiteRow], fleet: Fleet, standing: Standing, scope: Scope) -> tuple[WallHub, ...]:
    """The hub with the worst site first. A fleet too large for one wall shows only the sites that are not well."""
    made = groups(rows)
    is_small = sum(len(group.rows) for group in made) <= MOST_TILES
    room = MOST_TILES
    found = []
    for group in made:
        wanted = group.rows if is_small else tuple(row for row in group.rows if row.verdict.state != OK)
        tiles = wanted[:room]
        room -= len(tiles)
        own = None
        if group.hub is not None and group.id in fleet.hubs and may_see("hub", group.id, fleet, scope):
            own = judged(standing.hubs[group.id]) if group.id in standing.hubs else None
        well = sum(row.verdict.state == OK for row in group.rows)
        found.append(WallHub(group.hub, own, len(group.rows), well, tiles, len(group.rows) - len(tiles)))
    return tuple(found)
