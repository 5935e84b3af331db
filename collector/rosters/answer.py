"""The answer to "who would be called" as plain values, for the command line, the API and the page alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from collector.people.person import Person
from collector.rosters.duty import Called


def answer_rows(
    found: Iterable[Called], people: Mapping[str, Person], at: datetime, may_reach: Callable[[Person], bool]
) -> list[dict[str, Any]]:
    """A row for each roster asked, in the order of calling, each with its people in that order. A person's ``layer`` is
    empty where they are called as fallback; ``is_quiet`` is null where the asker may not know."""
    rows = []
    for each in found:
        called = [
            _row(person, duty.layer, max(s.ended_at for s in duty.shifts if person in s.people), people, at, may_reach)
            for duty in each.duties
            for person in duty.people
        ]
        called += [_row(person, "", None, people, at, may_reach) for person in each.fallback]
        once = {row["id"]: row for row in reversed(called)}
        rows.append(
            {
                "roster": each.roster.id,
                "name_ko": each.roster.name_ko,
                "name_en": each.roster.name_en,
                "is_hole": each.is_hole,
                "people": [row for row in called if once[row["id"]] is row],
            }
        )
    return rows


def _row(
    person: str,
    layer: str,
    until: datetime | None,
    people: Mapping[str, Person],
    at: datetime,
    may_reach: Callable[[Person], bool],
) -> dict[str, Any]:
    known = people.get(person)
    return {
        "id": person,
        "name_ko": known.name_ko if known else person,
        "name_en": known.name_en if known else person,
        "layer": layer,
        "until": until.isoformat() if until else None,
        "is_quiet": known.is_quiet(at) if known and may_reach(known) else None,
    }
