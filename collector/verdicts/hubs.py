"""Is the hub out, and is what lies behind it only unknown because of that?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, OK, Fact
from collector.verdicts.votes import Tally

HEARTBEAT_MS = 90_000
"""A hub asks for its registry once a minute, and brings reports more often than that."""
WORK_MS = 30_000
"""In agreed work a hub that is quiet for so long is taken to be away: nobody is called for it, and who is silent behind it
waits for it."""
TOGETHER_SHARE, TOGETHER_LEAST, TOGETHER_INTERVALS = 0.6, 3, 2


class Child(NamedTuple):
    """A site behind a hub: ``last_ms`` of its newest report, ``interval_ms`` of its line."""

    site: str
    is_silent: bool
    last_ms: int
    interval_ms: int


def fell_together(children: Sequence[Child]) -> tuple[str, ...]:
    """Sites that fell silent within two intervals of each other, where they are enough of all that were ever heard."""
    silent = sorted((child for child in children if child.is_silent), key=lambda child: child.last_ms)
    least = max(TOGETHER_LEAST, TOGETHER_SHARE * len(children))
    best: list[Child] = []
    start = 0
    for end, child in enumerate(silent):
        span_ms = TOGETHER_INTERVALS * max(each.interval_ms for each in silent)
        while child.last_ms - silent[start].last_ms > span_ms:
            start += 1
        if end - start + 1 > len(best):
            best = silent[start : end + 1]
    return tuple(sorted(child.site for child in best)) if len(best) >= least else ()


def judge_hub(
    hub: str, seen_ms: int | None, children: Sequence[Child], tally: Tally, now_ms: int, patience_ms: int = HEARTBEAT_MS
) -> tuple[Finding, bool]:
    """The hub's state, and whether it is suspected: then its silent sites are unknown because of it."""
    together = fell_together(children)
    is_mute = seen_ms is not None and now_ms - seen_ms > patience_ms
    facts = tally.facts(f"hub:{hub}")
    if seen_ms is not None:
        facts = (Fact("hub_last_heard", hub, "", seen_ms), *facts)
    if together:
        facts = (Fact("hub_children", ", ".join(together[:5]), f"{len(together)}/{len(children)}"), *facts)
    if is_mute:
        if tally.is_confirmed_down:
            return Finding(DOWN, r.HUB_DOWN, "", facts), True
        if tally.is_reachable:
            return Finding(DOWN, r.HUB_PROCESS, "", facts), True
        if together:
            return Finding(DOWN, r.HUB_DOWN, "", facts), True
        return Finding(NO_DATA, r.HUB_SILENT, "", facts), True
    if together:
        if seen_ms is None and tally.is_confirmed_down:
            return Finding(DOWN, r.HUB_DOWN, "", facts), True
        return Finding(DEGRADED, r.HUB_CHILDREN_SILENT, "", facts), True
    if seen_ms is None and not tally.reached and (not children or all(child.is_silent for child in children)):
        return Finding(NO_DATA, r.SILENT if children else r.NEVER_REPORTED, "", facts), False
    return Finding(OK, r.REPORTING), False
