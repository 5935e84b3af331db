"""Functions of instant vectors and scalars."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import re2

from collector.history.matchers import BadPattern, compiled
from collector.history.promql import values
from collector.history.promql.plan import Node, Selector
from collector.history.promql.values import (
    NAME,
    ExecutionError,
    Mask,
    Scalar,
    Vector,
    empty,
    merged,
    value_of,
    with_label,
)
from collector.history.source import LabelSet, LabelSets

_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)


def nameless(vector: Vector) -> Vector:
    """Without metric names. Raises ExecutionError where that makes two series one."""
    return merged(Vector(values.nameless(vector.labels), vector.values, vector.here))


def absent(node: Node, vector: Vector) -> Vector:
    """One where nothing is there, with the labels the selector asked for by ``=``."""
    here: Mask = ~np.any(vector.here, axis=0)
    labels: LabelSet = ()
    if isinstance(node, Selector):
        seen: set[str] = set()
        for one in node.matchers:
            if one.label == NAME:
                continue
            is_first = one.op == "=" and one.label not in seen
            labels = with_label(labels, one.label, one.value if is_first else "")
            if is_first:
                seen.add(one.label)
    if not here.any():
        return empty(len(here))
    return Vector(LabelSets([labels]), np.ones((1, len(here))), here[np.newaxis])


def clamp(vector: Vector, bound: Scalar, is_lower: bool) -> Vector:
    """The larger, or smaller, of each; NaN with anything is NaN, but for what no number can exceed (as Go's Max)."""
    choose, far = (np.maximum, np.inf) if is_lower else (np.minimum, -np.inf)
    limited = choose(vector.values, bound.values)
    limited = np.where((vector.values == far) | (bound.values == far), far, limited)
    return nameless(Vector(vector.labels, limited, vector.here))


def scalar(vector: Vector) -> Scalar:
    """The value of the only series, NaN where there is none or more than one."""
    count = vector.here.sum(axis=0)
    total = np.where(vector.here, vector.values, 0.0).sum(axis=0)
    return Scalar(np.where(count == 1, total, np.nan))


def vector_of(number: Scalar) -> Vector:
    return Vector(LabelSets([()]), number.values[np.newaxis].copy(), np.ones((1, len(number.values)), np.bool_))


def label_replace(vector: Vector, target: str, template: str, source: str, pattern: str) -> Vector:
    """Each series with ``target`` set from what ``pattern`` finds in ``source``; unchanged where it finds nothing."""
    try:
        found: Any = compiled(pattern)
    except BadPattern as why:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}") from why
    if _LABEL_NAME.fullmatch(target) is None:
        raise ExecutionError(f"invalid destination label name in label_replace(): {target}")
    labels = []
    for own in vector.labels:
        match = found.fullmatch(value_of(own, source))
        labels.append(own if match is None else with_label(own, target, _expand(template, match)))
    return merged(Vector(LabelSets(labels), vector.values, vector.here))


def _expand(template: str, match: Any) -> str:
    """``$1``, ``${name}`` and ``$$`` in a template; a group that is not there is empty."""

    def put(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match.group(int(name) if name.isdecimal() else name) or ""
        except (IndexError, re2.error):
            return ""

    return _REFERENCE.sub(put, template)
