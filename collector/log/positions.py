"""What is held and what is lost, by agent and epoch: the collector's memory of names.

``held`` are numbers whose record is stored; ``lost`` are numbers declared never to come and not held. Together they
are what a receipt covers. Recovered at start from the checkpoint and the log rows after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from agent.link.model import encode
from agent.link.ranges import Ranges
from collector.log.tables import checkpoint, envelopes, losses, positions

Name = tuple[bytes, bytes]
"""(agent_id, epoch)"""

RECENT = 32
"""Content hashes kept in memory for each name, so that an ordinary retry is told from a fork without a query."""
HASH_BYTES = 16
ANSWERED_RANGES = 64
RANGES_KEPT = 20_000
"""Of one name: numbers sent in order make a handful. Past this the agent is told to begin a new epoch."""
EPOCHS_KEPT = 10_000
"""Of one agent, for ever: one a restart without a spool, even every ten seconds, takes a day and shows by then."""


class Accepted(msgspec.Struct, array_like=True, frozen=True):
    """Column ``envelopes.accepted``: numbers an envelope brought first, their hashes, those from the future."""

    seqs: list[int]
    hashes: bytes
    future: list[int] = []

    def without(self, seqs: Set[int]) -> Accepted:
        kept = [at for at, seq in enumerate(self.seqs) if seq not in seqs]
        hashes = b"".join(self.hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)] for at in kept)
        return Accepted([self.seqs[at] for at in kept], hashes, [seq for seq in self.future if seq not in seqs])


_decode_accepted = msgspec.msgpack.Decoder(Accepted).decode
_decode_ranges = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


def read_accepted(packed: bytes) -> Accepted:
    accepted: Accepted = _decode_accepted(packed)
    return accepted


@dataclass(slots=True)
class Position:
    first_received_at_ms: int
    last_received_at_ms: int
    held: Ranges = field(default_factory=Ranges)
    lost: Ranges = field(default_factory=Ranges)
    recent: dict[int, bytes] = field(default_factory=dict)

    def hold(self, seq: int, content: bytes) -> None:
        """Note a stored record; a number once declared lost that came after all is no longer lost."""
        self.held.add(seq)
        if self.lost:
            self.lost.remove(seq, seq)
        if len(self.recent) >= RECENT:
            del self.recent[next(iter(self.recent))]
        self.recent[seq] = content

    def lose(self, first: int, last: int) -> list[tuple[int, int]]:
        """Note numbers that will never come; the ranges of them that are news."""
        news = [part for gap in self.held.gaps(first, last) for part in self.lost.gaps(*gap)]
        for part in news:
            self.lost.add(*part)
        return news

    def answered(self, asked: Iterable[int]) -> list[tuple[int, int]]:
        """Ranges for an answer: everything held or lost, or, of very many ranges, the newest and those asked about."""
        covered = self.held
        if self.lost:
            covered = Ranges(sorted([*self.held, *self.lost]))  # in order, so that each joins the end
        ranges = list(covered)
        if len(ranges) <= ANSWERED_RANGES:
            return ranges
        chosen = {found for seq in asked if (found := covered.around(seq)) is not None}
        return sorted(chosen.union(ranges[-ANSWERED_RANGES:]))


class Positions:
    """All positions, and which changed since the last checkpoint."""

    def __init__(self) -> None:
        self._known: dict[Name, Position] = {}
        self._epochs: Counter[bytes] = Counter()
        """How many epochs each agent has."""
        self._dirty: set[Name] = set()
        self.checkpoint_envelope = 0
        self._checkpoint_loss = 0

    def __contains__(self, name: Name) -> bool:
        return name in self._known

    def has_room(self, name: Name) -> bool:
        """Whether a name may be added: its agent has not begun too many epochs."""
        return name in self._known or self._epochs[name[0]] < EPOCHS_KEPT

    def pieces(self, name: Name) -> int:
        """How many ranges are remembered of a known name."""
        return len(self._known[name].held) + len(self._known[name].lost)

    def items(self) -> Iterable[tuple[Name, Position]]:
        return self._known.items()

    def get(self, name: Name, now_ms: int) -> Position:
        """The position of a name, made on first use; marked as changed."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Position(now_ms, now_ms)
            self._epochs[name[0]] += 1
        self._dirty.add(name)
        return known

    def held(self, name: Name) -> Ranges:
        """What is held of a known name; in the writer's thread."""
        return self._known[name].held

    def peek(self, name: Name) -> list[tuple[int, int]]:
        """What an answer says of a name that brought nothing new; in the writer's thread, after a commit."""
        known = self._known.get(name)
        return known.answered(()) if known is not None else []

    def restore(self, connection: Connection) -> None:
        """Read the checkpoint and replay what the log holds after it."""
        self._known.clear()
        self._epochs.clear()
        self._dirty.clear()
        mark = connection.execute(select(checkpoint)).first()
        self.checkpoint_envelope, self._checkpoint_loss = (mark.envelope_id, mark.loss_id) if mark else (0, 0)
        for row in connection.execute(select(positions)):
            self._known[row.agent_id, row.epoch] = Position(
                row.first_received_at_ms,
                row.last_received_at_ms,
                Ranges(_decode_ranges(row.held)),
                Ranges(_decode_ranges(row.lost)),
            )
            self._epochs[row.agent_id] += 1
        newer = select(envelopes.c.agent_id, envelopes.c.epoch, envelopes.c.received_at_ms, envelopes.c.accepted)
        for row in connection.execute(newer.where(envelopes.c.id > self.checkpoint_envelope).order_by(envelopes.c.id)):
            position = self.get((row.agent_id, row.epoch), row.received_at_ms)
            position.last_received_at_ms = max(position.last_received_at_ms, row.received_at_ms)
            accepted = read_accepted(row.accepted)
            for at, seq in enumerate(accepted.seqs):
                position.hold(seq, accepted.hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)])
        for row in connection.execute(select(losses).where(losses.c.id > self._checkpoint_loss)):
            self.get((row.agent_id, row.epoch), row.at_ms).lose(row.first_seq, row.last_seq)

    def save(self, connection: Connection) -> Callable[[], None]:
        """Write what changed and move the checkpoint, inside the caller's transaction.

        Only the writer's thread may call this, between two batches: memory then equals what is committed. The caller
        runs what is returned once its transaction is committed.
        """
        dirty = sorted(self._dirty)
        last_envelope = connection.execute(select(func.max(envelopes.c.id))).scalar() or self.checkpoint_envelope
        last_loss = connection.execute(select(func.max(losses.c.id))).scalar() or self._checkpoint_loss
        for agent_id, epoch in dirty:
            connection.execute(delete(positions).where(positions.c.agent_id == agent_id, positions.c.epoch == epoch))
        if dirty:
            connection.execute(insert(positions), [self._row(name) for name in dirty])
        connection.execute(delete(checkpoint))
        connection.execute(insert(checkpoint), {"id": 1, "envelope_id": last_envelope, "loss_id": last_loss})

        def saved() -> None:
            self._dirty.difference_update(dirty)
            self.checkpoint_envelope, self._checkpoint_loss = last_envelope, last_loss

        return saved

    @property
    def is_dirty(self) -> bool:
        return bool(self._dirty)

    def _row(self, name: Name) -> dict[str, object]:
        known = self._known[name]
        return {
            "agent_id": name[0],
            "epoch": name[1],
            "held": encode(known.held.as_lists()),
            "lost": encode(known.lost.as_lists()),
            "first_received_at_ms": known.first_received_at_ms,
            "last_received_at_ms": known.last_received_at_ms,
        }
