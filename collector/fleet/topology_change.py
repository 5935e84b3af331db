"""The difference between the topology that is and the one a file wants, as changes a person can read before they hold.

+ sites    abuja        agency='mofa', hub='mea', …
~ sites    tokyo        link_profile: 'lan' -> 'leased'
- hosts    old1.tokyo
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.fleet.topology import NOUNS, Topology

USUAL_HOURS = ("business_hours", "09:00-18:00")
"""The default: not worth a word about each site that is made."""


@dataclass(frozen=True, slots=True)
class Change:
    """``sign`` is + (made), ~ (changed) or - (goes). ``fields``: (key, before, after); before is None where it is made."""

    sign: str
    noun: str
    id: str
    fields: tuple[tuple[str, Any, Any], ...] = ()

    def __str__(self) -> str:
        head = f"{self.sign} {self.noun:<9} {self.id}"
        if self.sign == "+":
            shown = ", ".join(
                f"{key}={_shown(after)}"
                for key, _, after in self.fields
                if after not in ("", None, (), False, 0) and (key, after) != USUAL_HOURS
            )
            return f"{head}  {shown}".rstrip()
        if self.sign == "~":
            return f"{head}  " + ", ".join(
                f"{key}: {_shown(before)} -> {_shown(after)}" for key, before, after in self.fields
            )
        return head


def difference(now: Topology, wanted: Topology) -> list[Change]:
    """Changes in the order they can be made: what is new or other from agencies down, then what goes from hosts up."""
    changes: list[Change] = []
    for noun in NOUNS:
        before, after = now.of(noun), wanted.of(noun)
        for name in sorted(after):
            if name not in before:
                fields = tuple((key, None, value) for key, value in after[name].items() if key not in ("id", "name"))
                changes.append(Change("+", noun, name, fields))
            elif before[name] != after[name]:
                fields = tuple(
                    (key, before[name].get(key), value)
                    for key, value in after[name].items()
                    if before[name].get(key) != value
                )
                changes.append(Change("~", noun, name, fields))
    for noun in reversed(NOUNS):
        changes += [Change("-", noun, name) for name in sorted(now.of(noun)) if name not in wanted.of(noun)]
    return changes


def summary(changes: Sequence[Change]) -> str:
    """Such as ``3 made, 1 changed, 2 gone``."""
    counts = {sign: sum(change.sign == sign for change in changes) for sign in "+~-"}
    return f"{counts['+']} made, {counts['~']} changed, {counts['-']} gone"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_shown_member, value)) + "]"
    return repr(value)


def _shown_member(value: Any) -> str:
    """A group in one line, as ``web (1 of 2): web1.here web2.here``."""
    if isinstance(value, dict) and "members" in value:
        return f"{value['name']} ({value['rule']}): {' '.join(value['members'])}"
    return str(value)
