"""What evaluation works on: values of several series at several instants, as arrays.

``values`` and ``here`` have shape (S, T): S series, T instants of the grid. ``here`` says where there is a value at
all, because NaN is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.history.source import LabelSet, LabelSets

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
NAME = "__name__"


class ExecutionError(Exception):
    """A query is well formed and has no answer on these series; the message is Prometheus' own wording."""


class Vector(NamedTuple):
    """An instant vector at each instant of a grid."""

    labels: LabelSets
    values: Values
    here: Mask


class Scalar(NamedTuple):
    """One number at each instant; shape (T,)."""

    values: Values


def empty(instants: int) -> Vector:
    return Vector(LabelSets(), np.empty((0, instants)), np.empty((0, instants), np.bool_))


def without(labels: LabelSet, names: frozenset[str]) -> LabelSet:
    return tuple(pair for pair in labels if pair[0] not in names)


def only(labels: LabelSet, names: frozenset[str]) -> LabelSet:
    return tuple(pair for pair in labels if pair[0] in names)


def without_name(labels: LabelSet) -> LabelSet:
    return tuple(pair for pair in labels if pair[0] != NAME)


def value_of(labels: LabelSet, name: str) -> str:
    return next((value for label, value in labels if label == name), "")


def with_label(labels: LabelSet, name: str, value: str) -> LabelSet:
    """The labels with one set, or taken away where the value is empty."""
    rest = [pair for pair in labels if pair[0] != name]
    return tuple(sorted([*rest, (name, value)])) if value else tuple(rest)


def nameless(labels: LabelSets) -> LabelSets:
    """The same labels without metric names."""
    return labels.made("nameless", lambda: LabelSets(map(without_name, labels)))


def is_unique(labels: LabelSets) -> bool:
    return labels.made("unique", lambda: len(set(labels)) == len(labels))


def some(vector: Vector) -> Vector:
    """Without the series that have no value at any instant."""
    kept: NDArray[np.bool_] = np.any(vector.here, axis=1)
    if kept.all():
        return vector
    return Vector(vector.labels.kept(kept), vector.values[kept], vector.here[kept])


def numbered(keys: Iterable[LabelSet]) -> tuple[NDArray[np.intp], list[LabelSet]]:
    """For each key the number of its first appearance among different ones, and these."""
    numbers: dict[LabelSet, int] = {}
    found = np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.intp)
    return found, list(numbers)


def merged(vector: Vector) -> Vector:
    """Rows of the same labels as one row. Raises ExecutionError where two have a value at the same instant."""
    if is_unique(vector.labels):
        return vector
    at, different = numbered(vector.labels)
    labels = LabelSets(different)
    count = np.zeros((len(labels), vector.here.shape[1]), np.int64)
    np.add.at(count, at, vector.here)
    if (count > 1).any():
        raise ExecutionError("vector cannot contain metrics with the same labelset")
    values = np.full(count.shape, np.nan)
    for row, target in enumerate(at.tolist()):
        values[target, vector.here[row]] = vector.values[row, vector.here[row]]
    return Vector(labels, values, count > 0)


def shown(labels: LabelSet) -> str:
    """Labels as Prometheus writes them in messages."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in without_name(labels)) + "}"


def series_text(labels: LabelSet) -> str:
    """A series as Prometheus writes it: ``{__name__="up", site="a"}``."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"


def stacked(vectors: Sequence[Vector], instants: int) -> Vector:
    """Several vectors one after the other."""
    if len(vectors) < 2:
        return vectors[0] if vectors else empty(instants)
    first, *rest = (one.labels for one in vectors)
    return Vector(
        first.followed_by(*rest),
        np.concatenate([one.values for one in vectors]),
        np.concatenate([one.here for one in vectors]),
    )
