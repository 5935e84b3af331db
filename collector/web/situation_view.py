"""The daily situation report (일일상황보고) as sections of lines: a day by Korea time, from rows. Pure.

What is open and what ended, with its times (발생, 인지, 전파, 조치, 복구), how sites and systems stand, agreed
work, hand-over notes, how many were called, and the end of the audit log, which printed here proves later that it was not
cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from collector.incidents.incident import Incident
from collector.incidents.signal import SEVERITIES
from collector.rosters.queries import Handover
from collector.web import times
from collector.web.i18n import Words


class Line(NamedTuple):
    """``name`` is empty where the text stands by itself."""

    name: str
    text: str


class Section(NamedTuple):
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """What happened, read from rows; ``states`` = number of sites by state code, empty on a day that is over."""

    day: date
    opened: Sequence[Incident]
    open_at_end: Sequence[Incident]
    over: Sequence[Incident]
    """Those that ended on this day, whenever they began: with those open at its end, all there is to tell of, once."""
    states: Mapping[int, int]
    windows: Sequence[tuple[str, datetime, datetime]]
    handovers: Sequence[tuple[str, Handover]]
    calls: int
    called_for: Sequence[Incident | None]
    """Of each incident somebody was called for; None = it is older than what was looked at."""
    audit: tuple[int, str]


def span_of(day: date) -> tuple[datetime, datetime]:
    """Half-open, by Korea time."""
    began = datetime.combine(day, time(), times.KST)
    return began.astimezone(UTC), (began + timedelta(days=1)).astimezone(UTC)


def report(found: Day, t: Words, names: Callable[[str], str]) -> tuple[Section, ...]:
    def clock(at: datetime | None) -> str:
        if at is None:
            return "–"
        here = at.astimezone(times.KST)
        return f"{here:%H:%M}" if here.date() == found.day else f"{here:%m-%d %H:%M}"

    def one(incident: Incident) -> Line:
        texts = [f"{t('incident.' + name)} {clock(at)}" for name, at in _steps(incident)]
        who = incident.assignee or incident.acknowledged_by
        state = f"{t('severity.' + incident.severity)}, {t('incident_state.' + incident.state)}"
        head = f"#{incident.number} [{state}] {incident.title(t.language)}"
        return Line(head, " · ".join([*texts, *([names(who)] if who else [])]))

    sections = [
        Section(t("situation.summary"), tuple(_summary(found, t))),
        Section(t("situation.open"), _or_none([one(i) for i in found.open_at_end], t)),
        Section(t("situation.over"), _or_none([one(i) for i in found.over], t)),
        Section(
            t("situation.windows"),
            _or_none([Line(title, f"{clock(began)} – {clock(ended)}") for title, began, ended in found.windows], t),
        ),
        Section(
            t("situation.handovers"),
            _or_none(
                [
                    Line(
                        f"{roster} {clock(note.written_at)}",
                        f"{note.note} ({names(note.written_by)} → {names(note.received_by) or t('situation.waiting')})",
                    )
                    for roster, note in found.handovers
                ],
                t,
            ),
        ),
    ]
    if found.audit[1]:
        sections.append(Section(t("situation.audit"), (Line("", f"{found.audit[0]}:{found.audit[1]}"),)))
    return tuple(sections)


def as_text(title: str, sections: Iterable[Section], language: str) -> str:
    """To paste into a messenger or a form."""
    mark = "■" if language == "ko" else "*"
    parts = [f"[{title}]"]
    for section in sections:
        parts.append(f"\n{mark} {section.title}")
        parts += [f"- {line.name}: {line.text}" if line.name else f"- {line.text}" for line in section.lines]
    return "\n".join(parts) + "\n"


def official(day: date, t: Words) -> str:
    """``2026. 7. 31.(금)`` as official documents write it."""
    if t.language == "ko":
        return f"{day.year}. {day.month}. {day.day}.({t(f'weekday.{day.weekday()}')})"
    return f"{day:%Y-%m-%d} {t(f'weekday.{day.weekday()}')}"


def _summary(found: Day, t: Words) -> list[Line]:
    by = {name: sum(i.severity == name for i in found.opened) for name in SEVERITIES}
    counted = ", ".join(f"{t('severity.' + name)} {count}" for name, count in by.items() if count)
    acknowledged = sum(one is not None and one.acknowledged_at is not None for one in found.called_for)
    calls = {"calls": found.calls, "incidents": len(found.called_for), "acknowledged": acknowledged}
    lines = [
        Line(t("situation.count_opened"), f"{len(found.opened)}" + (f" ({counted})" if counted else "")),
        Line(t("situation.count_open"), str(len(found.open_at_end))),
        Line(t("situation.calls"), t("situation.calls_of", **calls) if found.calls else "0"),
    ]
    if found.states:
        said = ", ".join(
            f"{t(f'state.{code}')} {count}" for code, count in sorted(found.states.items(), reverse=True) if count
        )
        lines.append(Line(t("situation.sites"), said or "–"))
    return lines


def _steps(incident: Incident) -> tuple[tuple[str, datetime | None], ...]:
    return (
        ("occurred", incident.occurred_at), ("noticed", incident.acknowledged_at), ("told", incident.paged_at),
        ("acted", incident.action_at), ("recovered", incident.recovered_at),
    )  # fmt: skip


def _or_none(lines: Sequence[Line], t: Words) -> tuple[Line, ...]:
    return tuple(lines) or (Line("", t("app.none")),)
