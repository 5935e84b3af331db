"""Reports of an incident (장애 보고서): first, interim and final, as sections of lines, and as text to paste. Pure.

The times a report must have, and in which order: 발생, 인지, 전파, 조치, 복구. Official documents write a date as
``2026. 7. 31.`` and a time as ``08:10``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.escalation.queries import COMING, Summoned
from collector.fleet.registry import Fleet
from collector.incidents.incident import Event, Incident
from collector.incidents.lost_time import LostTime
from collector.incidents.words import catalog, name_of, phrase

FIRST, INTERIM, FINAL = "first", "interim", "final"
STAGES = (FIRST, INTERIM, FINAL)
MOST_NAMES = 20
MOST_EVENTS = 60


class Line(NamedTuple):
    """``name`` is empty where the text stands by itself."""

    name: str
    text: str


class Section(NamedTuple):
    title: str
    lines: tuple[Line, ...]


class Report(NamedTuple):
    title: str
    language: str
    sections: tuple[Section, ...]


def report(
    incident: Incident,
    events: Sequence[Event],
    stage: str,
    language: str,
    fleet: Fleet,
    now: datetime,
    zone: str = "Asia/Seoul",
    names: Mapping[str, str] | None = None,
    runbook: str = "",
    summoned: Sequence[Summoned] = (),
    lost: Sequence[LostTime] = (),
    *,
    tells_people: bool = False,
    related: Sequence[Incident] = (),
) -> Report:
    """``names``: of people, by id or login; ``zone``: whose clock times are told by; ``summoned``: who was called in;
    ``lost``: what was affected, with the time it was down; ``tells_people``: whether it names who was called; ``related``:
    what else happened at its site, as ``related.related_to`` has it."""
    assert stage in STAGES, stage
    told = (summoned, lost, tells_people, related)
    writing = _Writing(incident, language, fleet, now, ZoneInfo(zone), names or {}, *told)
    return writing.whole(events, stage, runbook)


def as_text(written: Report) -> str:
    """To paste into a messenger or a form."""
    parts = [f"[{written.title}]"]
    for section in written.sections:
        parts.append(f"\n■ {section.title}" if written.language == "ko" else f"\n* {section.title}")
        parts += [f"- {line.name}: {line.text}" if line.name else f"- {line.text}" for line in section.lines]
    return "\n".join(parts) + "\n"


class _Writing:
    def __init__(
        self,
        incident: Incident,
        language: str,
        fleet: Fleet,
        now: datetime,
        zone: ZoneInfo,
        names: Mapping[str, str],
        summoned: Sequence[Summoned],
        lost: Sequence[LostTime],
        tells_people: bool,
        related: Sequence[Incident],
    ) -> None:
        self._tells_people, self._related = tells_people, related
        self._summoned, self._lost = summoned, lost
        self._of = incident
        self._language = language
        self._t: Mapping[str, str] = catalog(language)["report"]
        self._fleet, self._now, self._zone, self._names = fleet, now, zone, names

    def whole(self, events: Sequence[Event], stage: str, runbook: str) -> Report:
        sections = [self._summary(), self._times(), self._impact(), self._people(runbook if stage != FINAL else "")]
        if self._lost:
            sections.insert(3, self._availability())
        if self._related:
            sections.insert(2, Section(self._t["related"], tuple(map(self._beside, self._related))))
        if stage != FIRST:
            sections.append(self._course(events))
        if stage == FINAL:
            sections.append(Section(self._t["cause"], (Line("", self._of.cause_text or self._t["unknown_cause"]),)))
            sections.append(Section(self._t["prevention"], (Line("", self._of.prevention_text or self._t["none"]),)))
            if self._of.recovered_at is None:
                sections.insert(0, self._not_over())
        return Report(self._t[stage], self._language, tuple(sections))

    def _not_over(self) -> Section:
        t = self._t
        return Section(t["not_over"], (Line("", t["not_over_text"].format(at=self._time(self._now))),))

    def _summary(self) -> Section:
        of, t = self._of, self._t
        place = name_of(of.subject_kind, of.subject_id, self._fleet, self._language) or t["none"]
        if of.site and of.subject_kind != "site":
            place = f"{name_of('site', of.site, self._fleet, self._language)}, {place}"
        return Section(
            t["summary"],
            (
                Line(t["number"], f"#{of.number}"),
                Line(t["title"], of.title(self._language)),
                Line(t["severity"], phrase(self._language, "severity", of.severity)),
                Line(t["priority"], f"P{of.priority}"),
                Line(t["state"], phrase(self._language, "incident_state", of.state)),
                Line(t["place"], place),
                Line(t["written"], self._time(self._now)),
            ),
        )

    def _beside(self, other: Incident) -> Line:
        when = self._t["before" if other.opened_at <= self._of.opened_at else "after"]
        return Line(f"#{other.number}", f"{other.title(self._language)} ({when}, {self._time(other.occurred_at)})")

    def _times(self) -> Section:
        of, t = self._of, self._t
        found = [
            Line(t[name], self._time(getattr(of, name)))
            for name in ("occurred_at", "acknowledged_at", "paged_at", "action_at", "recovered_at")
        ]
        lasted = self._lasted((of.recovered_at or self._now) - of.occurred_at)
        found.append(Line(t["duration"], lasted if of.recovered_at else t["going_on"].format(duration=lasted)))
        if of.fix_due_at is not None:
            left = of.fix_due_at - (of.recovered_at or self._now)
            text = t["left"] if left >= timedelta(0) else t["over"]
            said = text.format(at=self._time(of.fix_due_at), left=self._lasted(abs(left)))
            found.append(Line(t["fix_due_at"], said))
        return Section(t["times"], tuple(found))

    def _impact(self) -> Section:
        impact, t = self._of.impact, self._t
        found = []
        for kind, plural in (("site", "sites"), ("system", "systems"), ("host", "hosts")):
            ids = [each[0] if kind == "system" else each for each in impact.get(plural, ())]
            count = impact.get(f"{kind}_count", len(ids))
            if count:
                names = ", ".join(name_of(kind, each, self._fleet, self._language) for each in ids[:MOST_NAMES])
                found.append(
                    Line(t[plural], t["count"].format(count=count, names=names + (" …" if count > MOST_NAMES else "")))
                )
        grades = sorted(impact.get("grades", {}).items())
        if grades:
            said = ", ".join(t["grade"].format(grade=grade, count=count) for grade, count in grades)
            found.append(Line("", said))
        agencies = [self._fleet.agencies[each] for each in impact.get("agencies", ()) if each in self._fleet.agencies]
        if agencies:
            said = ", ".join(each.name_en if self._language == "en" else each.name_ko for each in agencies)
            found.append(Line(t["agencies"], said))
        for reason, site, count in impact.get("top", ()):
            place = f" ({name_of('site', site, self._fleet, self._language)})" if site else ""
            found.append(Line("", f"{phrase(self._language, 'reason', reason)}{place}: {count}"))
        return Section(t["impact"], tuple(found) or (Line("", t["none"]),))

    def _availability(self) -> Section:
        t, found = self._t, []
        for each in self._lost:
            down, unseen = (self._lasted(timedelta(seconds=s)) for s in (each.down_seconds, each.unseen_seconds))
            said = [t["down_for"].format(duration=down, share=f"{100 * each.month_ratio:.3f} %")]
            if each.unseen_seconds >= 60:
                said.append(t["unseen_for"].format(duration=unseen))
            found.append(Line(name_of(each.kind, each.id, self._fleet, self._language), ", ".join(said)))
        return Section(t["availability"], tuple(found))

    def _people(self, runbook: str) -> Section:
        of, t = self._of, self._t
        by = self._person(of.acknowledged_by)
        if of.acknowledged_for:
            by = t["acknowledged_for"].format(by=by, for_=self._person(of.acknowledged_for))
        found = [Line(t["acknowledged_by"], by), Line(t["assignee"], self._person(of.assignee))]
        if self._summoned:
            found.append(Line(t["summons"], self._called_in()))
        if runbook:
            found.append(Line(t["runbook"], runbook))
        return Section(t["people"], tuple(found))

    def _called_in(self) -> str:
        t, coming = self._t, [one for one in self._summoned if one.reply == COMING]
        said = ", ".join(
            f"{self._person(one.person)} ({t['reply_' + (one.reply or 'none')]})" for one in self._summoned[:MOST_NAMES]
        )
        return t["summoned"].format(called=len(self._summoned), coming=len(coming), people=said)

    def _course(self, events: Iterable[Event]) -> Section:
        found = []
        for event in list(events)[-MOST_EVENTS:]:
            kind = phrase(self._language, "incident_event", event.kind)
            said = str(event.data.get("text") or event.data.get("to") or self._merged(event) or self._called(event))
            who = f" {self._person(event.by)}" if event.by else ""
            found.append(Line(self._time(event.at), f"{kind}{who}" + (f": {said}" if said else "")))
        return Section(self._t["course"], tuple(found) or (Line("", self._t["none"]),))

    def _called(self, event: Event) -> str:
        people = event.data.get("people", ()) if self._tells_people and event.kind in ("paged", "fix_warning") else ()
        return ", ".join(self._person(str(one)) for one in people)

    def _merged(self, event: Event) -> str:
        title = event.data.get(f"title_{self._language}")
        return f"#{event.data['number']} {title}" if title and event.data.get("number") else ""

    def _person(self, name: str) -> str:
        return self._names.get(name, name) or self._t["none"]

    def _time(self, at: datetime | None) -> str:
        if at is None:
            return self._t["none"]
        here = at.astimezone(self._zone)
        if self._language == "ko":
            return f"{here.year}. {here.month}. {here.day}. {here:%H:%M}"
        return f"{here:%Y-%m-%d %H:%M} {here.tzname()}"

    def _lasted(self, span: timedelta) -> str:
        minutes = int(span.total_seconds()) // 60
        if minutes < 60:
            return self._t["minutes"].format(minutes=minutes)
        return self._t["hours"].format(hours=minutes // 60, minutes=minutes % 60)
