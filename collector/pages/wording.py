"""What a page says: in the reader's language, by their clocks, and redacted for the channel it takes.

Inside, three parts: what happened, the likely cause, the next action, with the runbook; then when, by three clocks, and where to
answer. Outside, one line (``redact.py``). Pure; the address to answer at is put in when it is sent (``page.LINK``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.incidents.incident import Incident
from collector.pages import page as p
from collector.pages.advice import advice
from collector.pages.clocks import clocks
from collector.pages.senders.sms_text import plain
from collector.pages.words import say

MOST_SUBJECT = 200
MOST_PASSED = 30


class Passed(NamedTuple):
    """Something that came and went while nobody could know: a line of a digest."""

    began_at: datetime
    ended_at: datetime | None
    place: str
    text_ko: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What is told: an incident and what the registry knows of its place. ``incident`` None: a test and the like."""

    kind: str
    base_url: str
    incident: Incident | None = None
    alias: str = ""
    site_zone: str = ""
    annotations: Mapping[str, str] | None = None
    percent: int = 0
    """Of the time to fix, for a warning of it."""
    code: str = ""
    """What proves an address."""
    passed: tuple[Passed, ...] = ()
    """What a digest gathers, the oldest first."""


class Reader(NamedTuple):
    """``why``: a key of the texts under ``why``, or empty."""

    language: str
    timezone: str
    is_outside: bool
    why: str = ""


class Worded(NamedTuple):
    subject: str
    text: str
    short: str
    fields: Mapping[str, str]


def word(matter: Matter, reader: Reader, now: datetime) -> Worded:
    line = _outside_line(matter, reader.language)
    wants_answer = matter.kind in p.ANSWERED
    short = plain(f"{line} {p.LINK}" if wants_answer else line)
    if reader.is_outside:
        lines = [line, *_links(matter, reader.language)]
        return Worded(line, "\n".join(lines), short, _fields(matter, reader.language))
    incident = matter.incident
    if incident is None:
        lines = [say(reader.language, f"line.{matter.kind}")] if matter.kind in _OF_THEMSELVES else []
        return Worded(
            line, "\n".join([*lines, *_links(matter, reader.language)]), short, _fields(matter, reader.language)
        )
    subject = say(reader.language, f"subject.{matter.kind}", **_values(matter, reader.language))
    lines = [*_what(matter, incident, reader.language, reader.timezone), "", *_when(matter, incident, reader, now)]
    if reader.why:
        lines.append(say(reader.language, "line.why_you", why=say(reader.language, f"why.{reader.why}")))
    lines += ["", *_links(matter, reader.language)]
    return Worded(_one_line(subject), "\n".join(lines), short, _inside_fields(matter, incident, reader.language))


_OF_THEMSELVES = (p.TEST, p.VERIFY, p.HEARTBEAT)


def _outside_line(matter: Matter, language: str) -> str:
    if matter.kind == p.HEARTBEAT:
        return say(language, "line.heartbeat")
    return _one_line(say(language, f"outside.{matter.kind}", **_values(matter, language)))


def _values(matter: Matter, language: str) -> dict[str, object]:
    incident = matter.incident
    return {
        "severity": say(language, f"severity.{incident.severity}") if incident else "",
        "number": incident.number if incident else "",
        "title": incident.title(language) if incident else "",
        "alias": matter.alias,
        "percent": matter.percent,
        "code": matter.code,
    }


def _what(matter: Matter, incident: Incident, language: str, zone: str) -> list[str]:
    if matter.kind == p.RECOVERY:
        return [say(language, "line.what", text=incident.title(language))]
    if matter.kind == p.DIGEST and matter.passed:
        return [say(language, "line.what", text=incident.title(language)), "", *_passed(matter, language, zone)]
    found = advice(incident.reason, incident.subject_kind, matter.annotations or {}, language)
    lines = [
        say(language, "line.what", text=incident.title(language)),
        say(language, "line.cause", text=found.cause),
        say(language, "line.action", text=found.action),
    ]
    if found.runbook:
        url = f"{matter.base_url}{found.runbook}" if found.runbook.startswith("/") else found.runbook
        lines.append(say(language, "line.runbook", url=url))
    return lines


def _passed(matter: Matter, language: str, zone: str) -> list[str]:
    """Each by the reader's clock: it is long over, and only the order matters."""
    here = ZoneInfo(zone or matter.site_zone or "Asia/Seoul")
    lines = []
    for one in matter.passed[:MOST_PASSED]:
        ended = f"{one.ended_at.astimezone(here):%H:%M}" if one.ended_at is not None else ""
        text = (one.text_en if language == "en" else one.text_ko) or one.text_en
        lines.append(f"- {one.began_at.astimezone(here):%m-%d %H:%M}–{ended} {one.place} {text}".rstrip())
    if len(matter.passed) > MOST_PASSED:
        lines.append(say(language, "summary.more", n=len(matter.passed) - MOST_PASSED))
    return [*lines, say(language, "summary.clock", zone=here.key)]


def _when(matter: Matter, incident: Incident, reader: Reader, now: datetime) -> list[str]:
    """When it began and ended, what it reaches, who has it and how long is left."""
    language = reader.language
    lines = [_clocked("occurred", incident.occurred_at, matter, reader)]
    if matter.kind == p.RECOVERY and incident.recovered_at is not None:
        lines.append(_clocked("recovered", incident.recovered_at, matter, reader))
    sites, systems = (int(incident.impact.get(f"{what}_count", 0)) for what in ("site", "system"))
    if sites > 1 or systems:
        lines.append(say(language, "line.affected", sites=sites, systems=systems))
    if incident.assignee:
        lines.append(say(language, "line.assignee", who=incident.assignee))
    if matter.kind == p.FIX_WARNING and incident.fix_due_at is not None:
        left = int((incident.fix_due_at - now).total_seconds() // 60)
        lines.append(say(language, "line.remaining" if left >= 0 else "line.overdue", n=abs(left)))
    return lines


def _clocked(key: str, at: datetime, matter: Matter, reader: Reader) -> str:
    shown = clocks(at, matter.site_zone, reader.timezone, reader.language)
    return f"{say(reader.language, f'line.{key}')}: {shown}"


def _links(matter: Matter, language: str) -> list[str]:
    lines = []
    if matter.kind in p.ANSWERED:
        key = {p.SUMMONS: "answer_summons", p.TEST: "answer_test"}.get(matter.kind, "answer")
        lines.append(say(language, f"line.{key}", link=p.LINK))
    if matter.incident is not None:
        lines.append(say(language, "line.see", url=f"{matter.base_url}/incidents/{matter.incident.number}"))
    return lines


def _fields(matter: Matter, language: str) -> dict[str, str]:
    """What may go outside by name: a registered template takes these and no others."""
    values = _values(matter, language)
    named = {"severity": values["severity"], "number": values["number"], "site": matter.alias, "code": matter.code}
    return {name: str(value) for name, value in named.items() if value not in ("", None)} | {"kind": matter.kind}


def _inside_fields(matter: Matter, incident: Incident, language: str) -> dict[str, str]:
    found = {
        "title": incident.title(language),
        "reason": incident.reason,
        "state": incident.state,
        "uid": incident.uid,
        "agency": incident.agency,
        "subject": f"{incident.subject_kind}:{incident.subject_id}",
        "occurred_at": incident.occurred_at.isoformat(),
        "priority": str(incident.priority),
        "url": f"{matter.base_url}/incidents/{incident.number}",
    }
    return _fields(matter, language) | {"site": incident.site} | found


def _one_line(text: str) -> str:
    """No line of a title may end a header."""
    return " ".join(text.split())[:MOST_SUBJECT]
