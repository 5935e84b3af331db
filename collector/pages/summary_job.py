"""Once a day, at a set time of their own clock, whoever is on duty is told what called nobody; nothing where there was nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from collector.fleet.registry import Registry
from collector.incidents.incident import STATES
from collector.incidents.queries import list_incidents
from collector.incidents.signal import INFO
from collector.pages import page as p
from collector.pages.desk import Ways
from collector.pages.outbox import row_of
from collector.pages.pipeline import Outgoing
from collector.pages.queries import add_page
from collector.pages.route import routes
from collector.pages.summary import Span, calm_ways, span_due, told_of, word_summary
from collector.pages.words import language_of
from collector.people.person import Person
from collector.people.queries import whole_book
from collector.rosters.compile import ground_of
from collector.rosters.duty import answer
from collector.rosters.queries import load_rosters
from collector.rosters.roster import Roster
from collector.store.engine import Store
from collector.store.scope import EVERYTHING

log = logging.getLogger(__name__)
SECONDS = 60.0
MOST = 1_000


class SummaryJob:
    def __init__(
        self,
        store: Store,
        registry: Registry,
        ways: Ways,
        clock: str,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """``clock``: a time of day such as ``09:00``; empty = never."""
        self._store, self._registry, self._ways, self._clock, self._wake = store, registry, ways, clock, wake
        self._done: dict[str, datetime] = {}
        """Person -> the last summary that was looked at; rows know it too, so a restart repeats nothing."""

    def step(self, now: datetime) -> None:
        if not self._clock:
            return
        with self._store.reading() as connection:
            people = whole_book(connection).people
            due = {one.id: span for one in people.values() if (span := self._due(one, now)) is not None}
            rosters = load_rosters(connection) if due else []
        if not due:
            return
        ground = ground_of(self._registry.fleet)
        of: dict[str, list[Roster]] = {}
        for roster in rosters:
            for duty in answer(roster, ground, now).duties:
                for person in duty.people:
                    of.setdefault(person, []).append(roster)
        made = sum(self._tell(people[name], span, of.get(name, []), now) for name, span in due.items())
        self._done |= {name: span.to_at for name, span in due.items()}
        if made:
            log.info("daily summaries made", extra={"pages": made})
            self._wake()

    def _due(self, person: Person, now: datetime) -> Span | None:
        span = span_due(self._clock, person.timezone or "Asia/Seoul", now)
        return span if span is not None and self._done.get(person.id) != span.to_at else None

    def _tell(self, person: Person, span: Span, rosters: list[Roster], now: datetime) -> int:
        ways = calm_ways(routes(person, (), self._ways.configured, ()), self._ways.outside)
        if not rosters or not ways:
            return 0
        with self._store.transaction() as connection:
            rows = list_incidents(
                connection, EVERYTHING, states=STATES, severity=INFO, opened_from=span.from_at - timedelta(seconds=1),
                opened_to=span.to_at, limit=MOST,
            )  # fmt: skip
            found = told_of(rows, rosters, span)
            if not found:
                return 0
            language = language_of(person.languages)
            worded = word_summary(found, span, person, language, self._ways.base_url)
            row = row_of(
                Outgoing(person.id, tuple((way, worded) for way in ways), now, language, "on_duty"),
                kind=p.SUMMARY,
                severity=p.INFO,
                uid="summary",
                timer=round(span.to_at.timestamp()),
                step=0,
                now=now,
                secret=self._ways.secret,
                agency=rosters[0].agency,
            )
            return int(add_page(connection, row))
