"""Arithmetic, comparison and set operators between scalars and vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.history.promql.plan import COMPARISONS, Binary, Matching
from collector.history.promql.values import (
    NAME,
    ExecutionError,
    Mask,
    Scalar,
    Values,
    Vector,
    empty,
    merged,
    nameless,
    numbered,
    only,
    series_text,
    shown,
    some,
    stacked,
    value_of,
    with_label,
    without,
    without_name,
)
from collector.history.source import LabelSet, LabelSets

_COMPUTE: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def binary(node: Binary, left: Vector | Scalar, right: Vector | Scalar) -> Vector | Scalar:
    """What an operator makes of its two sides. Raises ExecutionError."""
    if isinstance(left, Scalar):
        if isinstance(right, Scalar):
            return Scalar(np.asarray(_COMPUTE[node.op](left.values, right.values), np.float64))
        return _with_scalar(node, right, left.values, is_left=True)
    if isinstance(right, Scalar):
        return _with_scalar(node, left, right.values, is_left=False)
    if node.op in ("and", "unless"):
        return _kept(node, left, right)
    if node.op == "or":
        return _either(node.matching, left, right)
    return _matched(node, left, right)


def _with_scalar(node: Binary, vector: Vector, number: Values, is_left: bool) -> Vector:
    sides = (number, vector.values) if is_left else (vector.values, number)
    found = _COMPUTE[node.op](*sides)
    if node.op in COMPARISONS and not node.is_bool:
        return some(Vector(vector.labels, vector.values, vector.here & found))
    return merged(some(Vector(nameless(vector.labels), np.asarray(found, np.float64), vector.here)))


def _signature(matching: Matching) -> Callable[[LabelSet], LabelSet]:
    names = frozenset(matching.labels)
    if matching.is_on:
        return lambda labels: only(labels, names)
    return lambda labels: without(labels, names | {NAME})


def _partners(matching: Matching, left: LabelSets, right: LabelSets) -> NDArray[np.intp]:
    """A number for each of the left, then of the right; those that match have the same."""
    signature = _signature(matching)
    of_both = ("partners", matching.labels, matching.is_on)
    return left.made(of_both, lambda: numbered([*map(signature, left), *map(signature, right)])[0], right)


def _kept(node: Binary, left: Vector, right: Vector) -> Vector:
    """``and``, ``unless``: what of the left has, or has not, a partner on the right."""
    if not left.labels or not right.labels:
        return left if node.op == "unless" else empty(left.here.shape[1])
    at = _partners(node.matching, left.labels, right.labels)
    split = len(left.labels)
    there = np.zeros((int(at.max(initial=-1)) + 1, left.here.shape[1]), np.bool_)
    np.logical_or.at(there, at[split:], right.here)
    partner = there[at[:split]]
    return some(Vector(left.labels, left.values, left.here & (partner if node.op == "and" else ~partner)))


def _either(matching: Matching, left: Vector, right: Vector) -> Vector:
    """``or``: all of the left, and what of the right has no partner there."""
    at = _partners(matching, right.labels, left.labels)
    split = len(right.labels)
    there = np.zeros((int(at.max(initial=-1)) + 1, left.here.shape[1]), np.bool_)
    np.logical_or.at(there, at[split:], left.here)
    rest = Vector(right.labels, right.values, right.here & ~there[at[:split]])
    return merged(some(stacked([left, rest], left.here.shape[1])))


class _Pairs(NamedTuple):
    """Which rows of both sides meet, and the labels of what comes of it."""

    rows: NDArray[np.intp]
    others: NDArray[np.intp]
    labels: LabelSets
    of_one: dict[int, list[int]]
    """By what they match in, rows of the side that may have one."""
    is_one: bool
    """Whether it has."""
    clashing: tuple[NDArray[np.intp], int] | None
    """Where several pairs would give the same series: the number of each pair's, and how many there are."""


def _matched(node: Binary, left: Vector, right: Vector) -> Vector:
    """Arithmetic and comparison between vectors: one to one, or many to one."""
    matching = node.matching
    is_swapped = matching.many == "right"
    many, one = (right, left) if is_swapped else (left, right)
    instants = left.here.shape[1]
    if not many.labels or not one.labels:
        return empty(instants)
    of_both = ("pairs", matching, _is_nameless(node), node.is_bool)
    pairs = many.labels.made(of_both, lambda: _pairs(node, many.labels, one.labels), one.labels)
    if not pairs.is_one:
        _refuse_duplicates(matching, many, one, pairs.of_one, is_swapped)
    rows, others = pairs.rows, pairs.others
    if not len(rows):
        return empty(instants)
    here: Mask = many.here[rows] & one.here[others]
    sides = (one.values[others], many.values[rows]) if is_swapped else (many.values[rows], one.values[others])
    found = _COMPUTE[node.op](*sides)
    if node.op in COMPARISONS and not node.is_bool:
        here = here & found
        found = sides[0]
    if pairs.clashing is not None:
        _refuse_many(matching, *pairs.clashing, here)
    return merged(some(Vector(pairs.labels, np.asarray(found, np.float64), here)))


def _pairs(node: Binary, many: LabelSets, one: LabelSets) -> _Pairs:
    matching = node.matching
    at = _partners(matching, many, one)
    split = len(many)
    of_one: dict[int, list[int]] = {}
    for row, group in enumerate(at[split:].tolist()):
        of_one.setdefault(group, []).append(row)
    found = [(row, other) for row, group in enumerate(at[:split].tolist()) for other in of_one.get(group, ())]
    rows, others = np.array(found, np.intp).reshape(-1, 2).T
    result = _result_labels(node)
    labels = LabelSets([result(many[row], one[other]) for row, other in found])
    groups = at[:split][rows].tolist()
    keys = [((str(group), ""), *(own if matching.many else ())) for group, own in zip(groups, labels, strict=True)]
    numbers, different = numbered(keys)
    clashing = (numbers, len(different)) if len(different) < len(keys) else None
    return _Pairs(rows, others, labels, of_one, all(len(those) == 1 for those in of_one.values()), clashing)


def _is_nameless(node: Binary) -> bool:
    return node.op not in COMPARISONS or node.is_bool


def _result_labels(node: Binary) -> Callable[[LabelSet, LabelSet], LabelSet]:
    matching = node.matching
    is_nameless = _is_nameless(node)
    names = frozenset(matching.labels)

    def labels(many: LabelSet, one: LabelSet) -> LabelSet:
        found = without_name(many) if is_nameless and not (matching.include and NAME in matching.include) else many
        if not matching.many:
            found = only(found, names) if matching.is_on else without(found, names)
        for name in matching.include:
            found = with_label(found, name, value_of(one, name))
        return without_name(found) if node.is_bool else found

    return labels


def _refuse_duplicates(
    matching: Matching, many: Vector, one: Vector, of_one: dict[int, list[int]], is_swapped: bool
) -> None:
    """Two partners at one instant on the side that may have one: nobody can say which is meant."""
    asked = many.here.any(axis=0)
    for rows in of_one.values():
        several = (one.here[rows].sum(axis=0) > 1) & asked
        if several.any():
            first, second = [row for row in rows if one.here[row, int(np.argmax(several))]][:2]
            labels = one.labels[second]
            names = frozenset(matching.labels)
            group = only(labels, names) if matching.is_on else without(labels, names | {NAME})
            raise ExecutionError(
                f"found duplicate series for the match group {shown(group)} on the {'left' if is_swapped else 'right'} "
                f"hand-side of the operation: [{series_text(labels)}, {series_text(one.labels[first])}];"
                "many-to-many matching not allowed: matching labels must be unique on one side"
            )


def _refuse_many(matching: Matching, numbers: NDArray[np.intp], different: int, here: Mask) -> None:
    """Several on the side that may have several, without having said so, or without labels to tell them apart."""
    count = np.zeros((different, here.shape[1]), np.int64)
    np.add.at(count, numbers, here)
    if (count > 1).any():
        raise ExecutionError(
            "multiple matches for labels: grouping labels must ensure unique matches"
            if matching.many
            else "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        )
