"""Incidents from signals told by hand, through the real job and real rows. Times are seconds after ``START``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from stage import TOPOLOGY

from collector.escalation.policy import SHIPPED, Plan
from collector.escalation.policy_file import rows_of
from collector.escalation.queries import claim, due, pending
from collector.escalation.tables import escalation_policy
from collector.fleet.registry import Registry
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.incidents.incident import Incident
from collector.incidents.job import IncidentJob
from collector.incidents.queries import events_of, list_incidents, mark_paged
from collector.incidents.signal import CRITICAL, VERDICT, WARNING, Signal
from collector.store.engine import Store
from collector.store.scope import EVERYTHING

START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)


def verdict(key: str, since: int = 0, due: int | None = 30, severity: str = CRITICAL, **more: Any) -> Signal:
    kind, _, name = key.partition(":")
    told: dict[str, Any] = {
        "site": name if kind == "site" else name.partition(".")[2] if kind == "host" else "",
        "agency": "",
        "reason": "silent",
        "affected": (),
        "evidence": (),
        "labels": (),
        "annotations": (),
        "is_active": True,
        "hides": True,
    } | more
    due_ms = None if due is None else START_MS + (since + due) * 1000
    return Signal(
        key=key,
        source=VERDICT,
        severity=severity,
        subject=(kind, name),
        since_ms=START_MS + since * 1000,
        due_ms=due_ms,
        **told,
    )


def alert(name: str, subject: tuple[str, str], since: int = 0, severity: str = WARNING, **more: Any) -> Signal:
    site = subject[1].partition(".")[2] if subject[0] == "host" else subject[1] if subject[0] == "site" else ""
    told: dict[str, Any] = {
        "reason": name,
        "affected": (),
        "evidence": (),
        "labels": (("alertname", name),),
        "annotations": (("summary", f"{name} of {subject[1]}"),),
        "is_active": True,
    } | more
    return Signal(
        key=f"alert:{name}:{subject[1]}",
        source="rule",
        severity=severity,
        subject=subject,
        site=site,
        agency="",
        since_ms=START_MS + since * 1000,
        due_ms=START_MS + since * 1000 + 30_000,
        **told,
    )


@dataclass
class Told:
    """``signals`` hold until they are changed; ``at`` moves time and looks; ``paged`` are the pages there would be."""

    store: Store
    plan: Plan = SHIPPED
    signals: list[Signal] = field(default_factory=list)
    is_unjudged: bool = False
    now: datetime = START
    worked: frozenset[tuple[str, str]] = frozenset()
    """(kind, id) of what agreed work goes on at."""
    paged: list[tuple[int, int, str]] = field(default_factory=list)
    """(second, incident, kind of timer) as they came due."""

    def __post_init__(self) -> None:
        with self.store.transaction() as connection:
            apply_topology(connection, read_topology(TOPOLOGY))
            if self.plan is not SHIPPED:
                connection.execute(escalation_policy.insert().values(id=1, definition=rows_of(self.plan)))
        self.registry = Registry(self.store)
        self.registry.refresh()
        self.restart()

    def restart(self) -> None:
        self.job = IncidentJob(
            self.store,
            self.registry,
            lambda _now, _plan: (self.signals, self.is_unjudged),
            is_worked_on=lambda kind, name: (kind, name) in self.worked,
        )

    def at(self, second: int, *signals: Signal) -> None:
        """What holds from then on."""
        self.now = START + timedelta(seconds=second)
        self.signals = list(signals)
        self.job.step(self.now)
        self.send()

    def until(self, second: int, by: int = 10) -> None:
        """The same goes on."""
        while self.now < START + timedelta(seconds=second):
            self.now += timedelta(seconds=by)
            self.job.step(self.now)
            self.send()

    def send(self) -> None:
        """As pages would: every timer due is one page, and the first step says that it went out."""
        with self.store.reading() as connection:
            if not due(connection, self.now, 1):
                return
        with self.store.transaction() as connection:
            for timer in due(connection, self.now, 100):
                assert claim(connection, timer.id, self.now)
                assert timer.incident is not None
                self.paged.append((int((self.now - START).total_seconds()), timer.incident, timer.kind))
                if timer.kind == "step":
                    mark_paged(connection, timer.incident, self.now)

    def all(self) -> list[Incident]:
        """By number, merged ones too."""
        with self.store.reading() as connection:
            return list_incidents(connection, EVERYTHING, with_merged=True, limit=1000)[::-1]

    def one(self) -> Incident:
        (found,) = [each for each in self.all() if each.merged_into is None]
        return found

    def events(self, number: int) -> list[str]:
        with self.store.reading() as connection:
            return [event.kind for event in events_of(connection, number)]

    def waiting(self, number: int) -> list[tuple[str, int]]:
        """(kind, second) of what it waits for."""
        with self.store.reading() as connection:
            return [(t.kind, int((t.due_at - START).total_seconds())) for t in pending(connection, number)]


def ended(signal: Signal, second: int) -> Signal:
    return replace_(signal, is_active=False, ended_ms=START_MS + second * 1000)


def replace_(signal: Signal, **values: Any) -> Signal:
    return signal._replace(**values)


__all__ = ["START", "Told", "alert", "ended", "replace", "replace_", "verdict"]
