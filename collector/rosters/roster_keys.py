"""The keys of every table of the file of rosters: default, what is right, and what is expected in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from collector.fleet.calendar import WEEKDAYS
from collector.fleet.topology_keys import NAME, NAME_WORDS, Key
from collector.people.person import CHANNELS, parse_span
from collector.rosters.patterns import ALSO_CALLED, PATTERNS
from collector.rosters.roster import ALL, COVERS, KINDS, OFF, OFFICE, OUTSIDE, WORKING

MEMBER = re.compile(r"@?[a-z0-9][a-z0-9-]{0,62}")
TURN = re.compile(r"daily|weekly|[1-9]\d{0,3}[hdw]")
UNIT_HOURS = {"h": 1, "d": 24, "w": 168}
LANGUAGES = ("ko", "en")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most and value.isprintable()


def _list(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(is_right(each) for each in value)


def _is_member(value: Any) -> bool:
    return isinstance(value, str) and MEMBER.fullmatch(value) is not None


def _is_date(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_clock(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 5 and time.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_span(value: Any) -> bool:
    return isinstance(value, str) and parse_span(value) is not None


def _is_days(value: Any) -> bool:
    return value in (ALL, WORKING, OFF) or (bool(value) and _list(lambda day: day in WEEKDAYS)(value))


def _is_slots(value: Any) -> bool:
    return isinstance(value, dict) and all(len(letter) == 1 and _is_span(span) for letter, span in value.items())


def _optional(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value == "" or is_right(value)


ID = Key(None, _is_name, NAME_WORDS)
TEXT = Key("", _text(200), "text of up to 200 characters")
AGENCY = Key("", _optional(_is_name), "the id of an agency, or '' for the operating centre")
ZONE = Key("Asia/Seoul", _text(64), "the name of a time zone, such as 'Asia/Seoul'")
IDS = Key((), _list(_is_name), "a list of ids")
MEMBERS = Key((), _list(_is_member), "a list of ids of people, or @ and the id of a team")
NAMED = {"id": ID, "name_ko": TEXT, "name_en": TEXT, "agency": AGENCY}
DATE = Key("", _optional(_is_date), "a date, such as 2026-03-01 (without quotes)")

PEOPLE: Mapping[str, Key] = {
    **NAMED,
    "login": Key("", _text(64), "the name of a user of the collector, or '' for none"),
    "languages": Key(("ko",), _list(lambda one: one in LANGUAGES), "a list of 'ko' and 'en', the preferred one first"),
    "timezone": ZONE,
    "quiet_hours": Key("", _optional(_is_span), "two local times such as '23:00-07:00', or '' for none"),
    "contacts": Key((), _list(lambda one: isinstance(one, dict)), "a list of { channel = …, address = … }"),
}
CONTACTS: Mapping[str, Key] = {
    "channel": Key(None, lambda value: value in CHANNELS, f"one of {', '.join(CHANNELS)}"),
    "address": Key(None, lambda v: _text(400)(v) and v != "", "text of 1 to 400 characters"),
}
TEAMS: Mapping[str, Key] = {**NAMED, "members": IDS}
ROSTERS: Mapping[str, Key] = {
    **NAMED,
    "agencies": IDS,
    "sites": IDS,
    "timezone": ZONE,
    "calendar": Key("", _optional(_is_name), "the id of a site, or '' for Saturday and Sunday off, 09:00-18:00"),
    "cover": Key("always", lambda value: value in COVERS, f"one of {', '.join(COVERS)}"),
    "fallback": MEMBERS,
    "layers": Key(None, _list(lambda one: isinstance(one, dict)), "tables, each written [[rosters.layers]]"),
    "members": Key((), _list(lambda one: isinstance(one, dict)), "tables, each written [[rosters.members]]"),
}
LAYERS: Mapping[str, Key] = {
    "name": ID,
    "kind": Key("turns", lambda value: value in KINDS, f"one of {', '.join(KINDS)}"),
    "crews": Key(None, _list(lambda one: isinstance(one, list) and _list(_is_member)(one)),
                 'a list of crews, each a list of ids: [["kim"], ["lee", "@night"]]'),
    "starts": Key(None, _is_date, "a date, such as 2026-01-05 (without quotes)"),
    "ends": DATE,
    "handover": Key("09:00", _is_clock, "a local time such as '09:00'"),
    "turn": Key("daily", lambda v: isinstance(v, str) and TURN.fullmatch(v) is not None,
                "'daily', 'weekly', or a number of hours, days or weeks such as '12h', '3d', '2w'"),
    "hours": Key("all", lambda v: v in (ALL, OFFICE, OUTSIDE) or _is_span(v),
                 "'all', 'office', 'outside', or two local times such as '18:00-09:00'"),
    "days": Key("all", _is_days, f"'all', 'working', 'off', or a list of {', '.join(WEEKDAYS)}"),
    "pattern": Key("", lambda v: v == "" or v in PATTERNS or v in ALSO_CALLED,
                   f"one of {', '.join((*PATTERNS, *ALSO_CALLED))}, or '' with cycle, step_days and slots of your own"),
    "cycle": Key("", lambda v: _text(400)(v), "letters of slots, '-' for a day off, such as 'D D N N - - - -'"),
    "step_days": Key(0, lambda v: type(v) is int and 0 <= v <= 400, "a number of days, 1 to 400"),
    "slots": Key((), _is_slots, "letters with their hours, such as { D = '08:00-20:00', N = '20:00-08:00' }"),
    "sites": IDS,
    "overtime_minutes": Key(0, lambda v: type(v) is int and 0 <= v <= 1440, "a number of minutes, 0 to 1440"),
}  # fmt: skip
MEMBERSHIPS: Mapping[str, Key] = {"person": ID, "joined": DATE, "left": DATE}


def turn_hours(turn: str) -> int:
    """Hours of wall time of ``daily``, ``weekly``, ``12h``, ``3d``, ``2w``."""
    usual = {"daily": 24, "weekly": 168}
    return usual[turn] if turn in usual else int(turn[:-1]) * UNIT_HOURS[turn[-1]]
