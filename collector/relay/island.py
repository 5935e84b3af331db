"""A hub on its own: from when on it calls its own people, and how it hands over when the centre is back.

The centre is there while it answers and says that it judges: that it listens on a port proves nothing. Once it has been
away for ``[paging] island_minutes`` the hub opens incidents and pages by its own rosters, channels and policy. When the
centre is heard again, the hub waits with calling, tells the centre every incident it opened, and is quiet as soon as the
centre has them all. What was cut in between is told again: incidents have names.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, insert, select, update

from agent.link.exchange import Failure, Response
from collector.alerts.alert import CRITICAL, MONITOR, FiringAlert, firing
from collector.alerts.received import label_set
from collector.alerts.tables import island
from collector.incidents.handed import AT_ONCE, CENTRE_UNREACHABLE, PATH, Report, Taken, Told, digest_of, pack
from collector.incidents.handed_queries import close_handed, note_handed, to_hand_over
from collector.pages.page import SENT
from collector.pages.tables import page_deliveries
from collector.store.engine import Store

if TYPE_CHECKING:
    from collector.fleet.registry import Registry
    from collector.relay.hub import HubSide

log = logging.getLogger(__name__)
SECONDS = 2.0
NOTE = timedelta(seconds=30)
SETTLES = timedelta(minutes=2)
"""After a start, so that the centre was asked before this hub says that it is away."""
LATELY = timedelta(seconds=60)
"""Heard within: it is back, and what it does not have yet is told before anybody is called."""


class Island:
    """``step`` is a job; ``is_acting`` is asked by the jobs that open incidents and page."""

    def __init__(self, store: Store, registry: Registry, hub: HubSide, minutes: int) -> None:
        self._store = store
        self._registry = registry
        self._hub = hub
        self._after = timedelta(minutes=minutes)
        self._heard_at: datetime | None = None
        self._noted_at: datetime | None = None
        self._began_at: datetime | None = None
        self.acting_since: datetime | None = None

    def restore(self, now: datetime) -> None:
        """A hub that never heard its centre counts from now."""
        with self._store.transaction() as connection:
            row = connection.execute(select(island)).first()
            if row is None:
                connection.execute(insert(island), {"id": 1, "heard_at": now})
        self._heard_at = now if row is None else min(row.heard_at, now)
        self._began_at = now
        self.acting_since = row.acting_since if row is not None else None

    def is_acting(self, now: datetime) -> bool:
        """Whether this hub calls people now."""
        return self.acting_since is not None and not self._is_heard(now)

    def step(self, now: datetime) -> None:
        if self._heard_at is None:
            self.restore(now)
        assert self._heard_at is not None
        assert self._began_at is not None
        heard_at = self._hub.centre_well_at()
        if heard_at is not None:
            self._heard_at = max(self._heard_at, min(heard_at, now))
        if self.acting_since is None:
            if now - max(self._heard_at, self._began_at - self._after + SETTLES) >= self._after:
                log.error(
                    "the centre is out of reach: this hub calls its own people from now on",
                    extra={"since": self._heard_at.isoformat(), "url": self._hub.standing.url},
                )
                self._note(now, now)
            elif self._noted_at is None or now - self._noted_at >= NOTE:
                self._note(None, now)
        elif self._is_heard(now) and self.hand_over(now):
            with self._store.transaction() as connection:
                count = close_handed(connection, now)
            log.info("the centre is back and has this hub's incidents", extra={"closed_here": count})
            self._note(None, now)

    def alerts(self, now: datetime) -> list[FiringAlert]:
        """What a hub says of its centre to its own people."""
        if self._heard_at is None or self.acting_since is None or self._is_heard(now):
            return []
        hub = self._hub.identity.hub
        labels = {"alertname": CENTRE_UNREACHABLE, "severity": CRITICAL, "hub": hub}
        notes = {
            "runbook_url": f"/runbooks/{CENTRE_UNREACHABLE}",
            "summary": f"Hub {hub} cannot reach its centre and calls its own people.",
            "summary_ko": f"본부 센터 연결 끊김, 거점 자체 호출 중: {hub}",
            "cause": "The line to the centre is cut, or the centre does not judge.",
            "cause_ko": "센터로 가는 회선이 끊겼거나 센터가 판단을 멈췄습니다.",
            "action": "Look at the line, call the centre by telephone; bongsu doctor on the hub says what it sees.",
            "action_ko": "회선을 확인하고 센터에 전화로 알립니다. 거점에서 bongsu doctor 결과를 확인합니다.",
        }
        began_ms = round(self._heard_at.timestamp() * 1000)
        return [firing(MONITOR, label_set(labels), label_set(notes), self._registry.fleet, began_ms, None)]

    def hand_over(self, now: datetime) -> bool:
        """Tell the centre what it has not; True where it has everything."""
        while True:
            with self._store.reading() as connection:
                reports = to_hand_over(connection, _told, AT_ONCE)
            if not reports:
                return True
            taken = self._post(reports)
            if not taken:
                return False
            with self._store.transaction() as connection:
                note_handed(connection, [report for report in reports if report.uid in taken], now)
            if len(taken) < len(reports):
                return False

    def _post(self, reports: Sequence[Report]) -> frozenset[str]:
        body = pack(reports)
        with self._hub.errand() as line:
            answer = line.post(f"{PATH}?digest={digest_of(body)}", body, 30.0)
        if isinstance(answer, Response) and answer.status == 200 and answer.content_type == "application/json":
            try:
                return frozenset(msgspec.json.decode(answer.body, type=Taken).taken)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                pass
        text = answer.text if isinstance(answer, Failure) else f"HTTP {answer.status}"
        log.warning("the centre did not take this hub's incidents, trying again", extra={"detail": text})
        return frozenset()

    def _is_heard(self, now: datetime) -> bool:
        return self._heard_at is not None and now - self._heard_at <= LATELY and self._is_since_acting()

    def _is_since_acting(self) -> bool:
        """It was heard after this hub began to act, not just before."""
        return self.acting_since is None or (self._heard_at is not None and self._heard_at > self.acting_since)

    def _note(self, acting_since: datetime | None, now: datetime) -> None:
        values = {"heard_at": self._heard_at, "acting_since": acting_since}
        with self._store.transaction() as connection:
            connection.execute(update(island).values(**values))
        self.acting_since, self._noted_at = acting_since, now


def _told(connection: Connection, number: int) -> list[Told]:
    of = page_deliveries.c
    rows = connection.execute(
        select(of.person, of.channel, of.sent_at).where(of.incident == number, of.state == SENT).order_by(of.sent_at)
    )
    return [Told(row.person, row.channel, round(row.sent_at.timestamp() * 1000)) for row in rows]
