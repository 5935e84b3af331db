"""Which queries are understood, how matchers match, and in which words the rest is refused."""

from __future__ import annotations

import math
import time

import pytest

from collector.history.matchers import BadPattern, accept, matcher
from collector.history.promql.evaluate import Evaluator, reach_ms
from collector.history.promql.parse import BadQuery, parse, parse_selector
from collector.history.promql.plan import Selector
from collector.history.promql.values import Scalar
from collector.history.query import steps
from collector.store.scope import EVERYTHING

UNDERSTOOD = [
    ("up", [("__name__", "=", "up")], None),
    ("(up)", [("__name__", "=", "up")], None),
    ('up{site="seoul"}', [("__name__", "=", "up"), ("site", "=", "seoul")], None),
    (
        'up{site!="seoul",hub=~"a|b",job!~"n.*"}',
        [("__name__", "=", "up"), ("site", "!=", "seoul"), ("hub", "=~", "a|b"), ("job", "!~", "n.*")],
        None,
    ),
    ('{__name__=~"node_(load1|load5)"}', [("__name__", "=~", "node_(load1|load5)")], None),
    ("up[5m]", [("__name__", "=", "up")], 300_000),
    ('up{a="b"}[1h30m]', [("__name__", "=", "up"), ("a", "=", "b")], 5_400_000),
    ("up[100ms]", [("__name__", "=", "up")], 100),
    ('up{a="x\\"y\\n"}', [("__name__", "=", "up"), ("a", "=", 'x"y\n')], None),
]


@pytest.mark.parametrize(("text", "matchers", "range_ms"), UNDERSTOOD, ids=[row[0] for row in UNDERSTOOD])
def test_understood(text: str, matchers: list[tuple[str, str, str]], range_ms: int | None) -> None:
    found = parse(text)
    assert isinstance(found, Selector)
    assert [one[:3] for one in found.matchers] == matchers
    assert found.range_ms == range_ms


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1", -1.0),
        ("1+1", 2.0),
        ("2 * (3 - 1)", 4.0),
        ("1/0", math.inf),
        ("-(1)/0", -math.inf),
        ("1e3", 1000.0),
        ("Inf", math.inf),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("-7 % 3", -1.0),
        ("1 == bool 2", 0.0),
        ("0/0", math.nan),
    ],
)
def test_numbers(text: str, value: float) -> None:
    found = Evaluator((), EVERYTHING, steps(0, 0, 1)).evaluate(parse(text))
    assert isinstance(found, Scalar)
    assert found.values[0] == value or (math.isnan(value) and math.isnan(found.values[0]))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sum by (site) (deriv(x[5m]))", "deriv(x[5m])"),
        ("1 + rate(x[1m:5s])", "x[1m:5s]"),
        ("up @ 1", "up @ 1.000"),
        ("sum(up @ end())", "up @ end()"),
        ("max_over_time(rate(x[5m])[1h:])", "rate(x[5m])[1h:]"),
        ('up{a="1" or b="2"}', 'up{a="1" or b="2"}'),
        ("quantile(0.9, up)", "quantile(0.9, up)"),
        ('count_values("v", up)', 'count_values("v", up)'),
        ("up atan2 1", "up atan2 1"),
        ("a + on (x) group_left () fill (0) b", "a + on (x) group_left () fill (0) b"),
        ("histogram_quantile(0.9, x)", "histogram_quantile(0.9, x)"),
        ("sort(topk(1, abs(up)))", "abs(up)"),  # the innermost part is the one to do without
        ("holt_winters(x[5m], 0.1, 0.2)", "holt_winters"),
    ],
)
def test_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(BadQuery) as why:
        parse(text)
    said = str(why.value)
    if "unknown function" not in said:  # the parser does not know the oldest names at all
        assert said.startswith(f"not understood here: {named}: "), said
    assert named in said


@pytest.mark.parametrize(
    "text",
    ["", " ", "up{", "{}", '{a=~".*"}', 'up{a=~"("}', "up[5x]", "sum(", "a" * 70_000, 'up{a=~"(?=x)"}', "rate(up)"],
)
def test_no_promql(text: str) -> None:
    with pytest.raises(BadQuery):
        parse(text)


@pytest.mark.parametrize("text", ["(" * 20_000 + "x" + ")" * 20_000, "-" * 20_000 + "x", "1" + "+1" * 20_000])
def test_a_query_that_nests_without_end_is_refused_before_it_is_read(text: str) -> None:
    """The parser would go down with it, and the process with the parser."""
    with pytest.raises(BadQuery, match="operators"):
        parse(text)


def test_operators_inside_texts_are_none() -> None:
    assert isinstance(parse('up{a=~"' + "(a-b)|" * 600 + 'c"}'), Selector)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("up", 300),
        ("rate(x[1h])", 3600),
        ("rate(x[5m] offset 1h) + up", 3900),
        ("sum(rate(x[10m])) > on () x", 600),
        ("1 + time()", 0),
    ],
)
def test_how_far_back_a_query_looks(text: str, seconds: int) -> None:
    assert reach_ms(parse(text)) == seconds * 1000


@pytest.mark.parametrize("text", ["1", "up[5m]", "sum(up)", "up offset 5m"])
def test_match_parameters_are_plain_selectors(text: str) -> None:
    with pytest.raises(BadQuery):
        parse_selector(text)


LABELS = {"site": "seoul", "path": "/a\nb", "한글": "봉수"}


@pytest.mark.parametrize(
    ("label", "op", "value", "passes"),
    [
        ("site", "=", "seoul", True),
        ("site", "=", "seou", False),
        ("site", "=", "", False),
        ("gone", "=", "", True),
        ("gone", "!=", "", False),
        ("site", "!=", "", True),
        ("site", "!=", "busan", True),
        ("gone", "!=", "busan", True),
        ("site", "=~", "seoul", True),
        ("site", "=~", "eou", False),  # a pattern matches the whole value
        ("site", "=~", "seo", False),
        ("site", "=~", "busan|seoul", True),
        ("site", "=~", "bus|seo", False),  # the anchors hold for each branch
        ("site", "=~", ".*", True),
        ("gone", "=~", ".*", True),
        ("gone", "=~", ".+", False),
        ("gone", "=~", "|x", True),
        ("site", "!~", "busan", True),
        ("site", "!~", "seoul", False),
        ("gone", "!~", ".+", True),
        ("site", "=~", "(?i)SEOUL", True),
        ("path", "=~", "/a.b", True),  # a dot matches a newline
        ("한글", "=~", "봉.", True),
        ("site", "=~", r"\w{5}", True),
    ],
)
def test_matching(label: str, op: str, value: str, passes: bool) -> None:
    assert accept((matcher(label, op, value),), LABELS) is passes


def test_pattern_that_is_none() -> None:
    with pytest.raises(BadPattern, match="error parsing regexp"):
        matcher("a", "=~", "(?=x)")


def test_no_pattern_makes_us_hang() -> None:
    evil = matcher("a", "=~", "(a+)+$b|(a|a)*c|(.*)*d")
    began = time.process_time()
    assert not evil.accepts("a" * 256)
    assert time.process_time() - began < 5  # a backtracking engine would take centuries
