"""Retention: what is too old goes, a little at a time, so that the writer's lock is never held long."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from collector.history.queries import delete_chunks, delete_envelopes, old_envelopes
from collector.store.engine import Store

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
KEEP_HOURS = 24
AT_ONCE = 1_000


class RetentionJob:
    """Deletes chunks older than ``raw_days``, and envelopes that are chunked and older than ``keep_hours``.

    Envelopes are kept a while after they are chunked because they, not the chunks, prove what an agent signed; and as
    long as ``still_needed`` says of their id that somebody has to send them on, but no longer than ``raw_days``.
    """

    def __init__(
        self,
        store: Store,
        raw_days: int,
        keep_hours: int = KEEP_HOURS,
        still_needed: Callable[[int], bool] = lambda _id: False,
        must_keep: Callable[[int], bool] | None = None,
        ages: Sequence[Callable[[datetime], int]] = (),
        others: Mapping[str, Callable[[datetime], int]] = MappingProxyType({}),
    ) -> None:
        """``must_keep``: rows that stay whatever their age, because nobody else has them. ``ages``: what becomes of
        chunks instead of their deletion at ``raw_days``; each says how many rows it took on. ``others``: what else deletes by age, by what it deletes."""
        self._others = others
        self._ages = ages
        self._must_keep = must_keep or (lambda _id: False)
        self._store = store
        self._still_needed = still_needed
        self._raw_ms = raw_days * DAY_MS
        self._keep_ms = keep_hours * HOUR_MS

    def step(self, now: datetime) -> None:
        now_ms = round(now.timestamp() * 1000)
        chunks = sum(age(now) for age in self._ages) if self._ages else self._chunks(now_ms - self._raw_ms)
        envelopes = self._envelopes(now_ms)
        deleted = {"chunks": chunks, "envelopes": envelopes} | {what: age(now) for what, age in self._others.items()}
        if any(deleted.values()):
            log.info("deleted what is past its time", extra=deleted)

    def _chunks(self, before_ms: int) -> int:
        total = 0
        while True:
            with self._store.transaction() as connection:
                deleted = delete_chunks(connection, before_ms, AT_ONCE)
            total += deleted
            if deleted < AT_ONCE:
                return total

    def _envelopes(self, now_ms: int) -> int:
        total = 0
        after: int | None = 0
        while after is not None:
            with self._store.reading() as connection:
                old = old_envelopes(connection, after, now_ms - self._keep_ms, now_ms - self._raw_ms, AT_ONCE)
            unsent = sum(map(self._still_needed, old.expired))
            if unsent:
                log.warning(
                    "envelopes were past raw_days before a remote write destination took them; they are lost to it",
                    extra={"envelopes": unsent},
                )
            ids = old.expired + [at for at in old.ids if not self._still_needed(at)]
            ids = [at for at in ids if not self._must_keep(at)]
            if ids:
                with self._store.transaction() as connection:
                    delete_envelopes(connection, ids)
            total += len(ids)
            after = old.last_id
        return total
