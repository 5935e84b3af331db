"""Storm mode: more new incidents in a minute than anybody can read become one, with the most frequent causes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.incidents.draft import Draft
from collector.incidents.from_verdicts import WIDE
from collector.incidents.signal import VERDICT, Signal, worst
from collector.incidents.top import top_causes
from collector.incidents.words import titles
from collector.store.schema import frozen as plain

if TYPE_CHECKING:
    from collector.incidents.course import Course

MINUTE_MS = 60_000
REASON = "storm"


def storm_of(course: Course, new: list[Signal]) -> Draft | None:
    """The incident new signals go into, None where each opens its own. Remembers how many came."""
    memory, now_ms = course.memory, course.now_ms
    small = [signal for signal in new if signal.subject[0] not in WIDE]
    memory.came_ms = [at for at in memory.came_ms if now_ms - at < MINUTE_MS]
    count = len(memory.came_ms) + len(small)
    limit = course.plan.storm_per_minute
    if count > limit:
        memory.storm_ms = now_ms
    elif memory.storm_ms and now_ms - memory.storm_ms >= course.plan.storm_calm_seconds * 1000:
        memory.storm_ms = 0
    # Many more than the limit say nothing more than the limit itself.
    memory.came_ms = [*memory.came_ms, *[now_ms] * len(small)][-(limit + 1) :]
    if not memory.storm_ms or not small:
        return None
    known = next((d for d in course.drafts.values() if d.incident.is_storm and d.incident.is_open), None)
    if known is not None:
        return known
    severity = worst(*(signal.severity for signal in small))
    told = Signal(
        key=f"storm:{now_ms}",
        source=VERDICT,
        severity=severity,
        subject=("storm", ""),
        site="",
        agency="",
        reason=REASON,
        since_ms=min(signal.since_ms for signal in small),
        due_ms=now_ms + course.plan.alert_hold_seconds * 1000,
        affected=(),
        evidence=(),
        labels=(),
        annotations=(),
        is_active=True,
    )
    return course.open(told, is_storm=True, impact=plain({"top": top_causes(small)}), **titles("storm", count=count))
