"""What goes before hosts that are lost one after the other: batteries that heat up, cooling that fails, water on the floor.

A check tells of it by its name, as ``ups:rack1`` or ``local:room_temperature`` do. Where the building fails, one lost host is
enough to say what it was lost to: of healthy machines that are switched off for want of cooling more will follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from agent.link.names import CRITICAL
from collector.verdicts.standing import Fact, FailingCheck

WORDS = frozenset({"ups", "battery", "temperature", "cooling", "humidity", "leak", "smoke", "fire"})
"""In the name of a check that tells of the building, not of one machine."""
BEFORE_MS = 3_600_000
"""A host lost longer after the trouble began may have been lost to anything: a battery can stay old for months."""
WENT_BEFORE = "went_before"


def find_trouble(failing: Iterable[FailingCheck]) -> Fact | None:
    """Of the checks of a site's hosts, by their newest words: the one that tells longest that its building fails."""
    found = [check for check in failing if check.state == CRITICAL and is_of_building(check.check)]
    return _fact(min(found, key=lambda check: (check.since_ms, check.host, check.check))) if found else None


def is_of_building(check: str) -> bool:
    return not WORDS.isdisjoint(re.split(r"[^a-z]+", check.lower()))


def lost_after(trouble: Fact, hosts: Iterable[str], silent: Mapping[str, int]) -> list[str]:
    """Hosts whose last report came after the trouble, and soon enough."""
    since_ms = trouble.at_ms or 0
    return [host for host in hosts if since_ms <= silent[host] <= since_ms + BEFORE_MS]


def remembered(hosts: Iterable[str], facts: Mapping[tuple[str, str], tuple[Fact, ...]]) -> Fact | None:
    """What they were lost to, as was concluded before: the check may be well by now, or its host lost too."""
    kept = (fact for host in hosts for fact in facts.get(("host", host), ()) if fact.code == WENT_BEFORE)
    return next(kept, None)


def _fact(check: FailingCheck) -> Fact:
    said = f"{check.check}: {check.text}" if check.text else check.check
    return Fact(WENT_BEFORE, check.host, said, check.since_ms)
