"""Tells other Alertmanagers of this collector's alerts: one thread and one connection for each, so that one that is away
holds up no other.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta

import orjson

from agent.link.backoff import backoff_seconds
from agent.link.clock import Chance, Clock, SystemChance, Waiter
from agent.link.exchange import Exchange, Failure, HttpExchange, Request
from collector.alerts.alert import FiringAlert
from collector.alerts.alertmanager_json import posted_alert
from collector.alerts.outward import BATCH, GOOD_FOR_MS, Ledger
from collector.credentials import Login, SecretUnreadable, headers_of
from collector.settings_alerts import AlertmanagerTarget
from collector.store.schema import instant
from collector.telemetry_alerts import AlertTelemetry

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
STOP_SECONDS = 3.0
Alerts = Callable[[int], Iterable[FiringAlert]]
"""Those of ours at an instant in milliseconds, the lately resolved ones too."""


class Teller:
    """One other Alertmanager."""

    def __init__(
        self,
        target: AlertmanagerTarget,
        alerts: Alerts,
        clock: Clock,
        telemetry: AlertTelemetry,
        own_url: str,
        exchange: Exchange | None = None,
        chance: Chance | None = None,
    ) -> None:
        self._target = target
        self._login = Login(target.bearer_token_file, target.username, target.password_file, target.ca_file)
        self._alerts = alerts
        self._clock = clock
        self._telemetry = telemetry
        self._own_url = own_url
        self._exchange = exchange or HttpExchange(clock.monotonic, self._trust)
        self._chance = chance or SystemChance()
        self._ledger = Ledger()
        self._failures = 0
        self.trouble = ""
        telemetry.known(target.name)

    def step(self) -> float:
        """Tell it what is due; in how many seconds to look again."""
        now_ms = self._clock.wall_ms()
        due = self._ledger.due(self._alerts(now_ms), now_ms)
        for at in range(0, len(due), BATCH):
            some = due[at : at + BATCH]
            wait = self._send(some, now_ms)
            if wait:
                self._show()
                return wait
        self._show()
        return LOOK_SECONDS

    def _send(self, some: list[FiringAlert], now_ms: int) -> float:
        """0 where it took them or never will."""
        name = self._target.name
        ends_at = instant(now_ms) + timedelta(milliseconds=GOOD_FOR_MS)
        body = orjson.dumps([posted_alert(alert, ends_at, self._own_url) for alert in some])
        try:
            headers = (("content-type", "application/json"), *headers_of(self._login))
        except SecretUnreadable as why:
            return self._failed(some, str(why))
        url = self._target.url.rstrip("/")
        base, _, path = url.partition("://")
        host, slash, prefix = path.partition("/")
        seconds = self._target.timeout_seconds
        request = Request("POST", f"{base}://{host}", f"{slash}{prefix}/api/v2/alerts", body, headers, seconds)
        answer = self._exchange(request)
        if isinstance(answer, Failure):
            return self._failed(some, answer.text)
        if answer.status == 400:  # told again it would be refused again; the good ones of a batch were taken
            said = answer.body[:200].decode("utf-8", "replace")
            log.error("an Alertmanager refused alerts", extra={"alertmanager": name, "detail": said})
            self._telemetry.told.labels(name, "refused").inc(len(some))
        elif answer.status // 100 != 2:
            return self._failed(some, f"HTTP {answer.status}", answer.retry_after_seconds)
        else:
            self._telemetry.told.labels(name, "sent").inc(len(some))
            self._telemetry.success.labels(name).set(self._clock.wall_ms() / 1000)
            if self._failures:
                log.info("an Alertmanager is told again", extra={"alertmanager": name})
        self._ledger.sent(some, now_ms)
        self._failures, self.trouble = 0, ""
        return 0.0

    def _failed(self, some: list[FiringAlert], text: str, retry_after_seconds: float = 0.0) -> float:
        if not self._failures:
            log.warning(
                "an Alertmanager could not be told, trying again for ever",
                extra={"alertmanager": self._target.name, "detail": text},
            )
        self._failures += 1
        self.trouble = text
        self._telemetry.told.labels(self._target.name, "failed").inc(len(some))
        return max(LOOK_SECONDS, backoff_seconds(self._failures, self._chance), min(retry_after_seconds, 600.0))

    def _show(self) -> None:
        self._telemetry.lag.labels(self._target.name).set(self._ledger.lag_ms(self._clock.wall_ms()) / 1000)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._login.ca_file or None)


class Tellers:
    """All of them, each on its thread."""

    def __init__(self, tellers: Iterable[Teller]) -> None:
        self._tellers = tuple(tellers)
        self._waiters = [Waiter() for _ in self._tellers]
        self._threads: list[threading.Thread] = []
        self._is_stopping = False

    def start(self) -> None:
        for teller, waiter in zip(self._tellers, self._waiters, strict=True):
            thread = threading.Thread(target=self._run, args=(teller, waiter), name="alertmanager", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """What is under way may end by itself: it would only be said once more."""
        self._is_stopping = True
        for waiter in self._waiters:
            waiter.wake()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _run(self, teller: Teller, waiter: Waiter) -> None:
        while not self._is_stopping:
            try:
                wait = teller.step()
            except Exception:  # the border of this thread: whatever it met, the others and the next turn go on
                log.exception("a turn towards an Alertmanager failed, tried again in 5 s")
                wait = 5.0
            waiter.wait(wait)
