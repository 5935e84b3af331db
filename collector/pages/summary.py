"""The daily summary: what was worth knowing and nobody was called for, in one calm message a day. Pure.

[요약] 정보 장애 건 3, 2026-11-22
- #41 08:12 호스트 srv1.abuja: 점검 항목이 경고 (복구 08:40)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.incidents.incident import OPEN, Incident
from collector.incidents.signal import INFO
from collector.pages import page as p
from collector.pages.drill import DAILY, drill_due
from collector.pages.page import Route
from collector.pages.wording import Worded
from collector.pages.words import say
from collector.people.person import Person
from collector.rosters.duty import covers
from collector.rosters.roster import Roster

SHOWN = 30


class Span(NamedTuple):
    """A day by somebody's clock, half-open."""

    from_at: datetime
    to_at: datetime


def span_due(clock: str, zone: str, now: datetime) -> Span | None:
    """The day whose summary is due now by the clock of ``zone``; None where none is."""
    if not clock:
        return None
    due_at = drill_due(DAILY, clock, zone, now)
    if due_at is None:
        return None
    place = ZoneInfo(zone)
    day = due_at.astimezone(place).date() - timedelta(days=1)
    before = datetime.combine(day, time.fromisoformat(clock), place).astimezone(due_at.tzinfo)
    return Span(before, due_at)


def told_of(incidents: Sequence[Incident], rosters: Sequence[Roster], span: Span) -> list[Incident]:
    """Those of the day that call nobody by themselves, at places these rosters are for; the oldest first."""
    found = [
        one
        for one in incidents
        if one.severity == INFO and not one.is_digest and span.from_at <= one.opened_at < span.to_at
        and any(covers(roster, one.site, one.agency) for roster in rosters)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.occurred_at, one.number))


def calm_ways(ways: Sequence[Route], outside: frozenset[str]) -> list[Route]:
    """E-mail before others; nothing that rings, or leaves the house: this wakes nobody."""
    inside = [way for way in ways if way.channel not in outside]
    return sorted(inside, key=lambda way: way.channel != "email")


def word_summary(found: Sequence[Incident], span: Span, person: Person, language: str, base_url: str) -> Worded:
    zone = ZoneInfo(person.timezone or "Asia/Seoul")
    day = f"{span.to_at.astimezone(zone):%Y-%m-%d}"
    still = sum(one.state in OPEN for one in found)
    subject = say(language, f"subject.{p.SUMMARY}", n=len(found), day=day)
    lines = [say(language, "summary.intro"), ""]
    for one in found[:SHOWN]:
        end = say(language, "summary.open")
        if one.recovered_at is not None:
            end = say(language, "summary.over", at=f"{one.recovered_at.astimezone(zone):%H:%M}")
        lines.append(f"- #{one.number} {one.occurred_at.astimezone(zone):%m-%d %H:%M} {one.title(language)} ({end})")
    if len(found) > SHOWN:
        lines.append(say(language, "summary.more", n=len(found) - SHOWN))
    lines += [
        "",
        say(language, "summary.still", n=still),
        say(language, "line.see", url=f"{base_url}/incidents?severity=info&state=all"),
    ]
    lines.append(say(language, "summary.clock", zone=zone.key))
    return Worded(subject, "\n".join(lines), subject, {"kind": p.SUMMARY})
