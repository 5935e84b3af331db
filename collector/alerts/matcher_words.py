r"""Matchers as Alertmanager writes them: ``alertname="DiskFull"``, ``site=~abuja|seoul``, ``"label with spaces"!="x"``.

The classic grammar first, then the one for UTF-8 names (Alertmanager 0.27), as Alertmanager does where both are allowed:
a name or a value may be quoted, then with the escapes of a JSON string. Pure.
"""

from __future__ import annotations

import json
import re

from collector.history.matchers import BadPattern, matcher

CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)
_BARE = r'[^{}!=~,\\"\'`\s]+'
_QUOTED = r'"(?:[^"\\]|\\.)*"'
UTF8 = re.compile(rf"\s*({_BARE}|{_QUOTED})\s*(=~|!=|!~|=)\s*({_BARE}|{_QUOTED})\s*", re.DOTALL)
OPERATORS = ("=", "!=", "=~", "!~")
_ESCAPED = re.compile(r'\\([\\"n])')
Word = tuple[str, str, str]


class BadMatcher(Exception):
    """Not a matcher; the message shows it."""


def read_matcher(text: str) -> Word:
    """(label, operator, value). Raises BadMatcher."""
    classic = CLASSIC.fullmatch(text)
    if classic is not None:
        value = _classic(classic[3])
        if value is not None:
            return checked(classic[1], classic[2], value)
    found = UTF8.fullmatch(text)
    if found is None:
        raise BadMatcher(f"bad matcher format: {text}")
    return checked(_plain(found[1], text), found[2], _plain(found[3], text))


def checked(label: str, operator: str, value: str) -> Word:
    """The same, with a name and a pattern that can be used. Raises BadMatcher."""
    if not label:
        raise BadMatcher('invalid label name ""')
    if operator not in OPERATORS:
        raise BadMatcher(f"operator {operator!r}: expected one of {', '.join(OPERATORS)}")
    try:
        matcher(label, operator, value)
    except BadPattern as why:
        raise BadMatcher(str(why)) from why
    return label, operator, value


def _classic(text: str) -> str | None:
    """The value of the classic grammar, in quotes or as it is; None where its quotes do not fit."""
    if text.startswith('"') or (text.endswith('"') and not text.endswith('\\"')):
        if len(text) < 2 or re.fullmatch(_QUOTED, text, re.DOTALL) is None:
            return None
        text = text[1:-1]
    elif re.search(r'(?<!\\)"', text):
        return None
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _plain(text: str, whole: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text, strict=False))
    except ValueError as why:
        raise BadMatcher(f"bad matcher format: {whole}: {why}") from why
