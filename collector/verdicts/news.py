"""What of many is another object than before. Looked at on every tick for every host, so no lookup each where it can be
helped: a dict that only replaces values keeps its order, and two of the same order can be walked side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import is_not
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def news(now: Mapping[K, V], before: Mapping[K, V]) -> list[K]:
    """Keys of ``now`` whose value is not the very object it was."""
    if len(now) == len(before) and list(now) == list(before):
        return list(compress(now, map(is_not, now.values(), before.values())))
    return [key for key, value in now.items() if before.get(key) is not value]
