"""Pieces of one series, from several chunks, schemas or agents, to one series in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from collector.history.chunk import Instants, Words


class Piece(NamedTuple):
    """Some instants of a series in any order; no words where only the instants matter."""

    times: Instants
    words: Words | None


class Joined(NamedTuple):
    times: Instants
    words: Words


def join(pieces: Sequence[Piece]) -> Joined:
    """All pieces in order of time. Of several values at one instant the first piece's stands."""
    times = np.concatenate([piece.times for piece in pieces])
    words = np.concatenate([piece.words for piece in pieces if piece.words is not None])
    if len(times) > 1 and not (times[1:] > times[:-1]).all():
        times, first = np.unique(times, return_index=True)
        words = words[first]
    return Joined(times, words)
