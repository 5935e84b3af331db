"""Which queries are understood, how matchers match, and in which words the rest is refused."""

from __future__ import annotations

import math
import time

import pytest

from collector.history.matchers import BadPattern, accept, matcher
from collector.history.select import BadQuery, Number, Selector, parse, parse_selector

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
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert parse(text) == Number(value)


def test_zero_divided_by_zero_is_no_number() -> None:
    found = parse("0/0")
    assert isinstance(found, Number)
    assert math.isnan(found.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rate(node_cpu_seconds_total[5m])", "rate(node_cpu_seconds_total[5m])"),
        ("sum by (site) (up)", "sum by (site) (up)"),
        ("sum by (site) (rate(x[5m]))", "rate(x[5m])"),
        ("sum((up))", "sum((up))"),
        ("up + 1", "up + 1"),
        ("1 + rate(x[1m])", "rate(x[1m])"),
        ("-up", "-up"),
        ("up offset 5m", "up offset 5m"),
        ("rate(up[5m] offset 1h)", "up[5m] offset 1h"),
        ("up @ 1", "up @ 1.000"),
        ("up[5m:1m]", "up[5m:1m]"),
        ('"text"', '"text"'),
        ('up{a="1" or b="2"}', "or"),
        ("2 ^ 3", "2 ^ 3"),
        ("1 == bool 2", "1 == bool 2"),
    ],
)
def test_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(BadQuery) as why:
        parse(text)
    said = str(why.value)
    assert said.startswith("not understood here: ")
    assert named in said.split(": the collector answers")[0]


@pytest.mark.parametrize(
    "text", ["", " ", "up{", "{}", '{a=~".*"}', 'up{a=~"("}', "up[5x]", "sum(", "a" * 70_000, 'up{a=~"(?=x)"}']
)
def test_no_promql(text: str) -> None:
    with pytest.raises(BadQuery):
        parse(text)


@pytest.mark.parametrize("text", ["1", "up[5m]", "sum(up)"])
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
