"""Every alert that fires, or was over just now, whoever found it: the one place incidents are made from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from collector.alerts.alert import OWN_SOURCES, FiringAlert, firing, from_rule, place_of
from collector.alerts.queries import find_received, received, write_received, written_since
from collector.alerts.received import BadAlert, Received, Sent, merged
from collector.fleet.registry import Registry
from collector.rules.alert import KEEP_RESOLVED_MS
from collector.rules.queries import fingerprint
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope

if TYPE_CHECKING:
    from collector.rules.job import GroupState, RuleJob

OVERLAP_MS = 60_000
"""Other processes' clocks may be behind by so much before their news are overlooked."""
MOST_KNOWN = 50_000
"""Alerts of others; more are refused."""


class AlertBook:
    """``now`` may be asked from any thread. What this process takes in is in the book at once, what others on the same
    database take in when ``refresh`` is called."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        rules: RuleJob,
        beats: Callable[[datetime], Iterable[FiringAlert]] = lambda _at: (),
    ) -> None:
        """``beats``: what heartbeats that stayed away, and other parts that are no rules, say."""
        self._store = store
        self._registry = registry
        self._rules = rules
        self._beats = beats
        self._lock = threading.Lock()
        self._received: dict[bytes, Received] = {}
        self._newest_ms = 0
        self._placed: dict[bytes, tuple[Received, int, FiringAlert]] = {}
        self._of_groups: dict[str, tuple[GroupState, int, tuple[FiringAlert, ...]]] = {}

    def restore(self) -> None:
        with self._store.reading() as connection:
            self.learn(received(connection).values())

    def refresh(self) -> None:
        """Read what other processes took in; what this one wrote is not read again."""
        with self._store.reading() as connection:
            written = written_since(connection, self._newest_ms - OVERLAP_MS)
            with self._lock:
                new = [
                    name
                    for name, at_ms in written
                    if (known := self._received.get(name)) is None or known.updated_at_ms < at_ms
                ]
            self.learn(find_received(connection, new).values())

    def learn(self, alerts: Iterable[Received]) -> None:
        """These were written; of two about one alert the newer holds."""
        with self._lock:
            for alert in alerts:
                known = self._received.get(alert.fingerprint)
                if known is None or known.updated_at_ms <= alert.updated_at_ms:
                    self._received[alert.fingerprint] = alert
                self._newest_ms = max(self._newest_ms, alert.updated_at_ms)

    def forget(self, before_ms: int) -> None:
        """Drop what was over before an instant."""
        with self._lock:
            gone = [
                name for name, alert in self._received.items() if (alert.over_ms(before_ms) or before_ms) < before_ms
            ]
            for name in gone:
                del self._received[name]
                self._placed.pop(name, None)

    def take(
        self,
        sent: Iterable[Sent],
        source: str,
        sender: str,
        now: datetime,
        lasts_ms: int | None,
        scope: Scope = EVERYTHING,
    ) -> list[str]:
        """Keep what was sent, in one transaction; why some of it was not. ``lasts_ms``: see ``received.merged``.

        What this collector found out itself is not taken from elsewhere: it came back to us from an Alertmanager.
        """
        own = {alert.fingerprint for alert in self.own(now)}
        wrong: list[str] = []
        welcome: dict[bytes, Sent] = {}
        for one in sent:
            place = place_of(dict(one.labels), self._registry.fleet)
            if not scope.allows(place.agency, place.site):
                wrong.append(f"{_shown(one)}: belongs to no agency and site that this token may speak for")
            elif (name := fingerprint(one.labels)) not in own:
                welcome[name] = one
        now_ms = round(now.timestamp() * 1000)
        with self._store.transaction() as connection:
            before = find_received(connection, list(welcome))
            taken: list[Received] = []
            for name, one in welcome.items():
                known = before.get(name)
                if known is not None and known.source in OWN_SOURCES:
                    continue
                if known is None and self.size + len(taken) >= MOST_KNOWN:
                    wrong.append(f"{_shown(one)}: {MOST_KNOWN} alerts are known already")
                    continue
                try:
                    taken.append(merged(known, one, source, sender, now_ms, lasts_ms))
                except BadAlert as why:
                    wrong.append(f"{_shown(one)}: {why}")
            write_received(connection, taken)
        self.learn(taken)
        return wrong

    @property
    def size(self) -> int:
        """Alerts of others that are known."""
        return len(self._received)

    def known(self, name: bytes) -> Received | None:
        """An alert of others by its fingerprint."""
        return self._received.get(name)

    def now(self, at: datetime) -> tuple[FiringAlert, ...]:
        """What fires, and what was over within the last quarter of an hour. Of two with the same labels the collector's
        own is the one."""
        at_ms = round(at.timestamp() * 1000)
        found = {alert.fingerprint: alert for alert in self.own(at)}
        fleet = self._registry.fleet
        with self._lock:
            alerts = list(self._received.values())
        for alert in alerts:
            over_ms = alert.over_ms(at_ms)
            if alert.fingerprint in found or (over_ms is not None and at_ms - over_ms > KEEP_RESOLVED_MS):
                continue
            placed = self._place(alert, fleet.version)
            found[alert.fingerprint] = placed if over_ms is None else placed._replace(ended_at_ms=over_ms)
        return tuple(found.values())

    def own(self, at: datetime) -> tuple[FiringAlert, ...]:
        """Those of rules and of heartbeats."""
        at_ms, fleet = round(at.timestamp() * 1000), self._registry.fleet
        found: list[FiringAlert] = []
        for key, state in list(self._rules.states.items()):
            kept = self._of_groups.get(key)
            if kept is None or kept[0] is not state or kept[1] != fleet.version:
                alerts = [from_rule(alert, fleet) for rule in state.rules for alert in rule.alerts.values()]
                kept = (state, fleet.version, tuple(alert for alert in alerts if alert is not None))
                self._of_groups[key] = kept
            found += [
                alert for alert in kept[2] if alert.ended_at_ms is None or at_ms - alert.ended_at_ms <= KEEP_RESOLVED_MS
            ]
        return (*found, *self._beats(at))

    def _place(self, alert: Received, version: int) -> FiringAlert:
        kept = self._placed.get(alert.fingerprint)
        if kept is None or kept[0] is not alert or kept[1] != version:
            placed = firing(
                alert.source,
                alert.labels,
                alert.annotations,
                self._registry.fleet,
                alert.started_at_ms,
                None,
                is_backfilled=alert.is_backfilled,
                generator_url=alert.generator_url,
                updated_at_ms=alert.updated_at_ms,
            )
            kept = (alert, version, placed)
            self._placed[alert.fingerprint] = kept
        return kept[2]


def _shown(sent: Sent) -> str:
    return "{" + ", ".join(f"{name}={value!r}" for name, value in sent.labels[:6]) + "}"
