"""A roster as a value: its layers, who belongs to it from when to when, and what was changed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import NamedTuple

from collector.fleet.paths import SiteCalendar

TURNS, CYCLE, SUN = "turns", "cycle", "sun"
KINDS = (TURNS, CYCLE, SUN)
ALL, OFFICE, OUTSIDE, WORKING, OFF = "all", "office", "outside", "working", "off"
ALWAYS, NEVER = "always", "never"
COVERS = (ALWAYS, OFFICE, NEVER)


class Slot(NamedTuple):
    """A shift of a cycle, such as D 07:00-19:00; ``ended`` not after ``began`` = on the next day."""

    letter: str
    began: time
    ended: time


@dataclass(frozen=True, slots=True)
class Layer:
    """One rule of who is on duty. ``crews`` are ids of people; everyone of a crew is on duty together."""

    name: str
    kind: str
    crews: tuple[tuple[str, ...], ...]
    starts: date
    ends: date | None = None
    """The first day on which it begins no shift any more."""
    handover: time = time(9)
    turn_hours: int = 24
    hours: str = ALL
    """``all``, ``office``, ``outside`` (of the roster's calendar) or ``HH:MM-HH:MM``."""
    days: str | tuple[int, ...] = ALL
    """``all``, ``working``, ``off``, or weekdays, 0 = Monday."""
    slots: tuple[Slot, ...] = ()
    cycle: tuple[str, ...] = ()
    """The first crew's days: letters of slots, ``-`` = off."""
    step_days: int = 1
    """By how many days each crew is behind the one before it."""
    sites: tuple[str, ...] = ()
    """Of a layer that follows the sun: crew n works at site n."""
    overtime_minutes: int = 0
    """How long a site stays after closing while no other is open."""


class Membership(NamedTuple):
    """From when until when (first day not any more) somebody belongs; None = open. Whoever begins a shift ends it."""

    person: str
    joined: date | None
    left: date | None


class Override(NamedTuple):
    """``out`` and ``instead``: a substitution. Only ``out``: an absence. Only ``instead``: somebody more."""

    id: int
    layer: str
    """Empty = in every layer."""
    out: str
    instead: str
    began_at: datetime
    ended_at: datetime
    reason: str = ""
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What rules stand on besides themselves: zones and calendars of sites, by id."""

    zones: Mapping[str, str] = field(default_factory=dict)
    calendars: Mapping[str, SiteCalendar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roster:
    id: str
    name_ko: str
    name_en: str
    agency: str
    """Whose it is; empty = the operating centre's."""
    agencies: tuple[str, ...]
    """For whose sites people are called (joint duty names several); empty = every agency."""
    sites: tuple[str, ...]
    """For which sites; empty = every site."""
    timezone: str
    calendar: str
    """The site whose days off and office hours count; empty = Saturday and Sunday off, 09:00-18:00."""
    cover: str
    """When somebody must be on duty: ``always``, ``office``, ``never``."""
    fallback: tuple[str, ...]
    """Who is called where nobody is on duty."""
    layers: tuple[Layer, ...]
    members: tuple[Membership, ...] = ()
    days_off: frozenset[date] = frozenset()
    """Besides the calendar's."""
    overrides: tuple[Override, ...] = ()


class Shift(NamedTuple):
    """``people`` are on duty in ``[began_at, ended_at)`` (aware, UTC) by ``layer``; ``slot`` is a cycle's letter, the
    site of one that follows the sun, or empty."""

    began_at: datetime
    ended_at: datetime
    people: tuple[str, ...]
    layer: str
    slot: str = ""
