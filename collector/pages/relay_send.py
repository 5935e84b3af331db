"""The relay's side, in the internet's zone: sends what a closed network's collector wrote, and leaves receipts.

A page is sent at least once: whoever dies between sending and the receipt sends again under the same key. What cannot be
sent is tried again, ever more slowly, until it is too old; then its receipt says so, as for what a service refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from agent.link.clock import Clock
from collector.pages.relay_box import Box
from collector.pages.senders.base import Sender, SendError
from collector.pages.senders.relay import PAGE, NotOurs, message_of, name_of

FIRST_SECONDS, MOST_SECONDS = 5.0, 300.0
MOST_TEXT = 1000
SENT, WAITING, FAILED, NOT_OURS = "sent", "waiting", "failed", "not ours"


class Tried(NamedTuple):
    times: int
    next_at: float
    """Of the monotonic clock."""
    error: str


class Relay:
    """``step`` looks through the box once."""

    def __init__(self, box: Box, senders: Mapping[str, Sender], clock: Clock) -> None:
        self._box, self._senders, self._clock = box, senders, clock
        self._tried: dict[str, Tried] = {}
        self.last_error = ""

    def step(self) -> Counter[str]:
        """How many pages were sent, wait, failed, or are no pages of ours. Raises OSError or SendError where the box cannot
        be looked into."""
        counts: Counter[str] = Counter()
        found = self._box.names()
        self._tried = {name: tried for name, tried in self._tried.items() if name in found}
        for name in found:
            try:
                counts[self._page(name)] += 1
            except NotOurs as why:
                self.last_error = str(why)
                counts[NOT_OURS] += 1
            except FileNotFoundError:
                continue  # taken away by its writer
        return counts

    def _page(self, name: str) -> str:
        if self._box.is_done(name):
            return SENT
        tried = self._tried.get(name, Tried(0, 0.0, ""))
        if tried.next_at > self._clock.monotonic():
            return WAITING
        page = self._box.read(name)
        message = message_of(page)
        if name_of(message.key) != name:
            raise NotOurs(f"{name}.{PAGE}: holds another page")
        if self._clock.wall_ms() >= int(page.get("until_ms", 0)):
            error = f"too old to be sent; {tried.error}" if tried.error else "too old to be sent"
            return self._over(name, message.key, FAILED, reason="timeout", error=error)
        sender = self._senders.get(str(page.get("channel")))
        if sender is None:
            error = f"the relay has no channel {page.get('channel')}"
            return self._over(name, message.key, FAILED, reason="settings", error=error)
        try:
            receipt = sender.send(message)
        except SendError as why:
            self.last_error = why.text
            if why.permanent:
                return self._over(name, message.key, FAILED, reason=why.reason, error=why.text)
            wait = max(min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(tried.times, 10)), why.retry_after_seconds or 0)
            self._tried[name] = Tried(tried.times + 1, self._clock.monotonic() + wait, why.text)
            return WAITING
        return self._over(name, message.key, SENT, receipt=receipt)

    def _over(self, name: str, key: str, state: str, **more: Any) -> str:
        said = {name: value[:MOST_TEXT] if isinstance(value, str) else value for name, value in more.items()}
        told = {"version": 1, "key": key, "state": state, "at_ms": self._clock.wall_ms(), **said}
        self._tried.pop(name, None)
        self._box.leave(name, told)
        return state
