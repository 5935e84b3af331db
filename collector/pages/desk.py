"""What a page job looks at besides the incident itself: who is on duty, what is silenced or agreed, and where things stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from collector.alerts.outward import disturbance
from collector.fleet.registry import Fleet
from collector.incidents.incident import Incident, SignalRow
from collector.incidents.shift import called_for
from collector.pages.redact import OUTSIDE, alias
from collector.pages.wording import Matter, Passed
from collector.people.queries import Book
from collector.rosters.duty import Called, answer
from collector.rosters.roster import Ground, Roster
from collector.verdicts.standing import Standing

HOLE, UNWATCHED = "DutyHole", "ConsoleUnwatched"
"""Names of our own alerts of duty (관제 공백)."""


class HasWindows(Protocol):
    def active(self, now: datetime) -> Mapping[tuple[str, str], object]: ...


@dataclass(frozen=True, slots=True)
class Ways:
    """How pages leave: channels that are set up, those that leave the house, and where people answer."""

    configured: frozenset[str]
    secret: bytes
    base_url: str
    outside: frozenset[str] = OUTSIDE


@dataclass(frozen=True, slots=True)
class Desk:
    """Read once for all timers that are due together."""

    now: datetime
    fleet: Fleet
    standing: Standing
    rosters: Sequence[Roster]
    ground: Ground
    book: Book
    failing: frozenset[str]
    windows: Mapping[tuple[str, str], object]
    silenced: Callable[[Mapping[str, str], datetime], str]

    def called_for(self, incident: Incident) -> list[Called]:
        return called_for(incident, self.rosters, self.ground, self.fleet, self.now)

    def named(self) -> dict[str, Called]:
        """Every roster's answer, for steps that name one."""
        return {one.id: answer(one, self.ground, self.now) for one in self.rosters}

    def window(self, incident: Incident) -> str:
        """The agreed work that covers the incident's subject, or the place it is at."""
        places = [incident.subject, ("site", incident.site)]
        host = self.fleet.hosts.get(incident.subject_id) if incident.subject_kind == "host" else None
        if host is not None:
            places.append(("site", host.site))
        for place in places:
            found = self.windows.get(place)
            if found is not None:
                return f"{place[0]} {place[1]}, window {getattr(found, 'id', '')}".rstrip(", ")
        return ""

    def silence(self, incident: Incident, signals: Iterable[SignalRow]) -> str:
        """The silence that covers all that still holds of it; one that covers only a part silences nothing."""
        holds = [labels_of(incident, one, self.fleet) for one in signals if one.ended_at is None]
        found = [self.silenced(labels, self.now) for labels in holds]
        return found[0] if found and all(found) else ""

    def matter(
        self, kind: str, incident: Incident, signals: Iterable[SignalRow], base_url: str, percent: int
    ) -> Matter:
        site = self.fleet.sites.get(incident.site)
        notes: dict[str, str] = {}
        signals = list(signals)
        for one in signals:
            if one.ended_at is None and one.annotations and not notes:
                notes = dict(one.annotations)
        return Matter(
            kind,
            base_url,
            incident,
            alias(site.id, site.tags) if site is not None else "",
            site.timezone if site is not None else "",
            notes,
            percent,
            passed=passed_of(signals) if incident.is_digest else (),
        )


def passed_of(signals: Iterable[SignalRow]) -> tuple[Passed, ...]:
    """What a digest gathers, the oldest first."""
    found = []
    for one in signals:
        labels, notes = dict(one.labels), dict(one.annotations)
        name = labels.get("alertname", one.key)
        summary = notes.get("summary", "")
        place = labels.get("instance") or labels.get("site", "")
        found.append(
            Passed(one.first_at, one.ended_at, place, notes.get("summary_ko") or summary or name, summary or name)
        )
    return tuple(sorted(found, key=lambda one: (one.began_at, one.place)))


def labels_of(incident: Incident, signal: SignalRow, fleet: Fleet) -> dict[str, str]:
    """What silences are matched with. What a verdict concludes has the labels it is shown with to ``amtool``."""
    if signal.labels:
        return dict(signal.labels)
    if signal.key == incident.key:
        kind, name, reason = *incident.subject, incident.reason
    else:
        kind, _, name = signal.key.partition(":")
        reason = ""
    return dict(disturbance(kind, name, reason, signal.severity, 0, fleet).labels)
