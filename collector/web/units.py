"""Numbers with their units, short enough for a table."""

from __future__ import annotations

import math

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def percent(ratio: float) -> str:
    """``0.4231`` -> ``42.3 %``."""
    return f"{ratio * 100:.1f} %"


def size(value: float) -> str:
    """Bytes by 1024: ``1536`` -> ``1.5 KiB``."""
    for unit in _BINARY:
        if abs(value) < 1024 or unit == _BINARY[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def plain(value: float) -> str:
    """A value as it was sent, at most nine significant digits, whole numbers whole."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.9g}"


def by_unit(value: float, unit: str) -> str:
    """A plot's value: unit ``ratio``, ``bytes``, ``bytes_per_second`` or ``count``."""
    if unit == "ratio":
        return percent(value)
    if unit == "bytes":
        return size(value)
    if unit == "bytes_per_second":
        return f"{size(value)}/s"
    return f"{value:.2f}"


def milliseconds(value_ms: float) -> str:
    """A signed difference of clocks: ``+12 ms``, ``-1.4 s``."""
    if abs(value_ms) < 1000:
        return f"{value_ms:+.0f} ms"
    return f"{value_ms / 1000:+.1f} s"
