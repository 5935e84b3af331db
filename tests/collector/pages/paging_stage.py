"""Pages on a small stage: real rows, rosters, jobs and stages; senders that take what they are given, and a hand clock.

Sunday 2026-11-22, 08:00 UTC, 17:00 in Seoul. On duty everywhere: kim, then lee; boss is the fallback. park has the day off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from stage import TOPOLOGY

from collector.escalation.policy import SHIPPED, Policy, freeze
from collector.escalation.queries import add_timer
from collector.escalation.timer import RESOLVED, STEP
from collector.fleet.registry import Registry
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.incidents import queries as incidents
from collector.incidents.ending_queries import resolve
from collector.incidents.tables import incident_signals
from collector.incidents.tables import incidents as rows
from collector.pages.delivery import DeliveryJob
from collector.pages.desk import Ways
from collector.pages.job import PageJob
from collector.pages.page import Delivery
from collector.pages.queries import pages_of
from collector.pages.senders.base import Message
from collector.pages.why import IncidentWhy
from collector.pages.why_queries import why_of
from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.store.engine import Store
from collector.store.scope import EVERYTHING
from collector.telemetry import Telemetry
from collector.telemetry_pages import PageTelemetry
from collector.verdicts.standing import Standing

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECRET = b"s" * 32
ROSTERS = """
[[people]]
id = "kim"
name_ko = "김가람"
contacts = [{ channel = "email", address = "kim@example.org" }, { channel = "sms", address = "+82-10-1111-1111" }]
[[people]]
id = "lee"
name_en = "Lee Narae"
languages = ["en", "ko"]
timezone = "Africa/Lagos"
contacts = [{ channel = "sms", address = "+82-10-2222-2222" }, { channel = "email", address = "lee@example.org" }]
[[people]]
id = "park"
name_ko = "박다온"
contacts = [{ channel = "email", address = "park@example.org" }]
[[people]]
id = "boss"
name_ko = "부서장"
contacts = [{ channel = "email", address = "boss@example.org" }]
[[rosters]]
id = "noc"
name_ko = "종합상황실"
fallback = ["boss"]
[[rosters.layers]]
name = "main"
crews = [["kim"]]
starts = 2026-11-02
[[rosters.layers]]
name = "second"
crews = [["lee"]]
starts = 2026-11-02
[[rosters.layers]]
name = "days"
days = "working"
crews = [["park"]]
starts = 2026-11-02
"""


class HandChance:
    """The longest wait, each time."""

    def bytes(self, count: int) -> bytes:
        return b"\0" * count

    def uniform(self, _low: float, high: float) -> float:
        return high


@dataclass
class Taker:
    """A sender: keeps what it takes, and fails as it is told."""

    name: str
    taken: list[Message] = field(default_factory=list)
    tries: int = 0
    fails: Exception | None = None
    first: Callable[[Message], object] = lambda _message: None

    def send(self, message: Message) -> str:
        self.tries += 1
        self.first(message)
        if self.fails is not None:
            raise self.fails
        self.taken.append(message)
        return f"{self.name}-{len(self.taken)}"


class Dead(BaseException):
    """The process ends here."""


@dataclass
class PagingStage:
    store: Store
    now: datetime = START
    standing: Standing = field(default_factory=lambda: Standing(at_ms=1))
    windows: dict[tuple[str, str], Any] = field(default_factory=dict)
    silenced: Callable[[Mapping[str, str], datetime], str] = lambda _labels, _at: ""
    dies_at: str = ""
    _numbers: int = 0

    def __post_init__(self) -> None:
        with self.store.transaction() as connection:
            apply_topology(connection, read_topology(TOPOLOGY))
            apply_rosters(connection, read_rosters(ROSTERS))
            connection.execute(update(people_contacts).values(verified_at=START))
        self.registry = Registry(self.store)
        self.registry.refresh()
        self.senders = {name: Taker(name) for name in ("email", "sms")}
        self.restart()

    def restart(self) -> None:
        """A new process on the same rows."""
        self.telemetry = Telemetry("test")
        ways = Ways(frozenset(self.senders), SECRET, "https://bongsu.test")
        self.pages = PageJob(
            self.store,
            self.registry,
            ways,
            lambda: self.standing,
            self,
            lambda labels, at: self.silenced(labels, at),
            on_point=self.point,
        )
        self.deliveries = DeliveryJob(
            self.store,
            self.senders,
            SECRET,
            "https://bongsu.test",
            self,
            HandChance(),
            PageTelemetry(self.telemetry.registry, self.senders),
            on_point=self.point,
        )

    def point(self, name: str) -> None:
        if name == self.dies_at:
            raise Dead(name)

    def active(self, _now: datetime) -> Mapping[tuple[str, str], Any]:
        return self.windows

    def wall_ms(self) -> int:
        return round(self.now.timestamp() * 1000)

    def monotonic(self) -> float:
        return self.now.timestamp()

    def open(self, severity: str = "critical", site: str = "here", policy: Policy | None = None, **more: Any) -> int:
        """An incident that is due now."""
        self._numbers += 1
        chosen = policy or next(one for one in SHIPPED.policies if one.id == severity)
        values: dict[str, Any] = {
            "uid": f"{self._numbers:032x}", "key": f"site:{site}:{self._numbers}", "source": "verdict",
            "state": "triggered", "severity": severity, "priority": 2, "reason": "silent", "subject_kind": "site",
            "subject_id": site, "site": site, "agency": "owner", "title_ko": f"{site} 수신두절",
            "title_en": f"{site} no data", "occurred_at": self.now, "opened_at": self.now, "due_at": self.now,
            "acknowledged_by": "", "acknowledged_for": "", "assignee": "", "returns": 0, "impact": {}, "evidence": [],
            "policy": freeze(chosen), "cause_text": "", "prevention_text": "", "is_digest": False, "is_storm": False,
        } | more  # fmt: skip
        with self.store.transaction() as connection:
            made = connection.execute(insert(rows).values(**values))
            number = int(made.inserted_primary_key[0])  # type: ignore[index]
            signal = {"incident": number, "key": values["key"], "source": "verdict", "severity": severity}
            times = {"first_at": self.now, "last_at": self.now, "labels": [], "annotations": []}
            connection.execute(insert(incident_signals).values(**signal, **times))
            add_timer(connection, number, STEP, self.now)
        return number

    def resolve(self, number: int) -> None:
        with self.store.transaction() as connection:
            resolve(connection, number, "kim", self.now)

    def timer(self, number: int, kind: str = RESOLVED, step: int = 0) -> None:
        with self.store.transaction() as connection:
            add_timer(connection, number, kind, self.now, step)

    def acknowledge(self, number: int, by: str = "kim") -> None:
        with self.store.transaction() as connection:
            assert incidents.acknowledge(connection, number, by, self.now)

    def tick(self) -> None:
        self.pages.step(self.now)
        self.deliveries.step(self.now)

    def run(self, minutes: float, by_seconds: int = 20) -> None:
        """Time goes on, and the jobs look every so often."""
        end = self.now + timedelta(minutes=minutes)
        while self.now < end:
            self.tick()
            self.now += timedelta(seconds=by_seconds)
        self.tick()

    def rows(self, number: int) -> list[Delivery]:
        with self.store.reading() as connection:
            return pages_of(connection, number)

    def why(self, number: int) -> IncidentWhy:
        with self.store.reading() as connection:
            incident = incidents.find(connection, EVERYTHING, number)
            assert incident is not None
            return why_of(connection, incident, self.registry.fleet, self.now)

    def outcomes(self, number: int) -> dict[str, str]:
        return {one.person: one.outcome for one in self.why(number).people}

    def said(self, channel: str = "email") -> list[tuple[str, str]]:
        """(person, kind) of what a channel took."""
        return [(one.person, one.kind) for one in self.senders[channel].taken]

    def count(self, table: Any) -> int:
        with self.store.reading() as connection:
            return len(connection.execute(select(table)).all())
