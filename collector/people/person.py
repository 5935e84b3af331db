"""A person and a team as values, and when a person would rather sleep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

CHANNELS = ("email", "phone", "sms", "alimtalk", "webhook", "mattermost", "jandi", "naverworks", "slack", "teams",
            "telegram", "ntfy")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contact:
    channel: str
    address: str
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name_ko: str
    name_en: str
    login: str = ""
    agency: str = ""
    languages: tuple[str, ...] = ("ko",)
    timezone: str = "Asia/Seoul"
    quiet_hours: str = ""
    contacts: tuple[Contact, ...] = ()

    def is_quiet(self, at: datetime) -> bool:
        """Whether ``at`` (aware) falls into this person's quiet hours. The highest severity does not ask."""
        span = parse_span(self.quiet_hours)
        if span is None:
            return False
        began, ended = span
        here = at.astimezone(ZoneInfo(self.timezone)).time()
        return began <= here < ended if began < ended else here >= began or here < ended


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name_ko: str
    name_en: str
    agency: str = ""
    members: tuple[str, ...] = ()


def parse_span(text: str) -> tuple[time, time] | None:
    """``23:00-07:00`` -> its two times, the second perhaps of the next day; None where it is not that."""
    first, dash, last = text.partition("-")
    try:
        times = time.fromisoformat(first), time.fromisoformat(last)
    except ValueError:
        return None
    return times if dash and len(first) == len(last) == 5 and times[0] != times[1] else None
