"""A TOML file that people write, read with every mistake in it gathered, each with the line where it can be told."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from collector.errors import TopologyError


def parse(text: str, file: str) -> dict[str, Any]:
    """Raises TopologyError where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as why:
        raise TopologyError([f"{file}: not TOML: {why}"]) from why


class Mistakes:
    """What is wrong with a file, found in any order, told in the order of its lines. tomllib keeps no lines, so the text is
    read again for them."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._found: list[tuple[int, str]] = []
        self._lines = text.splitlines()
        self._heads: dict[str, list[int]] = {}
        for number, line in enumerate(self._lines, 1):
            head = re.match(r"\s*\[\[\s*([\w-]+)\s*\]\]", line)
            if head:
                self._heads.setdefault(head[1], []).append(number)

    def add(self, text: str, line: int | None) -> None:
        self._found.append((line or 0, f"{self._file}{f':{line}' if line else ''}: {text}"))

    def tell(self) -> None:
        """Raises TopologyError if there are any."""
        if self._found:
            raise TopologyError([text for _, text in sorted(self._found, key=lambda mistake: mistake[0])])

    def top(self, key: str) -> int | None:
        """The line of a key of the file itself, or the first table of that name."""
        return next(
            (n for n, line in enumerate(self._lines, 1) if re.match(rf"\s*(\[+\s*)?{re.escape(key)}\b", line)), None
        )

    def head(self, noun: str, index: int) -> int | None:
        """The line of the head of a table ``[[noun]]``."""
        heads = self._heads.get(noun, [])
        return heads[index] if index < len(heads) else None

    def key(self, noun: str, index: int, key: str) -> int | None:
        """The line of a key in such a table, or of a value given with its quotes; else of the head."""
        head = self.head(noun, index)
        if head is None:
            return None
        for number in range(head + 1, len(self._lines) + 1):
            line = self._lines[number - 1]
            if line.lstrip().startswith("["):
                break
            if key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
                return number
            if key.startswith('"') and key in line:  # a value, as a string stands in the file
                return number
        return head
