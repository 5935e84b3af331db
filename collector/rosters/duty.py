"""Who is on duty at an instant, when nobody is, and whom one would call for a site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from collector.fleet.calendar import working_spans
from collector.rosters.roster import ALWAYS, NEVER, Ground, Roster, Shift
from collector.rosters.shifts import calendar_of, is_off, shifts
from collector.rosters.wall import begins

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """A layer at an instant: who, and until when that stays so by the shifts they are in."""

    layer: str
    shifts: tuple[Shift, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Each once, in the order of shifts."""
        return tuple(dict.fromkeys(person for shift in self.shifts for person in shift.people))


@dataclass(frozen=True, slots=True)
class Called:
    """What one roster answers for a site at an instant; ``is_hole`` = nobody is on duty, so ``fallback`` is called."""

    roster: Roster
    duties: tuple[Duty, ...]
    is_hole: bool
    fallback: tuple[str, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """In the order of calling."""
        on_duty = tuple(dict.fromkeys(person for duty in self.duties for person in duty.people))
        return on_duty or self.fallback


def on_duty(roster: Roster, ground: Ground, at: datetime) -> tuple[Duty, ...]:
    """Layers with anybody on duty at ``at``, in the roster's order."""
    now = shifts(roster, ground, at, at + INSTANT)
    found = ((layer.name, tuple(shift for shift in now if shift.layer == layer.name)) for layer in roster.layers)
    return tuple(Duty(name, some) for name, some in found if some)


def holes(roster: Roster, ground: Ground, from_at: datetime, to_at: datetime) -> list[tuple[datetime, datetime]]:
    """Spans of ``[from_at, to_at)`` in which somebody must be on duty and nobody is (관제 공백), in order."""
    if roster.cover == NEVER or not roster.layers:
        return []
    first = min(begins(datetime.combine(layer.starts, layer.handover), roster.timezone) for layer in roster.layers)
    # Before its first hand-over a roster promises nothing.
    from_at = max(from_at, first)
    if from_at >= to_at:
        return []
    covered = [(shift.began_at, shift.ended_at) for shift in shifts(roster, ground, from_at, to_at)]
    wanted = [(from_at, to_at)] if roster.cover == ALWAYS else _office(roster, ground, from_at, to_at)
    return [span for began, ended in wanted for span in _left(began, ended, covered)]


def called(rosters: Iterable[Roster], ground: Ground, site: str, agency: str, at: datetime) -> list[Called]:
    """Every roster for this site, the most particular first: one that names the site, then its agency, then the rest."""
    meant = [roster for roster in rosters if covers(roster, site, agency)]
    meant.sort(key=lambda roster: (not roster.sites, not roster.agencies, roster.id))
    return [answer(roster, ground, at) for roster in meant]


def answer(roster: Roster, ground: Ground, at: datetime) -> Called:
    duties = on_duty(roster, ground, at)
    is_hole = not duties and bool(holes(roster, ground, at, at + INSTANT))
    return Called(roster, duties, is_hole, () if duties else roster.fallback)


def covers(roster: Roster, site: str, agency: str) -> bool:
    """Whether people of this roster are called for a site of an agency."""
    return (not roster.sites or site in roster.sites) and (not roster.agencies or agency in roster.agencies)


def _office(roster: Roster, ground: Ground, from_at: datetime, to_at: datetime) -> list[tuple[datetime, datetime]]:
    zone = ZoneInfo(roster.timezone)
    spans = working_spans(calendar_of(roster, ground), zone, from_at, to_at)
    return [(began, ended) for began, ended in spans if not is_off(roster, ground, began.astimezone(zone).date())]


def _left(
    began: datetime, ended: datetime, covered: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What of one span no other covers."""
    found = []
    for start, end in sorted(covered):
        if end <= began:
            continue
        if start >= ended:
            break
        if start > began:
            found.append((began, start))
        began = max(began, end)
    if began < ended:
        found.append((began, ended))
    return found
