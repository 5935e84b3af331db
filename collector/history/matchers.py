"""Label matchers: ``=``, ``!=``, ``=~``, ``!~`` as Prometheus means them.

A label that is not there counts as empty. A pattern must match the whole value, and a dot matches a newline too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import re2

_OPTIONS = re2.Options()
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False


class BadPattern(Exception):
    """A pattern is no RE2 expression; the message says what is wrong with it."""


class Matcher(NamedTuple):
    label: str
    op: str
    """``=``, ``!=``, ``=~`` or ``!~``."""
    value: str
    accepts: Callable[[str], bool]
    """Whether a label value passes."""


def matcher(label: str, op: str, value: str) -> Matcher:
    """A matcher ready to be used. Raises BadPattern."""
    if op == "=":
        return Matcher(label, op, value, value.__eq__)
    if op == "!=":
        return Matcher(label, op, value, value.__ne__)
    pattern = compiled(value)
    if op == "=~":
        return Matcher(label, op, value, lambda text: pattern.fullmatch(text) is not None)
    assert op == "!~", op
    return Matcher(label, op, value, lambda text: pattern.fullmatch(text) is None)


def compiled(pattern: str) -> Any:
    """A pattern of RE2. Raises BadPattern."""
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as why:
        said = why.args[0] if why.args else why
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise BadPattern(f'error parsing regexp "{pattern}": {text}') from why


Matchers = tuple[Matcher, ...]


def accept(matchers: Iterable[Matcher], labels: dict[str, str]) -> bool:
    """Whether a set of labels passes every matcher."""
    return all(one.accepts(labels.get(one.label, "")) for one in matchers)
