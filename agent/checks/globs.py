"""Finding files by pattern with as few system calls as the answer needs.

``glob.glob`` lists every folder and stats every name; a tree of the pattern parts lists only the folders that hold a
wildcard and leaves it to ``open`` to find out whether a plain name is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

_LEAF = ""


@lru_cache(maxsize=256)
def pattern_tree(patterns: tuple[str, ...]) -> Mapping[str, Any]:
    """Parts of absolute patterns as nested dicts; the key ``""`` marks that a path may end here."""
    tree: dict[str, Any] = {}
    for pattern in patterns:
        assert pattern.startswith("/"), pattern
        node = tree
        for part in pattern.strip("/").split("/"):
            node = node.setdefault(part, {})
        node[_LEAF] = None
    return tree


@lru_cache(maxsize=1024)
def matcher(part: str) -> Callable[[str], bool] | None:
    """A test for names in one folder, None where the part has no wildcard. One ``*`` is by far the common case."""
    if "[" not in part and "?" not in part:
        if "*" not in part:
            return None
        head, _, tail = part.partition("*")
        if "*" not in tail:
            shortest = len(head) + len(tail)
            return lambda name: len(name) >= shortest and name.startswith(head) and name.endswith(tail)
    import fnmatch  # it brings in `re`, which most checks never need

    return lambda name: fnmatch.fnmatchcase(name, part)


def candidates(prefix: str, patterns: tuple[str, ...]) -> Iterator[str]:
    """Paths (without ``prefix``) that may be there: names under a wildcard exist, plain last parts are not looked at."""
    yield from _walk(prefix, "", pattern_tree(patterns))


def _walk(prefix: str, folder: str, node: Mapping[str, Any]) -> Iterator[str]:
    names: list[str] | None = None
    for part, children in node.items():
        if part == _LEAF:
            yield folder
            continue
        is_match = matcher(part)
        if is_match is None:
            yield from _walk(prefix, f"{folder}/{part}", children)
            continue
        if names is None:
            try:
                names = os.listdir(prefix + folder)  # noqa: PTH208 -- str paths keep a collection cheap
            except OSError:
                names = []
        for name in names:
            if is_match(name):
                yield from _walk(prefix, f"{folder}/{name}", children)
