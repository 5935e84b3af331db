"""Looks for holes in rosters (관제 공백) ahead of time and says so, in the log and in metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from collector.fleet.registry import Registry
from collector.rosters.compile import ground_of
from collector.rosters.duty import holes
from collector.rosters.queries import load_rosters
from collector.store.engine import Store
from collector.telemetry_rosters import RosterTelemetry

log = logging.getLogger(__name__)
SECONDS = 300.0
AHEAD = timedelta(days=14)
WARNED_BEFORE = timedelta(days=1)


class RosterJob:
    """Remembers which holes it told of, so that each is logged once."""

    def __init__(self, store: Store, registry: Registry, telemetry: RosterTelemetry) -> None:
        self._store = store
        self._registry = registry
        self._telemetry = telemetry
        self._told: set[tuple[str, datetime, bool]] = set()

    def step(self, now: datetime) -> datetime | None:
        """Look at every roster; when the next hole begins or ends, where that is sooner than the usual turn."""
        with self._store.reading() as connection:
            rosters = load_rosters(connection)
        ground = ground_of(self._registry.fleet)
        seen: dict[str, tuple[bool, datetime | None]] = {}
        told: set[tuple[str, datetime, bool]] = set()
        edges: list[datetime] = []
        for roster in rosters:
            found = holes(roster, ground, now, now + AHEAD)
            is_hole = bool(found) and found[0][0] == now
            seen[roster.id] = (is_hole, found[0][0] if found else None)
            edges += [at for span in found[:1] for at in span if at > now]
            for began, ended in found:
                if began - now < WARNED_BEFORE:
                    # A hole that is on is known by its end: its beginning moves with every look.
                    name = (roster.id, ended, began == now)
                    told.add(name)
                    if name not in self._told:
                        self._tell(roster.id, began, ended, is_on=began == now)
        self._told = told
        self._telemetry.show(seen)
        return min(edges, default=None)

    def _tell(self, roster: str, began: datetime, ended: datetime, *, is_on: bool) -> None:
        said: Callable[..., None] = log.error if is_on else log.warning
        text = "nobody is on duty" if is_on else "nobody will be on duty"
        said(text, extra={"roster": roster, "from": began.isoformat(), "until": ended.isoformat()})
