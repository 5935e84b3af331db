"""What became of the numbers of one epoch: settled, lost, rolled up, handed out, held by a hub. Memory only.

What may be deleted: only numbers that a receipt of the centre covers *and* that this process sent and heard an answer
for. The second half protects a machine that was rolled back or copied: the centre may hold a twin's records under the
same numbers, and only ours arriving lets it see the fork. After a restart, unsettled records are therefore sent once
more.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.link.model import Loss
from agent.link.ranges import Range, Ranges
from agent.link.spool_part import Part


class Numbers:
    """``losses`` and ``rollups``: by the number of a record not yet settled, what it declares or stands for.

    ``gone``: numbers that are never handed out, because they are lost or in a roll-up.
    """

    def __init__(self, acked: Ranges, losses: dict[int, Loss], rollups: dict[int, Ranges]) -> None:
        self.acked = acked
        self.losses = losses
        self.rollups = rollups
        self.gone = Ranges((loss.first, loss.last) for loss in losses.values())
        for stands_for in rollups.values():
            self._all_gone(stands_for)
        self.lost_count = 0
        self._sent = Ranges()
        self._held: dict[str, Ranges] = {}

    def _all_gone(self, spans: Iterable[Range]) -> None:
        for span in spans:
            self.gone.add(*span)

    # ------------------------------------------------------------ what happens to them

    def note_sent(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self._sent.add(seq)

    def note_held(self, who: str, held: Ranges) -> None:
        """What a hub says it holds of what we sent it."""
        self._held[who] = held

    def note_rollup(self, seq: int, stands_for: Ranges) -> None:
        self.rollups[seq] = stands_for
        self._all_gone(stands_for)

    def lose(self, first: int, last: int) -> None:
        self.gone.add(first, last)
        self.lost_count += last - first + 1

    def settle(self, ranges: Iterable[Range]) -> None:
        """A receipt of the centre covers these numbers; what was handed out of them is done with."""
        for first, last in ranges:
            for a, b in self._sent:
                if max(a, first) <= min(b, last):
                    self.acked.add(max(a, first), min(b, last))
        for seq in [seq for seq in self.losses if seq in self.acked]:
            loss = self.losses.pop(seq)
            self.acked.add(loss.first, loss.last)
        for seq in [seq for seq in self.rollups if seq in self.acked]:
            for span in self.rollups.pop(seq):
                self.acked.add(*span)

    def take_out(self, part: Part) -> Ranges:
        """Everything that must be said of a segment before it goes: its open numbers, and what its losses and roll-ups
        said of others. These are then no longer remembered.
        """
        doomed = self.to_say(part)
        for seq in [seq for seq in self.losses if seq in part.seqs]:
            loss = self.losses.pop(seq)
            self.lost_count -= loss.last - loss.first + 1
        for seq in [seq for seq in self.rollups if seq in doomed]:
            del self.rollups[seq]
        return doomed

    def to_say(self, part: Part) -> Ranges:
        doomed = self.open_in(part)
        for seq, loss in self.losses.items():  # what they declared must still be said
            if seq in part.seqs:
                doomed.add(loss.first, loss.last)
        for seq, stands_for in self.rollups.items():
            if seq in doomed:
                for gap in (gap for span in stands_for for gap in self.acked.gaps(*span)):
                    doomed.add(*gap)
        return doomed

    # ------------------------------------------------------------ looking

    def is_done(self, seq: int) -> bool:
        return seq in self.acked or seq in self.gone

    def done(self) -> Ranges:
        """Numbers nobody needs a record for any more."""
        return Ranges([*self.acked, *self.gone])

    def held(self) -> Ranges:
        return Ranges(span for by_one in self._held.values() for span in by_one)

    def open_in(self, part: Part) -> Ranges:
        """The numbers of a segment that are not done."""
        done = self.done()
        return Ranges(gap for span in part.seqs for gap in done.gaps(*span))
