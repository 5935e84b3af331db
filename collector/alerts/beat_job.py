"""The heartbeats' tick: whose grace is over is down. Silence while no collector was here excuses."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from collector.alerts.alert import FiringAlert
from collector.alerts.beat import Beat, alert_of, excused
from collector.alerts.beat_queries import down_lately, late, mark_down, watched, write_beat
from collector.alerts.queries import last_alive
from collector.fleet.registry import Registry
from collector.store.engine import Store

log = logging.getLogger(__name__)
SECONDS = 1.0


class BeatJob:
    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._down: tuple[Beat, ...] = ()
        self._was_away = False
        """The database was: calls could not be noted."""

    def restore(self, now: datetime) -> None:
        """Before the first step, and before anything of this process says that a collector runs."""
        with self._store.transaction() as connection:
            away_from = last_alive(connection)
            found = [one for beat in watched(connection) if (one := excused(beat, away_from, now)) is not None]
            for beat in found:
                write_beat(connection, beat)
            self._down = tuple(down_lately(connection, now))
        if found:
            log.warning(
                "heartbeats that may have come while no collector ran are waited for again",
                extra={"count": len(found), "away_from": away_from.isoformat() if away_from else ""},
            )

    def step(self, now: datetime) -> None:
        try:
            if self._was_away:
                self.restore(now)
                self._was_away = False
            self._look(now)
        except SQLAlchemyError:
            self._was_away = True
            raise

    def _look(self, now: datetime) -> None:
        with self._store.reading() as connection:
            silent = late(connection, now)
            down = tuple(down_lately(connection, now))
        for beat in silent:
            with self._store.transaction() as connection:
                is_down = mark_down(connection, beat, now)
            if is_down:
                log.warning("a heartbeat stayed away", extra={"beat": beat.id})
        if silent:
            with self._store.reading() as connection:
                down = tuple(down_lately(connection, now))
        self._down = down

    def alerts(self, _at: datetime) -> Iterable[FiringAlert]:
        """For the book; as of the last step."""
        fleet = self._registry.fleet
        return [alert_of(beat, fleet) for beat in self._down]
