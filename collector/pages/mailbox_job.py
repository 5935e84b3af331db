"""Every few seconds: mails that answer pages are taken in, without a gateway."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collector.errors import Refused
from collector.pages.mail_reply import read_mail
from collector.pages.reply_take import EMAIL, take
from collector.pages.senders.base import SendError
from collector.pages.senders.mailbox import Mailbox

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.store.engine import Store

log = logging.getLogger(__name__)
BACK = timedelta(days=3)
"""Older mails answer nothing any more."""
AWAY = "mailbox_away"


class MailboxJob:
    """``step`` looks once; a server that is away is told of once, and again when it is back."""

    def __init__(self, store: Store, office: PostOffice, mailbox: Mailbox, channel: str = EMAIL) -> None:
        self._store, self._office, self._mailbox, self._channel = store, office, mailbox, channel
        self._is_away = False

    @property
    def every_seconds(self) -> float:
        return float(self._mailbox.options.mailbox_every_seconds)

    def step(self, now: datetime) -> None:
        try:
            self._mailbox.look(now - BACK, lambda raw: self._take(raw, now))
        except SendError as why:
            self._office.replies.came(self._channel, AWAY)
            if not self._is_away:
                log.warning("the mailbox of answers cannot be read", extra={"detail": why.text})
            self._is_away = True
            return
        if self._is_away:
            log.info("the mailbox of answers can be read again")
        self._is_away = False

    def _take(self, raw: bytes, now: datetime) -> None:
        reply = read_mail(raw)
        try:
            found = take(self._store, self._office, self._channel, reply, now)
        except Refused as why:
            self._office.tell_refused(self._channel, reply, why.code, now)
            self._office.replies.came(self._channel, why.code)
            log.warning("an answer was refused", extra={"channel": self._channel, "reason": why.code})
            return
        self._office.replies.came(self._channel, found.outcome)
