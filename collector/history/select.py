"""Which queries are understood: plain selectors and numbers; everything else is refused by name.

promql-parser reads the text, so what we take is read as Prometheus reads it, and what we refuse is at least PromQL.
Arithmetic between plain numbers is understood too, because Grafana tests a data source by asking ``1+1``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import promql_parser as promql

from collector.history.matchers import BadPattern, Matchers, matcher

_OPS = {  # by their names: newer promql-parsers make them unhashable
    str(promql.MatchOp.Equal): "=",
    str(promql.MatchOp.NotEqual): "!=",
    str(promql.MatchOp.Re): "=~",
    str(promql.MatchOp.NotRe): "!~",
}
MAX_QUERY_CHARS = 64 << 10


class BadQuery(Exception):
    """A query cannot be answered: no PromQL, or more of it than is understood here. The message names the part."""


class Number(NamedTuple):
    value: float


class Selector(NamedTuple):
    """An instant selector, or with ``range_ms`` a range selector."""

    matchers: Matchers
    range_ms: int | None = None


def parse(text: str) -> Number | Selector:
    """What a query asks for. Raises BadQuery."""
    if len(text) > MAX_QUERY_CHARS:
        raise BadQuery(f"query of {len(text)} characters: expected at most {MAX_QUERY_CHARS}")
    if not text.strip():
        raise BadQuery("unknown position: parse error: no expression found in input")
    try:
        expression = promql.parse(text)
    except ValueError as why:
        raise BadQuery(f"parse error: {why}") from why
    return _read(expression)


def parse_selector(text: str) -> Matchers:
    """The matchers of a ``match[]`` parameter. Raises BadQuery."""
    found = parse(text)
    if not isinstance(found, Selector) or found.range_ms is not None:
        raise BadQuery(f'invalid parameter "match[]": {text!r}: expected a plain selector such as up{{site="seoul"}}')
    return found.matchers


def _read(expression: promql.Expr) -> Number | Selector:
    if isinstance(expression, promql.ParenExpr):
        return _read(expression.expr)
    if isinstance(expression, promql.VectorSelector):
        return Selector(_matchers(expression))
    if isinstance(expression, promql.MatrixSelector):
        return Selector(_matchers(expression.vector_selector), round(expression.range.total_seconds() * 1000))
    number = _number(expression)
    if number is None:
        raise _refused(_culprit(expression))
    return Number(number)


def _matchers(selector: promql.VectorSelector) -> Matchers:
    if not _is_plain(selector):
        raise _refused(selector)
    try:
        found = tuple(matcher(one.name, _OPS[str(one.op)], one.value) for one in selector.matchers.matchers)
        if selector.name:
            return (matcher("__name__", "=", selector.name), *found)
    except BadPattern as why:
        raise BadQuery(f"parse error: {why}") from why
    return found


def _number(expression: promql.Expr) -> float | None:
    """The value of an expression of plain numbers; None where there is anything else in it."""
    if isinstance(expression, promql.NumberLiteral):
        return float(expression.val)
    if isinstance(expression, promql.ParenExpr):
        return _number(expression.expr)
    if isinstance(expression, promql.UnaryExpr):
        value = _number(expression.expr)
        return None if value is None else -value
    if isinstance(expression, promql.BinaryExpr):
        left, right = _number(expression.lhs), _number(expression.rhs)
        compute = _ARITHMETIC.get(str(expression.op))
        return None if left is None or right is None or compute is None else compute(left, right)
    return None


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}


def _culprit(expression: promql.Expr) -> promql.Expr:
    """The innermost part that is not understood: what somebody would have to do without."""
    for inner in _inside(expression):
        if not _is_plain(inner):
            return _culprit(inner)
    return expression


def _is_plain(expression: promql.Expr) -> bool:
    if isinstance(expression, promql.ParenExpr):
        return _is_plain(expression.expr)
    if isinstance(expression, promql.MatrixSelector):
        return _is_plain(expression.vector_selector)
    if isinstance(expression, promql.VectorSelector):
        return expression.offset is None and expression.at is None and not expression.matchers.or_matchers
    return isinstance(expression, promql.StringLiteral) or _number(expression) is not None


def _inside(expression: promql.Expr) -> list[promql.Expr]:
    if isinstance(expression, promql.BinaryExpr):
        return [expression.lhs, expression.rhs]
    if isinstance(expression, promql.Call):
        return list(expression.args)
    if isinstance(expression, promql.ParenExpr | promql.UnaryExpr | promql.AggregateExpr | promql.SubqueryExpr):
        return [expression.expr]
    return []


def _refused(expression: promql.Expr) -> BadQuery:
    return BadQuery(
        f"not understood here: {expression.prettify()}: the collector answers plain selectors "
        '(name{label="value"}, with [range] in instant queries) and numbers; ask a Prometheus for the rest'
    )
