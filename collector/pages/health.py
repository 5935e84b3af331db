"""How a channel fares: failing after three failures in a row that are not the address's fault, ok with the next success."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

OK, FAILING = "ok", "failing"
STRIKES = 3
NOT_THE_CHANNELS = frozenset({"address", "message"})
"""Reasons of senders that say nothing about the channel."""


class Health(NamedTuple):
    channel: str
    state: str
    since_at: datetime
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str
    failures: int


def succeeded(before: Health | None, channel: str, now: datetime) -> Health:
    since = before.since_at if before is not None and before.state == OK else now
    failed_at = before.last_failure_at if before is not None else None
    return Health(channel, OK, since, now, failed_at, "", 0)


def failed(before: Health | None, channel: str, now: datetime, error: str) -> Health:
    before = before or Health(channel, OK, now, None, None, "", 0)
    failures = before.failures + 1
    state = FAILING if failures >= STRIKES else before.state
    since = before.since_at if state == before.state else now
    return Health(channel, state, since, before.last_success_at, now, error, failures)
