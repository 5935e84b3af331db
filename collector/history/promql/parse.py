"""From text to a plan, or to a refusal that names the part that is not understood.

promql-parser reads the text, so what we take is read as Prometheus reads it, and what we refuse is at least PromQL.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import promql_parser as promql

from collector.history.matchers import BadPattern, Matchers, matcher
from collector.history.promql.plan import (
    AGGREGATIONS,
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    SETS,
    Aggregation,
    Binary,
    Call,
    Matching,
    Negation,
    Node,
    Number,
    Selector,
    Text,
)

_OPS = {  # by their names: newer promql-parsers make them unhashable
    str(promql.MatchOp.Equal): "=",
    str(promql.MatchOp.NotEqual): "!=",
    str(promql.MatchOp.Re): "=~",
    str(promql.MatchOp.NotRe): "!~",
}
MAX_QUERY_CHARS = 64 << 10
MAX_OPERATORS = 500
"""Each may nest the rest one deeper, and the parser's own recursion ends the process at some thousands."""
_STRINGS = re.compile(r"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)
_OPERATORS = re.compile(r"[-(+*/%^<>=!{\[:]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
MAX_DEPTH = 200
"""Of expressions in each other, for our own recursion."""


class BadQuery(Exception):
    """A query cannot be answered: no PromQL, or more of it than is understood here. The message names the part."""


def parse(text: str) -> Node:
    """What a query asks for. Raises BadQuery."""
    if len(text) > MAX_QUERY_CHARS:
        raise BadQuery(f"query of {len(text)} characters: expected at most {MAX_QUERY_CHARS}")
    if not text.strip():
        raise BadQuery("unknown position: parse error: no expression found in input")
    if _operators(text) > MAX_OPERATORS:
        raise BadQuery(f"query with more than {MAX_OPERATORS} operators and parentheses: write it in parts")
    try:
        expression = promql.parse(text)
    except ValueError as why:
        raise BadQuery(f"parse error: {why}") from why
    return _read(expression, 0)


def _operators(text: str) -> int:
    """How many operators and parentheses a query has, those in texts left aside."""
    return len(_OPERATORS.findall(_STRINGS.sub("", text)))


def parse_selector(text: str) -> Matchers:
    """The matchers of a ``match[]`` parameter. Raises BadQuery."""
    found = parse(text)
    if not isinstance(found, Selector) or found.range_ms is not None or found.offset_ms:
        raise BadQuery(f'invalid parameter "match[]": {text!r}: expected a plain selector such as up{{site="seoul"}}')
    return found.matchers


def _read(expression: Any, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise BadQuery(f"not understood here: more than {MAX_DEPTH} expressions in each other")
    depth += 1
    if isinstance(expression, promql.ParenExpr):
        return _read(expression.expr, depth)
    said = expression.prettify()
    if isinstance(expression, promql.NumberLiteral):
        return Number(said, float(expression.val))
    if isinstance(expression, promql.StringLiteral):
        return Text(said, expression.val)
    if isinstance(expression, promql.VectorSelector):
        return Selector(said, *_selected(expression, said))
    if isinstance(expression, promql.MatrixSelector):
        return Selector(said, *_selected(expression.vector_selector, said), _ms(expression.range))
    if isinstance(expression, promql.UnaryExpr):
        return Negation(said, _read(expression.expr, depth))
    if isinstance(expression, promql.Call):
        return _call(expression, said, depth)
    if isinstance(expression, promql.AggregateExpr):
        return _aggregation(expression, said, depth)
    if isinstance(expression, promql.BinaryExpr):
        return _binary(expression, said, depth)
    raise _refused(said, "a subquery" if isinstance(expression, promql.SubqueryExpr) else type(expression).__name__)


def _selected(selector: Any, said: str) -> tuple[Matchers, int]:
    if selector.at is not None:
        raise _refused(said, "@")
    if selector.matchers.or_matchers:
        raise _refused(said, "or between matchers")
    try:
        found = tuple(matcher(one.name, _OPS[str(one.op)], one.value) for one in selector.matchers.matchers)
        if selector.name:
            found = (matcher("__name__", "=", selector.name), *found)
    except BadPattern as why:
        raise BadQuery(f"parse error: {why}") from why
    return found, _ms(selector.offset) if selector.offset is not None else 0


def _call(call: Any, said: str, depth: int) -> Node:
    name = call.func.name
    args = tuple(_read(arg, depth) for arg in call.args)  # inside out: the innermost part is the one to name
    if name not in FUNCTIONS:
        raise _refused(said, f"{name}()")
    if name == "label_replace" and not all(isinstance(arg, Text) for arg in args[1:]):
        raise _refused(said, "label_replace() with anything but plain texts")
    return Call(said, name, args)


def _aggregation(expression: Any, said: str, depth: int) -> Node:
    op = str(expression.op)
    of = _read(expression.expr, depth)
    count = _read(expression.param, depth) if expression.param is not None else None
    if op not in AGGREGATIONS:
        raise _refused(said, op)
    by = expression.modifier
    labels = tuple(by.labels) if by is not None else ()
    is_without = by is not None and by.type == promql.AggModifierType.Without
    return Aggregation(said, op, of, labels, is_without, count)


def _binary(expression: Any, said: str, depth: int) -> Node:
    left, right = _read(expression.lhs, depth), _read(expression.rhs, depth)
    op, found = str(expression.op), expression.modifier
    if op not in ARITHMETIC | COMPARISONS | SETS:
        raise _refused(said, op)
    if found is None:
        return Binary(said, op, left, right, False, Matching())
    fill = getattr(found, "fill_values", None)
    if fill is not None and (getattr(fill, "lhs", None) is not None or getattr(fill, "rhs", None) is not None):
        raise _refused(said, "fill")
    many = ""
    if found.card == promql.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif found.card == promql.VectorMatchCardinality.OneToMany:
        many = "right"
    by = found.matching
    return Binary(
        said,
        op,
        left,
        right,
        bool(found.return_bool),
        Matching(
            tuple(by.labels) if by is not None else (),
            by is not None and by.type == promql.LabelModifierType.Include,
            many,
            tuple(found.group_labels or ()),
        ),
    )


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _refused(said: str, part: str) -> BadQuery:
    return BadQuery(
        f"not understood here: {said}: {part} is not part of the PromQL the collector evaluates itself; "
        "ask a Prometheus, or set [history] upstream"
    )
