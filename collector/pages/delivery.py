"""The runner of the outbox: claims what is due, sends it, and writes down what came of it.

Each channel has a few threads of its own, so that a slow one holds up no other. A row is claimed by a conditional UPDATE with a
lease, sent outside any transaction, and marked: whoever dies between sending and marking leaves a row whose lease runs out,
and it is sent again under the same key. Nothing is given up because a service is away: it is tried again, by the
person's next channel as well, until one of them took it, newer news replaced it, or there is nothing more to say.

This is one of the borders where a broad handler is allowed: a page that breaks a sender is counted, put off and tried by
the next channel, and the others leave.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Connection

from agent.link.clock import Chance, Clock
from collector.incidents import queries as incidents
from collector.pages import page as p
from collector.pages.health import FAILING, NOT_THE_CHANNELS, failed, succeeded
from collector.pages.outbox import fallback_row, message_of
from collector.pages.page import Delivery, Why
from collector.pages.queries import (
    add_page,
    bring_forward,
    change_page,
    claim_page,
    due_pages,
    has_newer,
    is_replaced,
    next_due,
    note_decisions,
    release,
    supersede_root,
    waiting_of_root,
)
from collector.pages.retry import after_failure
from collector.pages.senders.base import Sender, SendError
from collector.pages.wanted import why_not_wanted
from collector.pages.watch_queries import read_health, write_health
from collector.store.engine import Store
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.telemetry_pages import FAILED, POISONED, RETRIED, SENT, SUPERSEDED, PageTelemetry

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
SECONDS = 1.0
PER_CHANNEL = 3
MOST_ERROR = 500


class DeliveryJob:
    """``step`` gives due pages to the threads of their channels. Without ``start`` it sends them itself, one after the
    other."""

    def __init__(
        self,
        store: Store,
        senders: Mapping[str, Sender],
        secret: bytes,
        base_url: str,
        clock: Clock,
        chance: Chance,
        telemetry: PageTelemetry,
        on_point: Callable[[str], None] = lambda _name: None,
        with_replies: Collection[str] = (),
    ) -> None:
        """``with_replies``: channels on which people may answer by a word, and are told so."""
        self._store = store
        self._senders = senders
        self._secret = secret
        self._base_url = base_url
        self._clock = clock
        self._chance = chance
        self._telemetry = telemetry
        self._on_point = on_point
        self._with_replies = frozenset(with_replies)
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._busy: dict[int, str] = {}
        self._lock = Lock()
        self._stepping = Lock()
        self._is_stopping = False

    def start(self) -> None:
        with self._store.transaction() as connection:
            if self._store.is_sqlite:
                release(connection)  # its one process is this one: whoever held a lease is dead
            # PostgreSQL may serve several collectors with one key. Whether a lease's holder is dead or only slow cannot be
            # seen from here, so a page that was being sent goes again when its lease runs out, and not a second time before.
            for health in read_health(connection).values():
                self._telemetry.health(health.channel, health.state == FAILING)
        self._pools = {channel: ThreadPoolExecutor(PER_CHANNEL, f"pages-{channel}") for channel in self._senders}

    def stop(self) -> None:
        """Take up nothing more, and wait for what is being sent."""
        with self._stepping:
            self._is_stopping = True
        for pool in self._pools.values():
            pool.shutdown(wait=True)

    def wake(self) -> None:
        """Something is in the outbox: do not wait for the next turn."""
        if self._pools and not self._is_stopping:
            self.step(self._now())

    def step(self, now: datetime) -> datetime | None:
        """Hand what is due to its channel, as far as that has hands free; when the next page is due."""
        with self._stepping:
            for channel in self._senders if not self._is_stopping else ():
                self._look(channel, now)
        with self._store.reading() as connection:
            due_at = next_due(connection)
        self._telemetry.waiting((now - due_at).total_seconds() if due_at is not None else 0.0)
        return due_at

    def _look(self, channel: str, now: datetime) -> None:
        while True:
            with self._lock:
                busy = {page for page, of in self._busy.items() if of == channel}
            free = PER_CHANNEL - len(busy)
            if free <= 0:
                return
            with self._store.reading() as connection:
                found = due_pages(connection, channel, now, free, LEASE, busy)
            for page in found:
                self._give(channel, page)
            if self._pools or not found:
                return

    def deliver(self, page_id: int) -> None:
        """One try of one page. Raises nothing but what the database raises."""
        now = self._now()
        with self._store.transaction() as connection:
            page = claim_page(connection, page_id, now, LEASE)
            if page is None or not self._is_wanted(connection, page, now):
                return
        self._on_point("after claim")
        try:
            receipt = self._send(page)
        except SendError as why:
            self._failed(page, why, RETRIED)
        except Exception as why:  # the delivery border: whatever one page does to a sender, the others leave
            log.exception("a page broke its sender; it goes by the next channel", extra=_fields(page))
            self._failed(page, SendError(f"{type(why).__name__}: {why}"), POISONED)
        else:
            self._on_point("after send before mark")
            self._sent(page, receipt)

    def _send(self, page: Delivery) -> str:
        sender = self._senders.get(page.channel)
        if sender is None:
            raise SendError(f"channel {page.channel} is not configured", True, "settings")
        takes_replies = page.channel in self._with_replies
        return sender.send(message_of(page, self._secret, self._base_url, takes_replies=takes_replies))

    def _is_wanted(self, connection: Connection, page: Delivery, now: datetime) -> bool:
        """Whether it still says something; else the row says why not."""
        incident = incidents.find(connection, EVERYTHING, page.incident) if page.incident is not None else None
        reason = why_not_wanted(page, incident, now) or ("newer" if is_replaced(connection, page) else "")
        if not reason:
            return True
        change_page(connection, page.id, page.attempts, state=p.SUPERSEDED, reason=reason)
        self._note(connection, page, "superseded", reason, now)
        self._telemetry.tried(page.channel, SUPERSEDED)
        return False

    def _sent(self, page: Delivery, receipt: str) -> None:
        now = self._now()
        with self._store.transaction() as connection:
            change_page(
                connection,
                page.id,
                page.attempts,
                state=p.SENT,
                sent_at=now,
                receipt=receipt[:200],
                reason="",
                error="",
            )
            supersede_root(connection, page.root, page.page_key)
            self._note(connection, page, "sent", receipt, now)
            before = read_health(connection).get(page.channel)
            write_health(connection, succeeded(before, page.channel, now))
            if before is not None and before.state == FAILING:
                bring_forward(connection, page.channel, now)  # it is back: what it refused waits no longer
        self._telemetry.tried(page.channel, SENT)
        self._telemetry.left((now - page.due_at).total_seconds())
        self._telemetry.health(page.channel, is_failing=False)
        log.info("page sent", extra=_fields(page) | {"receipt": receipt[:200], "attempt": page.attempts})

    def _failed(self, page: Delivery, why: SendError, result: str) -> None:
        now = self._now()
        then = after_failure(page.attempts, page.severity, why.permanent, why.retry_after_seconds, now, self._chance)
        is_last = then.at is None
        text = why.text.replace(page.address, "…")[:MOST_ERROR]  # whose address it is, is for few to know
        values: dict[str, Any] = {"reason": why.reason, "error": text}
        with self._store.transaction() as connection:
            further = fallback_row(page, now, self._secret) if then.falls_back else None
            if is_last:
                values["state"] = p.FAILED
            else:
                values |= {"state": p.QUEUED, "due_at": then.at}
            if further is not None:
                values["data"] = {**page.data, "others": ()}  # the row that follows has them
            if not change_page(connection, page.id, page.attempts, **values):
                return  # its lease ran out, and somebody else has it
            self._note(connection, page, "failed" if is_last else "retry", text, now)
            if further is not None and has_newer(connection, page, further["channel"], further["address"]):
                self._note(connection, page, "newer", f"{further['channel']} has later news", now)
            elif further is not None and add_page(connection, further):
                self._note(connection, page, "fallback", f"to {further['channel']}", now)
            elif is_last and not waiting_of_root(connection, page.root):
                self._note(connection, page, "no_channel_left", "", now)
            health = read_health(connection).get(page.channel)
            if why.reason not in NOT_THE_CHANNELS:
                health = failed(health, page.channel, now, text)
                write_health(connection, health)
        self._telemetry.tried(page.channel, FAILED if is_last and result == RETRIED else result, why.reason)
        self._telemetry.health(page.channel, health is not None and health.state == FAILING)
        again = f"again at {then.at:%H:%M:%S}" if then.at is not None else "not tried again"
        fields = {"reason": why.reason, "error": text, "attempt": page.attempts, "next": again}
        log.warning("page not sent", extra=_fields(page) | fields)

    def _note(self, connection: Connection, page: Delivery, outcome: str, detail: str, now: datetime) -> None:
        if page.incident is not None:
            why = Why("delivery", outcome, detail, page.person, page.channel)
            note_decisions(connection, page.incident, [why], now, step=int(page.data.get("step", 0)))

    def _give(self, channel: str, page: int) -> None:
        pool = self._pools.get(channel)
        if pool is None:
            self.deliver(page)
            return
        with self._lock:
            self._busy[page] = channel
        pool.submit(self._work, page)

    def _work(self, page: int) -> None:
        try:
            self.deliver(page)
        except Exception:  # the database is away: the row keeps its lease and is sent again under the same key
            log.exception("a page could not be marked; it is taken up again", extra={"page": page})
        with self._lock:
            self._busy.pop(page, None)
        try:
            self.wake()  # a hand is free
        except Exception:  # the same; the next turn looks again
            log.exception("the outbox could not be read; it is read again at the next turn")

    def _now(self) -> datetime:
        return instant(self._clock.wall_ms())


def _fields(page: Delivery) -> dict[str, Any]:
    return {"page": page.page_key, "incident": page.incident, "person": page.person, "channel": page.channel}
