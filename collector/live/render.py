"""A host's numbers as exposition text, one piece per metric family.

orjson writes a whole vector of floats at once; the shape's skeleton takes them in; the host's labels go in last.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
import orjson

from agent.link.names import ABSENT_WORD
from collector.live.board import LiveHost
from collector.live.shape import FAMILY, HOST, Shape

_AS_ARRAY = orjson.OPT_SERIALIZE_NUMPY


class Part(NamedTuple):
    """Some families of a shape, one behind the other."""

    names: tuple[str, ...]
    """Of the families."""
    first: int
    last: int
    """Columns ``first`` to before ``last`` are theirs."""
    skeleton: list[bytes]
    """As ``Shape.skeleton``, of these columns."""
    family_at: dict[str, int]
    family_bytes: tuple[int, ...]
    bytes: int
    """About how much text of one host it is."""


def part_of(shape: Shape, from_name: str = "", to_name: str = "\x7f") -> Part | None:
    """The families from one name to another, both among them; None where the shape has none of these."""
    names = [name for name, _ in shape.families]
    low, high = bisect_left(names, from_name), bisect_right(names, to_name)
    if low == high:
        return None
    first = shape.first[names[low]]
    last = shape.first[names[high]] if high < len(names) else len(shape.names)
    sizes = shape.family_bytes[low:high]
    return Part(
        tuple(names[low:high]),
        first,
        last,
        list(shape.skeleton[2 * first : 2 * last]),
        {name: at for at, name in enumerate(names[low:high])},
        sizes,
        sum(sizes),
    )


def pieces(host: LiveHost, labels: bytes, part: Part) -> list[bytes]:
    """Lines of each family of ``part``, in that order, without the last newline.

    ``labels`` is the host's own part, ``agency="…",…,job="node"``. A family all of whose values are absent is ``b""``.
    """
    words = host.words[part.first : part.last]
    text = orjson.dumps(words.view(np.float64), option=_AS_ARRAY)
    numbers = text[1:-1].split(b",")
    if b"null" in text:
        if bool((words == ABSENT_WORD).any()):
            return _render_some(host, labels, part)
        values = words.view(np.float64)
        numbers = [
            written if written != b"null" else special(value) for written, value in zip(numbers, values, strict=True)
        ]
    lines = part.skeleton.copy()
    lines[1::2] = numbers
    return b"".join(lines).replace(HOST, labels).split(FAMILY)[1:]


def _render_some(host: LiveHost, labels: bytes, part: Part) -> list[bytes]:
    """The slow way, for a sample with absent values: those lines are left out."""
    names, words = host.columns.shape.names, host.words[part.first : part.last]
    lines: dict[str, list[bytes]] = {name: [] for name in part.names}
    for at, (word, value) in enumerate(zip(words.tolist(), words.view(np.float64).tolist(), strict=True)):
        if word != ABSENT_WORD:
            prefix = part.skeleton[2 * at].lstrip(FAMILY + b"\n").replace(HOST, labels)
            lines[names[part.first + at]].append(prefix + special(value))
    return [b"\n".join(of_family) for of_family in lines.values()]


def special(value: float) -> bytes:
    """Any float as the text format writes it."""
    if math.isnan(value):
        return b"NaN"
    if math.isinf(value):
        return b"+Inf" if value > 0 else b"-Inf"
    return repr(float(value)).encode()
