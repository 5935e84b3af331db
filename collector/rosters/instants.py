"""Instants as people and programs write them: with an offset, or as the clock shows it at some place."""

from __future__ import annotations

from datetime import UTC, datetime

from collector.errors import UsageError
from collector.rosters.wall import begins, ends


def read_instant(text: str, zone: str, *, is_end: bool = False) -> datetime:
    """``2026-11-22T03:00+09:00``, ``2026-11-21T18:00Z``, or without an offset as the clock of ``zone`` shows it (the first
    showing, or the last one of an end). Aware, UTC. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"time {text!r}: expected such as '2026-11-22T03:00' (by the clock of {zone}) or '2026-11-22T03:00+09:00'"
        ) from None
    try:
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        return (ends if is_end else begins)(found.replace(fold=0), zone)
    except OverflowError:
        raise UsageError(f"time {text!r}: out of range") from None
