"""The dead man's switch: a sign of life to somebody outside, who alarms when it stays away.

It is given only while the way from reports to people is whole: verdicts are made, the tasks on that way succeed, and,
where agents are being heard, what they send still becomes newer. A program that answers on its port and does nothing of
this stays silent.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from agent.link.exchange import Exchange, Failure, HttpExchange, Request
from collector.settings_alerts import WatchdogSettings
from collector.telemetry_alerts import AlertTelemetry

log = logging.getLogger(__name__)
SECONDS = 5.0
VERDICTS_LATE = timedelta(seconds=30)
TASK_LATE = timedelta(seconds=120)
NO_NEWS = timedelta(minutes=10)
GET_SECONDS = 10.0


class Pulse:
    """What keeps pages from leaving, in words; "" where nothing does."""

    def __init__(
        self,
        judged_at: Callable[[], datetime],
        task_at: Callable[[], Mapping[str, datetime]],
        tasks: tuple[str, ...],
        heard: Callable[[], tuple[int, int]],
    ) -> None:
        """``task_at``: when each task last succeeded; ``heard``: (agents being heard now, newest number of the log)."""
        self._judged_at = judged_at
        self._task_at = task_at
        self._tasks = tasks
        self._heard = heard
        self._newest = -1
        self._news_at: datetime | None = None

    def trouble(self, now: datetime) -> str:
        if now - self._judged_at() > VERDICTS_LATE:
            return f"no verdict was made since {self._judged_at():%H:%M:%S} UTC"
        done = self._task_at()
        for task in self._tasks:
            at = done.get(task)
            if at is None or now - at > TASK_LATE:
                return f"task {task} did not succeed lately"
        agents, newest = self._heard()
        if newest != self._newest or self._news_at is None or not agents:
            self._newest, self._news_at = newest, now
        if now - self._news_at > NO_NEWS:
            return f"{agents} agents are heard, and nothing of theirs was taken in since {self._news_at:%H:%M:%S} UTC"
        return ""


class Watchdog:
    def __init__(
        self,
        settings: WatchdogSettings,
        trouble: Callable[[datetime], str],
        page: Callable[[str, str, datetime], None],
        telemetry: AlertTelemetry,
        monotonic: Callable[[], float],
        exchange: Exchange | None = None,
    ) -> None:
        """``page(channel, address, now)`` puts a sign of life into the outbox."""
        self._settings = settings
        self._trouble = trouble
        self._page = page
        self._telemetry = telemetry
        self._exchange = exchange or HttpExchange(monotonic, ssl.create_default_context)
        self._given_at: datetime | None = None
        self._said = ""

    @property
    def is_set(self) -> bool:
        return bool(self._settings.url or self._settings.channel)

    def step(self, now: datetime) -> None:
        every = timedelta(seconds=self._settings.seconds)
        if self._given_at is not None and timedelta() <= now - self._given_at < every:
            return
        self._given_at = now
        trouble = self._trouble(now)
        if trouble:
            self._count("withheld")
            self._say(f"no sign of life is given: {trouble}")
            return
        if self._settings.channel:
            self._page(self._settings.channel, self._settings.address, now)
            self._count("queued")
        if self._settings.url:
            self._get(now)
        else:
            self._say("")

    def _get(self, now: datetime) -> None:
        scheme, _, rest = self._settings.url.partition("://")
        host, slash, path = rest.partition("/")
        answer = self._exchange(Request("GET", f"{scheme}://{host}", slash + path or "/", b"", (), GET_SECONDS))
        if isinstance(answer, Failure) or answer.status // 100 != 2:
            said = answer.text if isinstance(answer, Failure) else f"HTTP {answer.status}"
            self._count("failed")
            self._say(f"the receiver of signs of life was not reached: {said}")
            return
        self._count("sent")
        self._telemetry.watchdog_success.set(now.timestamp())
        self._say("")

    def _count(self, result: str) -> None:
        self._telemetry.watchdog.labels(result).inc()

    def _say(self, text: str) -> None:
        """Once, not every minute."""
        if text and text != self._said:
            log.error(text)
        elif self._said and not text:
            log.info("signs of life are given again")
        self._said = text
