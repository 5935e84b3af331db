"""One batch on its way: which piece is next, and what becomes of one that was refused.

A store that finds one bad sample stores nothing of the whole request, so a refused piece is halved until the bad ones are
alone; they are dropped and counted, all others arrive. Refusals for age come a report at a time, so they are halved to
reports and not to samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from collector.exposition.remote_write.batch import Batch, Piece
from collector.exposition.remote_write.reply import BY_AGE, REFUSED

SUSPECTS = 4
"""Samples refused one by one in unknown words, far apart and with nothing taken between them: it is not the samples."""


class Sending:
    """``next`` is to be sent; then tell what came of it: ``taken``, ``refused`` or ``doubted``. Over when it is None."""

    def __init__(self, batch: Batch, pieces: Iterable[Piece]) -> None:
        self.batch = batch
        self._whole = list(pieces)[::-1]
        self._parts: list[Piece] = []
        """Of the piece in hand, the next one last."""
        self._suspects: list[Piece] = []
        self._here: Counter[str] = Counter()
        """What became of samples of the piece in hand."""
        self._first_here: dict[str, int] = {}
        self.results: Counter[str] = Counter()
        """What became of samples: ``sent``, or why they were dropped."""
        self.examples: dict[str, int] = {}
        """For each reason, the first sample that was dropped for it."""
        self._take_up()

    @property
    def next(self) -> Piece | None:
        return self._parts[-1] if self._parts else None

    @property
    def has_sent(self) -> bool:
        """Whether anything of it was taken."""
        return bool(self.results["sent"] or self._here["sent"])

    def taken(self) -> None:
        self._here["sent"] += self._parts.pop().samples
        self._go_on()

    def refused(self, reason: str, oldest_ms: int | None) -> None:
        """``oldest_ms`` is where the destination's window begins; what is older goes at once, where age is the reason."""
        piece = self._parts.pop()
        is_by_age = reason in BY_AGE
        if is_by_age and oldest_ms is not None:
            cut = piece.first + int(np.searchsorted(self.batch.times[piece.first : piece.end], oldest_ms))
            if cut > piece.first:
                self._drop(Piece(piece.first, cut), reason)
                if cut < piece.end:
                    self._parts.append(Piece(cut, piece.end))
                return self._go_on()
        if piece.samples == 1 or (is_by_age and self.batch.is_one_report(piece)):
            self._drop(piece, reason)
        else:
            self._halve(piece)
        return self._go_on()

    def doubted(self) -> bool:
        """Refused in words nobody knows. False: nothing passes at all, so the destination is to be tried again later."""
        piece = self._parts.pop()
        if piece.samples > 1:
            self._halve(piece)
            return True
        self._suspects.append(piece)
        if not self._here["sent"]:
            if len(self._suspects) >= SUSPECTS or not self._parts:
                self._whole.append(self._piece)
                self._take_up()
                return False
            self._parts.sort(key=lambda part: part.samples)  # bad samples lie together: go on far away from this one
        self._go_on()
        return True

    def _halve(self, piece: Piece) -> None:
        middle = (piece.first + piece.end) // 2
        self._parts += [Piece(middle, piece.end), Piece(piece.first, middle)]

    def _drop(self, piece: Piece, reason: str) -> None:
        self._here[reason] += piece.samples
        self._first_here.setdefault(reason, piece.first)

    def _go_on(self) -> None:
        if self._parts:
            return
        for suspect in self._suspects:
            self._drop(suspect, REFUSED)
        self.results += self._here
        for reason, first in self._first_here.items():
            self.examples.setdefault(reason, first)
        self._take_up()

    def _take_up(self) -> None:
        self._here, self._first_here, self._suspects = Counter(), {}, []
        if self._whole:
            self._piece = self._whole.pop()
            self._parts = [self._piece]
