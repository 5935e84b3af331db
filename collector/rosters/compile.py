"""From the rows of a file to a ``Roster``: teams become their members, text becomes dates and times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from collector.fleet.calendar import WEEKDAYS
from collector.fleet.registry import Fleet
from collector.people.person import parse_span
from collector.rosters.roster import Ground, Layer, Membership, Override, Roster, Slot
from collector.rosters.roster_keys import turn_hours


def compiled(
    row: Mapping[str, Any],
    teams: Mapping[str, Iterable[str]],
    days_off: Iterable[date] = (),
    overrides: Iterable[Override] = (),
) -> Roster:
    """A roster from its row of the file, checked when it was applied; ``teams`` has members by id of the team."""
    return Roster(
        id=row["id"],
        name_ko=row["name_ko"],
        name_en=row["name_en"],
        agency=row["agency"],
        agencies=tuple(row["agencies"]),
        sites=tuple(row["sites"]),
        timezone=row["timezone"],
        calendar=row["calendar"],
        cover=row["cover"],
        fallback=_members(row["fallback"], teams),
        layers=tuple(_layer(layer, teams) for layer in row["layers"]),
        members=tuple(Membership(m["person"], _date(m["joined"]), _date(m["left"])) for m in row["members"]),
        days_off=frozenset(days_off),
        overrides=tuple(overrides),
    )


def ground_of(fleet: Fleet) -> Ground:
    return Ground(
        {site.id: site.timezone for site in fleet.sites.values()},
        {site.id: site.calendar for site in fleet.sites.values()},
    )


def _layer(row: Mapping[str, Any], teams: Mapping[str, Iterable[str]]) -> Layer:
    starts = _date(row["starts"])
    assert starts is not None
    days = row["days"]
    slots = []
    for letter, hours in dict(row["slots"]).items():
        span = parse_span(hours)
        assert span is not None, hours
        slots.append(Slot(letter, *span))
    return Layer(
        name=row["name"],
        kind=row["kind"],
        crews=tuple(_members(crew, teams) for crew in row["crews"]),
        starts=starts,
        ends=_date(row["ends"]),
        handover=time.fromisoformat(row["handover"]),
        turn_hours=turn_hours(row["turn"]),
        hours=row["hours"],
        days=days if isinstance(days, str) else tuple(sorted(WEEKDAYS.index(day) for day in days)),
        slots=tuple(sorted(slots)),
        cycle=tuple(row["cycle"]),
        step_days=row["step_days"],
        sites=tuple(row["sites"]),
        overtime_minutes=row["overtime_minutes"],
    )


def _members(names: Iterable[str], teams: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Each person once."""
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys(teams.get(name[1:], ()) if name.startswith("@") else (name,))
    return tuple(found)


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
