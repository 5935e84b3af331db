"""What the wall shows: sites by hub as tiles, and how many are left out. Values only, no words, no markup.

A wall is read from across a room and cannot be scrolled by anyone, so what it leaves out is counted, and what is left
out is never what is not well while what is well is shown. When too much is wrong for tiles that say why, there is a line
for each site instead, by state, the worst first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from collector.fleet.registry import Fleet, Named
from collector.incidents.incident import Incident
from collector.store.scope import Scope
from collector.verdicts.api import may_see
from collector.verdicts.standing import OK, Standing
from collector.web.incident_view import waits
from collector.web.view import WORST_FIRST, Judged, SiteRow, groups, judged

MOST_TILES = 64
"""So many fit at a size that is read from five metres."""
ROOM, ACROSS = 43.0, 6
"""The height for sites and the tiles side by side on a wide screen; heights in units of the wall's type."""
HUB_HEAD, BAD_TILE, WELL_TILE, HUB_LEAST = 1.7, 5.0, 3.5, 4.2
LINES_ACROSS, LINE, CROWD_HEAD, HUBS_LINE = 6, 2.75, 2.1, 2.0
MOST_BESIDE, LEAST_INCIDENTS = 8, 3
"""Incidents and rosters that fit beside the sites; incidents that are shown however many rosters there are."""
SEVERITY_FIRST = ("critical", "warning", "info")


class WallHub(NamedTuple):
    """``hub`` None = sites that report to the centre directly; ``verdict`` is the hub's own, None where it has none.
    Sites without a tile are well, ``left_out`` of them."""

    hub: Named | None
    verdict: Judged | None
    total: int
    well: int
    tiles: tuple[SiteRow, ...]
    left_out: int

    @property
    def id(self) -> str:
        return self.hub.id if self.hub else ""

    @property
    def height(self) -> float:
        rows = [self.tiles[at : at + ACROSS] for at in range(0, len(self.tiles), ACROSS)]
        high = sum(BAD_TILE if any(row.verdict.state != OK for row in some) else WELL_TILE for some in rows)
        return HUB_HEAD + max(high, HUB_LEAST)


class Crowd(NamedTuple):
    """Sites of one state, where too many are not well; ``left_out`` have no line."""

    state: int
    total: int
    rows: tuple[SiteRow, ...]

    @property
    def left_out(self) -> int:
        return self.total - len(self.rows)


def wall_hubs(rows: Iterable[SiteRow], fleet: Fleet, standing: Standing, scope: Scope) -> tuple[WallHub, ...]:
    """The hub with the worst site first. A fleet too large for one wall shows only the sites that are not well."""
    made = groups(rows)
    is_small = sum(len(group.rows) for group in made) <= MOST_TILES
    found = []
    for group in made:
        tiles = group.rows if is_small else tuple(row for row in group.rows if row.verdict.state != OK)
        own = None
        if group.hub is not None and group.id in fleet.hubs and may_see("hub", group.id, fleet, scope):
            own = judged(standing.hubs[group.id]) if group.id in standing.hubs else None
        well = sum(row.verdict.state == OK for row in group.rows)
        found.append(WallHub(group.hub, own, len(group.rows), well, tiles, len(group.rows) - len(tiles)))
    return tuple(found)


def crowds(hubs: Sequence[WallHub], room: float = ROOM) -> tuple[Crowd, ...]:
    """The sites that are not well, by state, the worst first and in it the newest; nothing where the tiles have room."""
    bad = [row for hub in hubs for row in hub.tiles if row.verdict.state != OK]
    if sum(hub.height for hub in hubs) <= room or not bad:
        return ()
    by_state = [(state, [row for row in bad if row.verdict.state == state]) for state in WORST_FIRST]
    by_state = [(state, own) for state, own in by_state if own]
    left = int((room - HUBS_LINE - CROWD_HEAD * len(by_state)) / LINE)
    found = []
    for state, own in by_state:
        own.sort(key=lambda row: (-(row.verdict.since_ms or 0), row.site.id))
        found.append(Crowd(state, len(own), tuple(own[: left * LINES_ACROSS])))
        left = max(0, left - -(-len(own) // LINES_ACROSS))
    return tuple(found)


def urgent_first(incidents: Iterable[Incident]) -> list[Incident]:
    """What somebody has to answer first, then by severity, in it the newest first."""
    return sorted(
        incidents,
        key=lambda one: (
            not (waits(one) and one.severity == "critical"),
            SEVERITY_FIRST.index(one.severity),
            -one.number,
        ),
    )


def incidents_beside(rosters: int) -> int:
    """How many incidents fit where so many rosters are shown below them."""
    return max(LEAST_INCIDENTS, MOST_BESIDE - rosters)
