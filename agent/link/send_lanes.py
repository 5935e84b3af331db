"""Which records go into the next request: the live lane, the backlog, and records under suspicion one by one."""

from __future__ import annotations

from collections.abc import Sequence

from agent.link.pace import RAW_BYTES, Pace
from agent.link.ranges import Ranges
from agent.link.send_collector import CollectorLink
from agent.link.send_request import Enclosed
from agent.link.spool import Spool
from agent.link.spool_record import Spooled, schema_of, size_of

SINGLES_PER_REQUEST = 20


class Lanes:
    """``live_seconds``: what was appended within them goes first. Age is told by the monotonic clock alone."""

    def __init__(self, spool: Spool, pace: Pace, live_seconds: float) -> None:
        self._spool = spool
        self._pace = pace
        self._live_seconds = live_seconds
        self._singly: dict[bytes, Ranges] = {}
        self._resting: dict[bytes, Ranges] = {}
        self._resting_until = 0.0

    def live(self, collector: CollectorLink, now: float) -> list[Enclosed]:
        if now >= self._resting_until:
            self._resting.clear()
        enclosed: list[Enclosed] = []
        with self._spool.lock:
            for shelf in self._spool.shelves():
                waiting = shelf.live(now - self._live_seconds, self._blocked(collector, shelf.epoch))
                enclosed += self._enclose(collector, shelf.epoch, _newest(waiting, self._pace.live_records))
        return enclosed

    def backlog(self, collector: CollectorLink) -> list[Enclosed]:
        with self._spool.lock:
            for shelf in self._spool.shelves():
                blocked = self._blocked(collector, shelf.epoch)
                records = shelf.backlog(blocked, self._pace.backlog_records, RAW_BYTES)
                if records:
                    return self._enclose(collector, shelf.epoch, records)
        return []

    def is_certain(self, epoch: bytes, seqs: Ranges) -> bool:
        """Whether a refusal of the whole envelope can only mean these records: it held one, or each was tried alone."""
        singly = self._singly.get(epoch) or Ranges()
        return seqs.count == 1 or all(singly.covers(*span) for span in seqs)

    def suspect(self, epoch: bytes, seqs: Ranges) -> None:
        """From now on each of these travels in an envelope of its own."""
        _add(self._singly, epoch, seqs)

    def rest(self, epoch: bytes, seqs: Ranges, until: float) -> None:
        """Leave records alone for a while: a refused loss record cannot be declared lost in turn."""
        _add(self._resting, epoch, seqs)
        self._resting_until = until

    def is_set_aside(self, collector: CollectorLink, epoch: bytes, seq: int) -> bool:
        return any(seq in (there.get(epoch) or Ranges()) for there in (self._singly, self._resting, collector.refused))

    def refused(self, by: CollectorLink, to: CollectorLink) -> list[Enclosed]:
        """What one collector, a hub, refuses and another one was not yet asked about: newest first, a few at a time."""
        with self._spool.lock:
            for shelf in self._spool.shelves():
                asked = self._blocked(to, shelf.epoch)
                open_ones = Ranges(gap for span in by.refuses(shelf.epoch) for gap in asked.gaps(*span))
                waiting = sorted(shelf.find(open_ones), key=lambda record: record.seq) if open_ones else []
                records = [record for record in waiting if not shelf.is_done(record.seq)]
                if records:
                    return self._enclose(to, shelf.epoch, records[-SINGLES_PER_REQUEST:])
        return []

    def follow(self, live_seconds: float) -> None:
        self._live_seconds = live_seconds

    def _blocked(self, collector: CollectorLink, epoch: bytes) -> Ranges:
        resting = self._resting.get(epoch) or Ranges()
        held, refused = collector.holds(epoch), collector.refuses(epoch)
        return Ranges([*held, *resting, *refused]) if resting or refused else held

    def _enclose(self, collector: CollectorLink, epoch: bytes, records: Sequence[Spooled]) -> list[Enclosed]:
        """One envelope, besides one for each suspect; schemas where this receiver has not seen them in this epoch."""
        shelf = self._spool.shelf(epoch)
        if shelf is None or not records:
            return []
        singly = self._singly.get(epoch) or Ranges()
        suspects = [record for record in records if record.seq in singly][-SINGLES_PER_REQUEST:]
        groups = [[record for record in records if record.seq not in singly], *([record] for record in suspects)]
        enclosed: list[Enclosed] = []
        for group in filter(None, groups):
            used = dict.fromkeys(needed for record in group if (needed := schema_of(record)) is not None)
            new = [wanted for wanted in used if (epoch, wanted) not in collector.known_schemas]
            schemas = [packed for wanted in new if (packed := shelf.schema(wanted)) is not None]
            enclosed.append(Enclosed(epoch, group, schemas))
        return enclosed


def _newest(records: Sequence[Spooled], count: int) -> list[Spooled]:
    """The last ``count`` of ascending records, fewer where they are large, one at least."""
    taken: list[Spooled] = []
    size = 0
    for record in reversed(records[-count:]):
        size += size_of(record)
        if taken and size > RAW_BYTES:
            break
        taken.append(record)
    return taken[::-1]


def _add(to: dict[bytes, Ranges], epoch: bytes, seqs: Ranges) -> None:
    ranges = to.setdefault(epoch, Ranges())
    for span in seqs:
        ranges.add(*span)
