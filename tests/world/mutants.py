"""Deliberate faults, planted to see that the world sees: each makes the product break a promise, and must be found.

A plant replaces a method for the time of one run; nothing of it is in the product. Add one where a real mistake was found
(five of these were).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from agent.link import send, send_collector, send_lanes, send_taking, spool, spool_disk, spool_part, spool_room
from agent.link.ranges import Ranges
from collector.intake import batch, commit
from collector.intake.work import Outcome, Work
from collector.live import board
from collector.log.positions import Accepted, Position
from collector.relay import custody, relay

Patch = pytest.MonkeyPatch


class Mutant(NamedTuple):
    """``troubles``: kinds that bring it to light, all of them where empty; ``seeds``: how many runs may be needed."""

    plant: Callable[[Patch], None]
    hubs: int = 0
    troubles: tuple[str, ...] = ()
    seeds: int = 25


def answered_before_its_commit(patch: Patch) -> None:
    honest = commit.Writer.commit

    def hasty(self: Any, works: list[Work]) -> None:
        for work in works:
            work.outcomes = [
                Outcome(one, Accepted([], b""), ranges=[(one.header.first_seq, one.header.last_seq)])
                for one in work.admitted
            ]
            work.finish(None)
        honest(self, [Work(list(work.admitted), [], work.received_at_ms, lambda _error: None) for work in works])

    patch.setattr(commit.Writer, "commit", hasty)


def forgotten_when_sent(patch: Patch) -> None:
    def forget(self: Any, seqs: Any) -> None:
        for seq in seqs:
            self.numbers.acked.add(seq)

    patch.setattr(spool_disk.DiskSpool, "note_sent", forget)
    heard_too_early(patch)


def doubles_stored(patch: Patch) -> None:
    honest = batch.Batch.take

    def take(self: Any, connection: Any, work: Work, envelope: Any) -> Any:
        position = self._positions.get((envelope.header.agent_id, envelope.header.epoch), work.received_at_ms)
        before, position.held = position.held, Ranges()
        outcome = honest(self, connection, work, envelope)
        position.held = Ranges(sorted([*before, *position.held]))
        return outcome

    patch.setattr(batch.Batch, "take", take)


class _Unsynced:
    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def sync(self) -> None:
        pass


def records_not_synced(patch: Patch) -> None:
    honest = spool_part.PartWriter.append

    def append(self: Any, frames: Any, schemas: Any) -> None:
        file, self._file = self._file, _Unsynced(self._file)
        try:
            honest(self, frames, schemas)
        finally:
            self._file = file

    patch.setattr(spool_part.PartWriter, "append", append)


def relay_moves_on_before_the_answer(patch: Patch) -> None:
    honest = relay.Relay._post

    def post(self: Any, lane: str, bundle: Any) -> float:
        for row in bundle:
            self._settled.add(row.id)
        due: float = honest(self, lane, bundle)
        return due

    patch.setattr(relay.Relay, "_post", post)


def receipt_of_another_epoch_believed(patch: Patch) -> None:
    def settle(self: Any, _epoch: bytes, ranges: Any) -> None:
        spans = list(ranges)
        with self.lock:
            for shelf in self.shelves():
                shelf.note_sent(seq for first, last in spans for seq in range(first, last + 1))
                shelf.settle(spans)

    patch.setattr(spool.Spool, "settle", settle)


def number_used_again_after_a_restart(patch: Patch) -> None:
    honest = spool_disk.DiskSpool.__init__

    def begin(self: Any, *args: Any) -> None:
        honest(self, *args)
        self._next_seq = max(1, self._next_seq - 1)

    patch.setattr(spool_disk.DiskSpool, "__init__", begin)


def segment_gone_before_its_roll_up_stands(patch: Patch) -> None:
    honest = spool_room.Room._roll_up

    def roll_up(self: Any, part: Any, step_ms: int) -> bool | None:
        self._reader.frames(part)
        files, path = self._reader._files, f"{self._reader._folder}/{part.name}"
        files.remove(path)
        took: bool | None = honest(self, part, step_ms)
        return took

    patch.setattr(spool_room.Room, "_roll_up", roll_up)


def loss_not_declared(patch: Patch) -> None:
    honest = spool_room.Room._give_up

    def give_up(self: Any, part: Any, reason: str) -> bool:
        shelf = self._shelf
        declare, shelf.declare = shelf.declare, lambda _ranges, _reason: None
        try:
            gone: bool = honest(self, part, reason)
        finally:
            shelf.declare = declare
        return gone

    patch.setattr(spool_room.Room, "_give_up", give_up)


def fork_taken_for_a_retry(patch: Patch) -> None:
    def hold(self: Any, seq: int, _content: bytes) -> None:
        self.held.add(seq)
        self.lost.remove(seq, seq)

    patch.setattr(Position, "hold", hold)
    patch.setattr(batch, "content_hash", lambda *_: None)


def hub_believed_like_the_centre(patch: Patch) -> None:
    honest = send_taking.Taking._take_own

    def take(self: Any, collector: Any, mine: Any, spent: Any) -> bool:
        settled: bool = honest(self, collector, mine, spent)
        self._spool.settle(bytes.fromhex(mine.epoch), mine.held)
        return settled

    patch.setattr(send_taking.Taking, "_take_own", take)


def heard_too_early(patch: Patch) -> None:
    """A receipt believed of records whose own request was never answered (a real mistake, until the world found it)."""
    honest = send_lanes.Lanes._enclose

    def enclose(self: Any, collector: Any, epoch: bytes, records: Any) -> Any:
        enclosed = honest(self, collector, epoch, records)
        shelf = self._spool.shelf(epoch)
        for one in enclosed:
            shelf.note_sent(one.seqs)
            collector.note_sent(epoch, one.seqs)
        return enclosed

    patch.setattr(send_lanes.Lanes, "_enclose", enclose)


def newest_epoch_wins_for_ever(patch: Patch) -> None:
    """What was said from memory stays shown after the disk is back (a real mistake, until the world found it)."""

    def is_newer(self: Any, agent_id: bytes, epoch: bytes, seq: int, _corrected: int, before: Any) -> bool:
        if before.agent_id != agent_id:
            return True
        if before.epoch == epoch:
            return bool(seq > before.seq)
        order = self._epochs.get(agent_id, [])
        return epoch in order and (before.epoch not in order or order.index(epoch) > order.index(before.epoch))

    patch.setattr(board.Live, "_is_newer", is_newer)


def centre_by_its_own_word(patch: Patch) -> None:
    """Whoever says it is the centre ends records by refusing them (a real mistake, until the world found it)."""

    def is_centre(self: Any) -> bool:
        return self.receiver is not None and self.receiver.role == "centre"

    patch.setattr(send_collector.CollectorLink, "is_centre", property(is_centre))


def every_receipt_handed_down(patch: Patch) -> None:
    """A hub hands down what the centre last signed of an agent, also while its own rows under those numbers still wait."""

    def receipt(self: Any, name: Any, _held: Any) -> str:
        word = self._words.get(name)
        return word.text if word is not None else ""

    patch.setattr(custody.Custody, "receipt", receipt)


def revocation_overlooked_by_the_commit(patch: Patch) -> None:
    patch.setattr(commit.Writer, "_judge_again", lambda _self, _work: None)


def held_off_for_ever(patch: Patch) -> None:
    """A centre that once asked to hold is never put what the hub refuses (a real mistake, until the world found it)."""
    honest = send.Sender._ask_the_next

    def ask(self: Any, refusing: Any, now: float) -> float:
        others = self.collectors
        self.collectors = [one for one in others if one is refusing or not one.hold_code]
        try:
            due: float = honest(self, refusing, now)
        finally:
            self.collectors = others
        return due

    patch.setattr(send.Sender, "_ask_the_next", ask)


def renamed_on_a_hubs_word(patch: Patch) -> None:
    """What a hub relayed counts again under a new name (a real mistake, found when the world's hubs cried fork)."""
    patch.setattr(send_collector.CollectorLink, "is_away", lambda _self, _now: True)


DEATHS = ("agent_dies", "agent_killed", "bad_line", "long_outage")
HUB_LOST = ("hub_disk_lost", "hub_cut", "bad_line")
TWINS = ("clone", "rolled_back", "long_outage", "bad_line")
MUTANTS = {
    mutant.plant.__name__: mutant
    for mutant in (
        Mutant(answered_before_its_commit, troubles=("collector_dies",)),
        Mutant(forgotten_when_sent, troubles=("bad_line", "collector_dies")),
        Mutant(doubles_stored),
        Mutant(records_not_synced, troubles=DEATHS),
        Mutant(relay_moves_on_before_the_answer, hubs=1, troubles=("hub_cut", "bad_line", "collector_dies")),
        Mutant(receipt_of_another_epoch_believed, troubles=("broken_disk", "long_outage", "cut_line")),
        Mutant(number_used_again_after_a_restart, troubles=DEATHS),
        Mutant(segment_gone_before_its_roll_up_stands, troubles=("agent_dies", "long_outage")),
        Mutant(loss_not_declared, troubles=("long_outage",)),
        Mutant(fork_taken_for_a_retry, troubles=TWINS),
        Mutant(hub_believed_like_the_centre, hubs=1, troubles=HUB_LOST),
        Mutant(heard_too_early, troubles=("clone", "long_outage")),
        Mutant(centre_by_its_own_word, hubs=1, troubles=("lying_hub",)),
        Mutant(newest_epoch_wins_for_ever, troubles=("broken_disk",)),
        Mutant(every_receipt_handed_down, hubs=1, troubles=("clone", "rolled_back", "hub_cut", "hub_away")),
        Mutant(revocation_overlooked_by_the_commit, troubles=("revoked", "disks_change")),
        Mutant(renamed_on_a_hubs_word, hubs=1, troubles=("lying_hub", "hub_cut", "bad_line")),
        Mutant(held_off_for_ever, hubs=1, troubles=("lying_hub", "suspended", "hub_away")),
    )
}
