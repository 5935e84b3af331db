"""Answers on standard output: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from unicodedata import east_asian_width


def print_rows(rows: Sequence[dict[str, Any]], as_json: bool, *, empty: str) -> None:
    """Rows as a table under their keys, or as a JSON list; ``empty`` says in words that there are none."""
    if as_json:
        print(
            json.dumps(
                [{key: _plain(value) for key, value in row.items()} for row in rows], ensure_ascii=False, indent=2
            )
        )
    elif rows:
        print(table([list(rows[0]), *[[_shown(value) for value in row.values()] for row in rows]]))
    else:
        print(empty)


def table(lines: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns two spaces apart; Korean letters take two places on a terminal."""
    lines = list(lines)
    widths = [max(_width(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _plain(value: Any) -> Any:
    """As JSON has it: bytes in lower-case hex, instants in RFC 3339."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    return value


def _shown(value: Any) -> str:
    value = _plain(value)
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
