"""A host's numbers as exposition text, one piece per metric family.

orjson writes a whole vector of floats at once; the shape's skeleton takes them in; the host's labels go in last. A
rendered host keeps its pieces until it reports anew, so a second scrape costs only joining and compressing.
"""

from __future__ import annotations

import math

import numpy as np
import orjson

from agent.link.names import ABSENT_WORD
from collector.live.board import LiveHost
from collector.live.shape import FAMILY, HOST

_AS_ARRAY = orjson.OPT_SERIALIZE_NUMPY


def pieces(host: LiveHost, labels: bytes) -> list[bytes]:
    """Lines of each family of ``host.columns.shape.families``, in that order, without the last newline.

    ``labels`` is the host's own part, ``agency="…",…,job="node"``. A family all of whose values are absent is ``b""``.
    """
    if host.pieces is None:
        host.pieces = _render(host, labels)
    return host.pieces


def _render(host: LiveHost, labels: bytes) -> list[bytes]:
    shape = host.columns.shape
    if not shape.names:
        return []
    values = host.words.view(np.float64)
    text = orjson.dumps(values, option=_AS_ARRAY)
    numbers = text[1:-1].split(b",")
    if b"null" in text:
        if bool((host.words == ABSENT_WORD).any()):
            return _render_some(host, labels)
        numbers = [
            written if written != b"null" else special(value) for written, value in zip(numbers, values, strict=True)
        ]
    lines = list(shape.skeleton)
    lines[1::2] = numbers
    return b"".join(lines).replace(HOST, labels).split(FAMILY)[1:]


def _render_some(host: LiveHost, labels: bytes) -> list[bytes]:
    """The slow way, for a sample with absent values: those lines are left out."""
    shape = host.columns.shape
    lines: dict[str, list[bytes]] = {name: [] for name, _ in shape.families}
    for column, (word, value) in enumerate(zip(host.words.tolist(), host.words.view(np.float64).tolist(), strict=True)):
        if word != ABSENT_WORD:
            prefix = shape.skeleton[2 * column].lstrip(FAMILY + b"\n").replace(HOST, labels)
            lines[shape.names[column]].append(prefix + special(value))
    return [b"\n".join(lines[name]) for name, _ in shape.families]


def special(value: float) -> bytes:
    """Any float as the text format writes it."""
    if math.isnan(value):
        return b"NaN"
    if math.isinf(value):
        return b"+Inf" if value > 0 else b"-Inf"
    return repr(float(value)).encode()
