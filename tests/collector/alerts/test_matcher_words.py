"""Alertmanager's grammar of matchers, classic and for UTF-8 names."""

from __future__ import annotations

import pytest

from collector.alerts.matcher_words import BadMatcher, read_matcher


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("foo=bar", ("foo", "=", "bar")),
        ('foo="bar"', ("foo", "=", "bar")),
        (' foo != " b a r " ', ("foo", "!=", " b a r ")),
        ("foo=~(a|b).*", ("foo", "=~", "(a|b).*")),
        ('foo!~"a\\"b\\\\n\\n"', ("foo", "!~", 'a"b\\n\n')),
        ("foo=", ("foo", "=", "")),
        ("foo=bar=baz", ("foo", "=", "bar=baz")),
        ("foo=a b,c", ("foo", "=", "a b,c")),
        ('"foo bar"="baz"', ("foo bar", "=", "baz")),
        ('사이트="아부자"', ("사이트", "=", "아부자")),
        ('"\\u00e9t\\u00e9"=~x', ("été", "=~", "x")),
    ],
)
def test_read(text: str, read: tuple[str, str, str]) -> None:
    assert read_matcher(text) == read


@pytest.mark.parametrize(
    "text", ["", "foo", "=bar", 'foo="bar', 'foo=bar"', "foo=~(", 'foo="b"ar"', "foo bar=1", "{a=b}"]
)
def test_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        read_matcher(text)
