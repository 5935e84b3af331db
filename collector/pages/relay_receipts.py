"""The closed network's side of a relay: what its receipts say is written to the outbox's rows.

A page that was only carried out is not yet sent. Its receipt makes it so; a receipt that says no, or none in time, and the
page goes by the person's next way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, update

from collector.pages import page as p
from collector.pages.outbox import fallback_row
from collector.pages.page import Delivery, Why
from collector.pages.queries import add_page, find_page, note_decisions
from collector.pages.senders.base import REASONS, Sender, SendError
from collector.pages.senders.relay import (
    PAGE,
    RECEIPT,
    WRITTEN,
    NotOurs,
    RelaySender,
    name_of,
    names,
    read_signed,
    remove,
)
from collector.pages.tables import page_deliveries
from collector.store.engine import Store

log = logging.getLogger(__name__)
SECONDS = 5.0
MOST_ERROR = 500


class ReceiptJob:
    """``is_needed`` says whether any channel is a relay."""

    def __init__(self, store: Store, senders: Mapping[str, Sender], secret: bytes) -> None:
        self._store, self._secret = store, secret
        self._relays = {name: one for name, one in senders.items() if isinstance(one, RelaySender)}

    @property
    def is_needed(self) -> bool:
        return bool(self._relays)

    def step(self, now: datetime) -> None:
        for channel, relay in self._relays.items():
            folder = Path(relay.options.folder)
            try:
                key = relay.options.secret.read()
                for name in list(names(folder, RECEIPT)):
                    self._take(folder, name, key, now)
            except (OSError, SendError) as why:
                log.warning("receipts cannot be read", extra={"channel": channel, "detail": str(why)})
            self._give_up(channel, folder, now - timedelta(seconds=relay.options.receipt_within_seconds), now)

    def _take(self, folder: Path, name: str, key: str, now: datetime) -> None:
        try:
            told = read_signed(folder, RECEIPT, name, key)
            page_key, state = str(told["key"]), str(told["state"])
            if name_of(page_key) != name:
                raise NotOurs(f"{name}.{RECEIPT}: is of another page")
        except FileNotFoundError:
            return
        except (NotOurs, KeyError) as why:
            log.warning("a receipt is not ours and stays where it is", extra={"detail": str(why)})
            return
        of = page_deliveries.c
        with self._store.transaction() as connection:
            found = connection.execute(select(of.id).where(of.page_key == page_key, _is_written())).scalar()
            page = find_page(connection, found) if found is not None else None
            if page is not None and state == "sent":
                self._change(connection, page, receipt=str(told.get("receipt", ""))[:200] or "relay")
                self._note(connection, page, "receipt", str(told.get("receipt", "")), now)
            elif page is not None:
                reason = str(told.get("reason", ""))
                self._failed(
                    connection, page, reason if reason in REASONS else "unknown", str(told.get("error", "")), now
                )
        remove(folder, RECEIPT, name)
        remove(folder, PAGE, name)

    def _give_up(self, channel: str, folder: Path, before: datetime, now: datetime) -> None:
        """No receipt in time: whether it went out nobody knows, so somebody else is asked as well."""
        of = page_deliveries.c
        late = select(of.id).where(of.channel == channel, of.sent_at < before, _is_written()).limit(100)
        with self._store.transaction() as connection:
            for page_id in connection.execute(late).scalars().all():
                page = find_page(connection, page_id)
                if page is not None:
                    self._failed(connection, page, "timeout", "no receipt from the relay in time", now)
                    remove(folder, PAGE, name_of(page.page_key))

    def _failed(self, connection: Connection, page: Delivery, reason: str, error: str, now: datetime) -> None:
        if not self._change(connection, page, state=p.FAILED, reason=reason, error=error[:MOST_ERROR]):
            return
        self._note(connection, page, "failed", error[:MOST_ERROR], now)
        further = fallback_row(page, now, self._secret)
        if further is not None and add_page(connection, further):
            self._note(connection, page, "fallback", f"to {further['channel']}", now)

    def _change(self, connection: Connection, page: Delivery, **values: Any) -> bool:
        done = connection.execute(
            update(page_deliveries).where(page_deliveries.c.id == page.id, _is_written()).values(values)
        )
        return bool(done.rowcount)

    def _note(self, connection: Connection, page: Delivery, outcome: str, detail: str, now: datetime) -> None:
        if page.incident is not None:
            why = Why("delivery", outcome, detail, page.person, page.channel)
            note_decisions(connection, page.incident, [why], now, step=int(page.data.get("step", 0)))


def _is_written() -> Any:
    """Rows that left for the relay and were heard no more of."""
    of = page_deliveries.c
    return (of.state == p.SENT) & of.receipt.startswith(WRITTEN, autoescape=True)
