"""What the page of silences shows, how its form is read, and what of incidents is silenced: values only, no words, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from collector.access.caller import Caller
from collector.alerts.alert import FiringAlert
from collector.alerts.matcher_words import read_matcher
from collector.alerts.silence import ACTIVE, EXPIRED, PENDING, Silence, Words
from collector.alerts.silence_desk import SilenceDesk
from collector.fleet.registry import Fleet
from collector.incidents.incident import Incident, SignalRow
from collector.pages.desk import labels_of

if TYPE_CHECKING:
    from collector.services import Services

SOON = timedelta(hours=1)
"""A silence that ends within so long is marked."""
ORDER = {ACTIVE: 0, PENDING: 1, EXPIRED: 2}
PICKED = {"alertname": "alert", "site": "site", "instance": "host", "severity": "severity"}
"""Labels that have a field of their own -> its name; any other matcher is written in words."""
MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """The form's first half: what is to be silenced, as it was filled in."""

    alert: str = ""
    site: str = ""
    host: str = ""
    severity: str = ""
    more: str = ""

    def words(self) -> Words:
        """As matchers. Raises BadMatcher."""
        picked = [(label, "=", getattr(self, name).strip()) for label, name in PICKED.items()]
        lines = [line.strip() for line in self.more.splitlines()[:MOST_WORDS]]
        return (*(word for word in picked if word[2]), *(read_matcher(line) for line in lines if line))


class Row(NamedTuple):
    silence: Silence
    state: str
    held: int
    """Alerts that fire now and that it holds back."""
    is_soon: bool


def asked_of(words: Words) -> Asked:
    """The form as it is filled in for these matchers."""
    picked: dict[str, str] = {}
    more = []
    for label, operator, value in words:
        name = PICKED.get(label, "")
        if operator == "=" and name and name not in picked:
            picked[name] = value
        else:
            more.append(shown(label, operator, value))
    return Asked(**picked, more="\n".join(more))


def shown(label: str, operator: str, value: str) -> str:
    """A matcher as it may be typed again."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}{operator}"{quoted}"'


def rows(silences: Iterable[Silence], firing: Sequence[FiringAlert], now: datetime) -> list[Row]:
    """Those that hold first, the one that ends soonest first."""
    labels: list[Mapping[str, str]] = [dict(one.labels) for one in firing]
    found = []
    for one in silences:
        state = one.state(now)
        held = sum(one.holds(each, now) for each in labels) if state == ACTIVE else 0
        found.append(Row(one, state, held, state == ACTIVE and one.ends_at - now <= SOON))
    found.sort(key=lambda row: (ORDER[row.state], row.silence.ends_at, row.silence.id))
    over = [row for row in found if row.state == EXPIRED]
    return [row for row in found if row.state != EXPIRED] + over[::-1]


def silence_desk(services: Services, caller: Caller) -> SilenceDesk | None:
    """Where silences are asked for, by those who may know why somebody is called or not; None where there is none."""
    desk: SilenceDesk | None = getattr(services.response, "silence_desk", None)
    may_know = caller.may("answer") or caller.may("audit")
    return desk if desk is not None and may_know and desk.is_in_use else None


def silenced_until(
    desk: SilenceDesk,
    found: Iterable[Incident],
    signals: Mapping[int, Sequence[SignalRow]],
    fleet: Fleet,
    now: datetime,
) -> dict[int, datetime]:
    """Number of each open incident of which nobody is called, for all that holds of it is silenced -> until when."""
    until = {
        one.number: desk.until([labels_of(one, each, fleet) for each in signals.get(one.number, ())], now)
        for one in found
        if one.is_open
    }
    return {number: at for number, at in until.items() if at is not None}
