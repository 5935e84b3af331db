"""Instants and durations as Prometheus' query API takes and gives them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import promql_parser as promql

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")
MAX_SECONDS = 1 << 43
"""Beyond any calendar, and its milliseconds still fit 64 bits with room for a lookback."""


class BadParameter(Exception):
    """A parameter of a request cannot be read; the message is Prometheus' own wording."""


def instant_ms(name: str, text: str) -> int:
    """Milliseconds of ``1435781430.781`` (seconds) or ``2015-07-01T20:10:51.781Z``. Raises BadParameter."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = _rfc3339_seconds(text)
    if not math.isfinite(seconds) or abs(seconds) > MAX_SECONDS:
        raise BadParameter(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')
    return round(seconds * 1000)


def duration_ms(name: str, text: str) -> int:
    """Milliseconds of ``15`` (seconds) or ``1h30m``. Raises BadParameter."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = promql.parse_duration(text).total_seconds()
        except (ValueError, OverflowError):
            seconds = math.nan
    if not math.isfinite(seconds) or abs(seconds) > MAX_SECONDS:
        raise BadParameter(f'invalid parameter "{name}": cannot parse "{text}" to a valid duration')
    return round(seconds * 1000)


def _rfc3339_seconds(text: str) -> float:
    found = _RFC3339.fullmatch(text)
    if found is None:
        return math.nan
    whole, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(whole.upper() + ("+00:00" if zone in "Zz" else zone))
    except ValueError:
        return math.nan
    return moment.astimezone(UTC).timestamp() + float(f"0.{fraction or 0}")
