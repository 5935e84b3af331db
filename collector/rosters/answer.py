"""Who is on duty on a roster, and who stands in there, as plain values for the command line and the API alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from collector.people.person import Person
from collector.rosters.duty import Called


def answer_rows(
    found: Iterable[Called], people: Mapping[str, Person], at: datetime, may_reach: Callable[[Person], bool]
) -> list[dict[str, Any]]:
    """A row for each roster asked: who is on duty, each in the first layer they are in, and apart from them the roster's
    fallback, who is called where nobody is on duty or a step says so. ``is_quiet`` is null where the asker may not know."""

    def row(person: str) -> dict[str, Any]:
        known = people.get(person)
        return {
            "id": person,
            "name_ko": known.name_ko if known else person,
            "name_en": known.name_en if known else person,
            "is_quiet": known.is_quiet(at) if known and may_reach(known) else None,
        }

    rows = []
    for each in found:
        on_duty: dict[str, dict[str, Any]] = {}
        for duty in each.duties:
            for person in duty.people:
                until = max(shift.ended_at for shift in duty.shifts if person in shift.people)
                on_duty.setdefault(person, row(person) | {"layer": duty.layer, "until": until.isoformat()})
        rows.append(
            {
                "roster": each.roster.id,
                "name_ko": each.roster.name_ko,
                "name_en": each.roster.name_en,
                "is_hole": each.is_hole,
                "on_duty": list(on_duty.values()),
                "fallback": [row(person) for person in each.roster.fallback if person not in on_duty],
            }
        )
    return rows
