"""What a PromQL expression asks for, read from its syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

from dashboards.asked import without_macros as without_macros


@dataclass(frozen=True)
class Asked:
    """One selector of an expression, the functions it stands in (innermost first), and its range as seconds."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    inside: tuple[str, ...]
    range_seconds: float | None

    def has(self, label: str, value: str) -> bool:
        return any(found == label and said == value for found, _, said in self.matchers)


def selectors(expr: str) -> list[Asked]:
    """Every selector of an expression without macros. Raises ValueError where it does not parse."""
    return list(_walk(promql_parser.parse(expr), ()))


def _walk(node: Any, inside: tuple[str, ...]) -> Iterator[Asked]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        yield _asked(node, inside, None)
    elif kind == "MatrixSelector":
        yield _asked(node.vector_selector, inside, node.range.total_seconds())
    elif kind == "Call":
        for argument in node.args:
            yield from _walk(argument, (node.func.name, *inside))
    elif kind == "AggregateExpr":
        yield from _walk(node.expr, (str(node.op), *inside))
        if node.param is not None:
            yield from _walk(node.param, inside)
    elif kind == "BinaryExpr":
        yield from _walk(node.lhs, inside)
        yield from _walk(node.rhs, inside)
    elif kind in ("ParenExpr", "UnaryExpr", "SubqueryExpr"):
        yield from _walk(node.expr, inside)
    else:
        assert kind in ("NumberLiteral", "StringLiteral"), kind


def _asked(node: Any, inside: tuple[str, ...], range_seconds: float | None) -> Asked:
    matchers = tuple((m.name, str(m.op), m.value) for m in node.matchers.matchers)
    name = node.name or next((value for label, _, value in matchers if label == "__name__"), "")
    return Asked(name, matchers, inside, range_seconds)


def output_labels(expr: str) -> tuple[str, ...]:
    """The labels a recording rule's result carries: of its outermost ``by``, on the side that decides."""
    node: Any = promql_parser.parse(expr)
    while True:
        kind = type(node).__name__
        if kind == "AggregateExpr":
            return tuple(node.modifier.labels) if node.modifier else ()
        if kind == "BinaryExpr":
            node = node.rhs if type(node.lhs).__name__ == "NumberLiteral" else node.lhs
        elif kind in ("ParenExpr", "UnaryExpr"):
            node = node.expr
        else:
            raise AssertionError(f"cannot tell the labels of {expr}: aggregate with by (...)")
