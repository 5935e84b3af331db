"""What an incident says of itself, from the signals that are its own: at its opening, and as they change. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from collector.escalation.timer import PURSUIT
from collector.incidents import incident as inc
from collector.incidents.draft import Draft, frozen, start_clock, tell_from
from collector.incidents.impact import Impact, as_json, fix_time, impact_of, places_of, priority_of
from collector.incidents.incident import Incident
from collector.incidents.signal import SEVERITIES, VERDICT, Signal, uid_of, worst
from collector.incidents.top import top_causes
from collector.incidents.words import CHECKS, title
from collector.store.schema import frozen as plain
from collector.store.schema import instant
from collector.verdicts.reasons import SILENT, UNREACHABLE
from collector.verdicts.standing import Fact

if TYPE_CHECKING:
    from collector.incidents.course import Course


LONG_PAST, SHOWS_AGAIN = timedelta(seconds=30), timedelta(seconds=60)
"""What might have been told so long ago lay behind something that is over: only if it still holds a while from now, by what
was reported since, somebody is called for it."""


def opened(course: Course, signal: Signal, **values: Any) -> Draft:
    """A new incident about a signal; ``values`` in place of what it says."""
    impact = _impact(course, [signal])
    priority = priority_of(signal.severity, impact, course.fleet)
    fields: dict[str, Any] = {
        "severity": signal.severity,
        "priority": priority,
        "title_ko": title(signal, course.fleet, "ko"),
        "title_en": title(signal, course.fleet, "en"),
        "impact": plain(as_json(impact, course.fleet)),
        "evidence": facts(signal.evidence),
        "policy": frozen(course.plan.choose(signal.severity, priority, signal.site, signal.agency)),
    } | values
    draft = Draft(
        Incident(
            number=0,
            uid=uid_of(signal.key, signal.since_ms),
            key=signal.key,
            source=signal.source,
            state=inc.TRIGGERED,
            reason=signal.reason,
            subject_kind=signal.subject[0],
            subject_id=signal.subject[1],
            site=signal.site,
            agency=signal.agency,
            occurred_at=min(instant(signal.since_ms), course.now),
            opened_at=course.now,
            **fields,
        ),
        places=places_of(impact, course.fleet),
    )
    draft.note("opened", key=signal.key, severity=draft.incident.severity)
    due = course.due_of(signal)
    if signal.source == VERDICT and _is_long_past(due, course.now):
        due = course.now + SHOWS_AGAIN
    tell_from(draft, due)
    fix = fix_time(draft.incident.severity, signal.down, course.fleet, course.plan.fix_seconds)
    if fix is not None:
        start_clock(draft, fix, course.now)
    return draft


def follow(course: Course, draft: Draft) -> None:
    """Bring it up to date with its signals that hold."""
    if draft.is_new and len(draft.active) == 1:
        return
    root = next((signal for signal in draft.active if signal.key == draft.incident.key), None)
    _say_why(course, draft, root)
    impact = _impact(course, draft.active)
    _grow(course, draft, impact)
    _weigh(course, draft, impact)
    _fix(course, draft)
    is_waiting = not draft.is_told or draft.incident.due_at is None
    if is_waiting and root is not None and not draft.incident.is_storm:
        _due(course, draft, root)


def facts(evidence: Iterable[Fact]) -> tuple[tuple[str, str, str, int | None], ...]:
    return tuple((fact.code, fact.subject, fact.value, fact.at_ms) for fact in evidence)


def _impact(course: Course, signals: Iterable[Signal]) -> Impact:
    things = {thing for signal in signals for thing in (signal.subject, *signal.affected)}
    return impact_of(things, course.fleet, course.on_host)


def _say_why(course: Course, draft: Draft, root: Signal | None) -> None:
    """A verdict may come to know better."""
    if root is None or root.source != VERDICT:
        return
    is_same = root.reason == draft.incident.reason
    if is_same and _checks(facts(root.evidence)) == _checks(draft.incident.evidence):
        return
    draft.become(
        reason=root.reason,
        title_ko=title(root, course.fleet, "ko"),
        title_en=title(root, course.fleet, "en"),
        evidence=facts(root.evidence),
    )
    if not is_same:
        draft.note("rejudged", reason=root.reason)


def _checks(evidence: Iterable[tuple[str, str, str, int | None]]) -> list[tuple[str, str]]:
    """Which fail and how badly; their words may change with every report."""
    return [(code, subject) for code, subject, _, _ in evidence if code in CHECKS]


def _grow(course: Course, draft: Draft, impact: Impact) -> None:
    """The widest it ever was is kept: that is what reports ask."""
    was = draft.incident.impact
    wide = plain(as_json(impact, course.fleet))
    if draft.incident.is_storm and len(draft.active) > was.get("count", 0):
        wide = wide | plain({"count": len(draft.active), "top": top_causes(draft.active)})
    if any(wide.get(name, 0) > was.get(name, 0) for name in ("site_count", "host_count", "system_count", "count")):
        draft.become(impact=was | wide)
        draft.places |= places_of(impact, course.fleet)


def _weigh(course: Course, draft: Draft, impact: Impact) -> None:
    """What nobody was told of is as grave as it looks; what somebody knows of becomes graver, never less. Graver than it
    was, it must stay for as long as anything new would wait."""
    now = draft.incident
    severity = worst(*(signal.severity for signal in draft.active))
    raising = course.memory.raising
    step = SEVERITIES.index(severity) - SEVERITIES.index(now.severity)
    root = next((signal for signal in draft.active if signal.key == now.key and signal.source == VERDICT), None)
    # A verdict that comes to know better has waited itself; whoever is called first is called for how grave it is.
    is_known_better = root is not None and root.severity == severity and not draft.is_told
    if step < 0 and not draft.is_new and not is_known_better:
        since = raising.get(now.uid)
        if since is None or since[0] != severity:
            raising[now.uid] = since = [severity, course.now_ms]
        grave = [signal.hold_ms for signal in draft.active if signal.severity == severity]
        if course.now_ms - int(since[1]) < max(course.plan.alert_hold_seconds * 1000, min(grave)):
            return
    raising.pop(now.uid, None)
    if step == 0 or (step > 0 and draft.is_told):
        _rank(draft, min(now.priority, priority_of(now.severity, impact, course.fleet)))
        return
    priority = priority_of(severity, impact, course.fleet)
    policy = frozen(course.plan.choose(severity, priority, now.site, now.agency))
    draft.become(severity=severity, priority=priority, policy=policy)
    if draft.is_new:
        tell_from(draft, now.due_at)
        return
    draft.note("raised" if step < 0 else "rejudged", severity=severity)
    if step < 0 and not is_known_better:
        draft.cancel(PURSUIT)
        draft.become(state=inc.TRIGGERED, snoozed_until=None)
        tell_from(draft, course.now)
    else:
        tell_from(draft, now.due_at)


def _rank(draft: Draft, priority: int) -> None:
    if priority != draft.incident.priority:
        if not draft.is_new:
            draft.note("raised", priority=priority)
        draft.become(priority=priority)


def _fix(course: Course, draft: Draft) -> None:
    if draft.incident.fix_due_at is None:
        down = {system for signal in draft.active for system in signal.down}
        fix = fix_time(draft.incident.severity, down, course.fleet, course.plan.fix_seconds)
        if fix is not None:
            start_clock(draft, fix, course.now)


def _due(course: Course, draft: Draft, root: Signal) -> None:
    """A verdict may not know yet whom to blame, or know it sooner. Later than once said it is only told where hosts of one
    site fall silent one after the other, and may be one disturbance."""
    was = draft.incident.due_at
    dues = [course.due_of(signal) for signal in draft.active if signal.source == VERDICT or not root.hides]
    if root.source == VERDICT and root.hides:
        due = course.due_of(root)
    else:
        due = min((each for each in dues if each is not None), default=None)
    if due is None and was is not None and root.source == VERDICT:
        tell_from(draft, None)  # nobody was told yet, even if this is the moment for it
    elif was is not None and was > course.now and root.source == VERDICT and _is_long_past(due, course.now):
        return
    elif due is not None and (was is None or due < was or (due > was > course.now and _is_lost_host(root))):
        tell_from(draft, _no_sooner(due, was, course.now))


def _is_lost_host(root: Signal) -> bool:
    return root.subject[0] == "host" and root.reason in (SILENT, UNREACHABLE)


def _is_long_past(due: datetime | None, now: datetime) -> bool:
    return due is not None and due < now - LONG_PAST


def _no_sooner(due: datetime, was: datetime | None, now: datetime) -> datetime:
    """What could not be told so far may be told at once; nothing is told in the past."""
    return max(due, now - timedelta(seconds=1)) if was is None else due
