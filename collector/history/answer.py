"""Answers in Prometheus' own JSON: values are strings, instants are seconds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from collector.history.source import LabelSet, Points


def number(value: float) -> str:
    """A value as Prometheus writes it: shortest text that reads back equal, exponents only far out."""
    if value != value:
        return "NaN"
    if value in (math.inf, -math.inf):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    if size and (size < 1e-6 or size >= 1e21):
        digits, _, exponent = repr(value).partition("e")
        if not exponent:
            digits, _, exponent = f"{Decimal(repr(value)):e}".partition("e")
        power = int(exponent)
        return f"{digits.removesuffix('.0')}e{power}" if power < 0 else f"{digits.removesuffix('.0')}e+{power}"
    text = repr(value)
    if "e" in text:
        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def seconds(at_ms: int) -> float | int:
    """Seconds of an instant, a whole number where it is one."""
    return at_ms // 1000 if at_ms % 1000 == 0 else at_ms / 1000


def success(data: Any, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """``warnings``: Grafana shows them at the panel."""
    said = {"status": "success", "data": data}
    return said | {"warnings": list(warnings)} if warnings else said


def failure(kind: str, text: str) -> dict[str, Any]:
    return {"status": "error", "errorType": kind, "error": text}


def scalar(at_ms: int, value: float) -> dict[str, Any]:
    return {"resultType": "scalar", "result": [seconds(at_ms), number(value)]}


def vector(found: Iterable[Points]) -> dict[str, Any]:
    """Each series' single point."""
    return {
        "resultType": "vector",
        "result": [
            {"metric": dict(one.labels), "value": [seconds(one.times[0]), number(one.values[0])]} for one in found
        ],
    }


def matrix(found: Iterable[Points]) -> dict[str, Any]:
    return {
        "resultType": "matrix",
        "result": [{"metric": dict(one.labels), "values": _pairs(one.times, one.values)} for one in found],
    }


def label_sets(found: Iterable[LabelSet]) -> list[dict[str, str]]:
    return [dict(one) for one in found]


def _pairs(times: Sequence[int], values: Sequence[float]) -> list[tuple[float | int, str]]:
    written: dict[float, str] = {}  # neighbours are often equal, and writing a number costs more than finding it
    pairs = []
    for at_ms, value in zip(times, values, strict=True):
        text = written.get(value) if value else None  # 0 and -0 are equal and written differently
        if text is None:
            text = written[value] = number(value)
        pairs.append((seconds(at_ms), text))
    return pairs
