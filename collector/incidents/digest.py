"""What came and went during a cut: gathered into one incident for each hub or site, told once, in the daytime. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from collector.escalation.timer import DIGEST
from collector.incidents import incident as inc
from collector.incidents.draft import Draft
from collector.incidents.signal import INFO, VERDICT, Signal
from collector.incidents.words import name_of, titles
from collector.people.person import parse_span

if TYPE_CHECKING:
    from collector.incidents.course import Course

WAIT_MS = 10 * 60_000
"""A backlog comes in pieces: a digest is whole when nothing was added for so long."""
REASON = "digest"


def gather_late(course: Course, late: list[Signal]) -> list[tuple[str, Signal]]:
    """(uid, signal) of what is new to a digest; digests nothing more came for are finished."""
    memory = course.memory
    there = {signal.key for signal in late}
    memory.late = {key: since for key, since in memory.late.items() if key in there}
    found: list[tuple[str, Signal]] = []
    for signal in late:
        if memory.late.get(signal.key) == signal.since_ms:
            continue
        memory.late[signal.key] = signal.since_ms
        draft = _digest_of(course, signal)
        memory.digests[draft.uid] = course.now_ms
        found.append((draft.uid, signal))
    for uid, last_ms in list(memory.digests.items()):
        if course.now_ms - last_ms >= WAIT_MS:
            del memory.digests[uid]
            if uid in course.drafts:
                _finish(course, course.drafts[uid])
    return found


def daytime(hours: str, zone: str, now: datetime) -> datetime:
    """The next instant within the hours of a day; ``now`` where it is one."""
    span = parse_span(hours)
    if span is None:
        return now
    began, ended = span
    here = now.astimezone(ZoneInfo(zone))
    clock = here.time().replace(tzinfo=None)
    if began <= clock < ended if began < ended else clock >= began or clock < ended:
        return now
    day = here.date() if clock < began else here.date() + timedelta(days=1)
    return datetime.combine(day, time(began.hour, began.minute), ZoneInfo(zone)).astimezone(now.tzinfo)


def _digest_of(course: Course, signal: Signal) -> Draft:
    site = course.fleet.sites.get(signal.site)
    kind, name = ("hub", site.hub) if site is not None and site.hub else ("site", signal.site) if site else ("", "")
    key = f"digest:{kind}:{name}"
    for draft in course.drafts.values():
        if draft.incident.key == key and draft.incident.is_open:
            return draft
    told = Signal(
        key=key,
        source=VERDICT,
        severity=INFO,
        subject=(kind or "digest", name),
        site=name if kind == "site" else "",
        agency=site.agency if site is not None and kind == "site" else "",
        reason=REASON,
        since_ms=signal.since_ms,
        due_ms=None,
        affected=(),
        evidence=(),
        labels=(),
        annotations=(),
        is_active=True,
    )
    said = {
        language: titles("digest", place=name_of(kind, name, course.fleet, language) or "-")
        for language in ("ko", "en")
    }
    return course.open(told, is_digest=True, title_ko=said["ko"]["title_ko"], title_en=said["en"]["title_en"])


def _finish(course: Course, draft: Draft) -> None:
    draft.become(state=inc.RESOLVED, resolved_at=course.now, recovered_at=course.now)
    draft.note("resolved")
    draft.add(DIGEST, daytime(course.plan.digest_hours, course.plan.digest_timezone, course.now))
