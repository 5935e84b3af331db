"""Alerts that others send: when one begins, ends, and is the same again. Pure.

As Alertmanager has it: an alert sent without an end is over ``resolve_timeout`` after it was last sent; one with an end in
the future is over by then; one with an end in the past is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from collector.history.source import LabelSet
from collector.rules.queries import fingerprint

NEVER_MS = 0
"""Times at or before the epoch mean none: Go writes year 1 for a time that is not set."""


class BadAlert(Exception):
    """What was sent is no alert; the message says why."""


class Sent(NamedTuple):
    """An alert as it was sent; times in milliseconds, None where not told."""

    labels: LabelSet
    annotations: LabelSet = ()
    generator_url: str = ""
    starts_at_ms: int | None = None
    ends_at_ms: int | None = None
    is_resolved: bool = False
    """Its sender says so, whatever the end says."""


class Received(NamedTuple):
    """An alert of others as it is kept."""

    fingerprint: bytes
    source: str
    sender: str
    labels: LabelSet
    annotations: LabelSet
    generator_url: str
    started_at_ms: int
    ended_at_ms: int | None
    expires_at_ms: int | None
    updated_at_ms: int
    is_backfilled: bool

    def over_ms(self, at_ms: int) -> int | None:
        """When it was over, as seen at an instant; None while it fires."""
        if self.ended_at_ms is not None and self.ended_at_ms <= at_ms:
            return self.ended_at_ms
        if self.expires_at_ms is not None and self.expires_at_ms <= at_ms:
            return self.expires_at_ms
        return None


def merged(
    before: Received | None, sent: Sent, source: str, sender: str, now_ms: int, lasts_ms: int | None
) -> Received:
    """The alert after it was sent (again); ``lasts_ms``: how long it holds unless sent again. Raises BadAlert."""
    start, end = _told(sent.starts_at_ms), _told(sent.ends_at_ms)
    if start is None:
        start = now_ms if end is None or end > now_ms else end
    if end is not None and end < start:
        raise BadAlert("start time must be before end time")
    if sent.is_resolved and (end is None or end > now_ms):
        end = max(now_ms, start)
    is_over = end is not None and end <= now_ms
    expires = None if is_over else end
    if not is_over and end is None and lasts_ms is not None:
        expires = now_ms + lasts_ms
    was_over = before is None or before.over_ms(now_ms) is not None
    if before is not None and not was_over:
        start = min(start, before.started_at_ms)
    return Received(
        fingerprint(sent.labels),
        source,
        sender,
        sent.labels,
        sent.annotations,
        sent.generator_url,
        start,
        end if is_over else None,
        expires,
        now_ms,
        is_over and (before is None or (was_over and (before.is_backfilled or start > (before.over_ms(now_ms) or 0)))),
    )


def _told(at_ms: int | None) -> int | None:
    return None if at_ms is None or at_ms <= NEVER_MS else at_ms


def label_set(labels: Mapping[str, str]) -> LabelSet:
    """Pairs in order of their names, without empty ones."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))
