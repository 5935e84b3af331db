"""The alerts' tick: learns what other processes took in, and forgets what is long over."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.alerts.book import AlertBook
from collector.alerts.queries import forget_received, note_alive
from collector.alerts.silence import Silences
from collector.alerts.silence_queries import Stamp, all_silences, forget_silences, stamp
from collector.store.engine import Store

SECONDS = 1.0
ALIVE = timedelta(seconds=10)
FORGET = timedelta(minutes=5)
KEPT = timedelta(minutes=45)
"""After its end; whoever opens incidents hears of it for a quarter of an hour."""


class AlertJob:
    def __init__(self, store: Store, book: AlertBook, silences: Silences) -> None:
        self._store = store
        self._book = book
        self._silences = silences
        self._stamp: Stamp = (-1, None)
        self._alive_at: datetime | None = None
        self._forgot_at: datetime | None = None

    def restore(self) -> None:
        self._book.restore()
        self._look()

    def step(self, now: datetime) -> None:
        self._book.refresh()
        self._look()
        if self._alive_at is None or not timedelta() <= now - self._alive_at < ALIVE:
            with self._store.transaction() as connection:
                note_alive(connection, now)
            self._alive_at = now
        if self._forgot_at is None or not timedelta() <= now - self._forgot_at < FORGET:
            before_ms = round((now - KEPT).timestamp() * 1000)
            with self._store.transaction() as connection:
                forget_received(connection, before_ms)
                forget_silences(connection, now)
            self._book.forget(before_ms)
            self._forgot_at = now

    def _look(self) -> None:
        with self._store.reading() as connection:
            newest = stamp(connection)
            if newest != self._stamp:
                self._silences.replace(all_silences(connection))
                self._stamp = newest
