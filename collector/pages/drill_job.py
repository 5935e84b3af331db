"""Test pages: whoever is on duty is called at set times, on the first way a real page would take, and answers.

How long that took stands with each: from leaving to the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from collector.fleet.registry import Registry
from collector.pages import page as p
from collector.pages.desk import Ways
from collector.pages.drill import drill_due
from collector.pages.outbox import row_of
from collector.pages.pipeline import Outgoing
from collector.pages.queries import add_page
from collector.pages.route import routes
from collector.pages.wording import Matter, Reader, word
from collector.pages.words import language_of
from collector.people.queries import whole_book
from collector.rosters.compile import ground_of
from collector.rosters.duty import answer
from collector.rosters.queries import load_rosters
from collector.settings_paging import PagingSettings
from collector.store.engine import Store

log = logging.getLogger(__name__)
SECONDS = 15.0


class DrillJob:
    def __init__(
        self,
        store: Store,
        registry: Registry,
        ways: Ways,
        settings: PagingSettings,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._ways = ways
        self._settings = settings
        self._wake = wake
        self._done_at: datetime | None = None

    def step(self, now: datetime) -> None:
        wanted = self._settings
        due_at = drill_due(wanted.test_day, wanted.test_at, wanted.test_timezone, now)
        if due_at is None or due_at == self._done_at:
            return
        with self._store.transaction() as connection:
            made = self.call(connection, now, round(due_at.timestamp()))
        self._done_at = due_at
        if made:
            self._wake()
        log.info("test pages made", extra={"pages": made, "due": due_at.isoformat()})

    def call(self, connection: Connection, now: datetime, name: int, roster: str = "") -> int:
        """Make the test pages of a test known by a number; how many are new. ``roster``: only its people."""
        ground = ground_of(self._registry.fleet)
        people = whole_book(connection).people
        found = [answer(one, ground, now) for one in load_rosters(connection) if not roster or one.id == roster]
        places = {person: each.roster for each in reversed(found) for duty in each.duties for person in duty.people}
        matter = Matter(p.TEST, self._ways.base_url)
        made = 0
        for person, of in places.items():
            known = people.get(person)
            ways = routes(known, (), self._ways.configured, ()) if known is not None else []
            if known is None or not ways:
                log.warning("no test page: no verified address on a configured channel", extra={"person": person})
                continue
            language = language_of(known.languages)
            worded = tuple(
                (way, word(matter, Reader(language, known.timezone, way.channel in self._ways.outside), now))
                for way in ways
            )
            row = row_of(
                Outgoing(person, worded, now, language, "on_duty"),
                kind=p.TEST,
                severity=p.INFO,
                uid="test",
                timer=name,
                step=0,
                now=now,
                secret=self._ways.secret,
                agency=of.agency,
            )
            made += add_page(connection, row)
        return made
