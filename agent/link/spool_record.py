"""What is handed to the spool: a record without a number, and how it gets one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from agent.link.model import (
    Loss,
    Record,
    Sample,
    Schema,
    StateChange,
    encode,
    loss_record,
    state_record,
)
from agent.link.names import KIND_LOSS, KIND_ROLLUP, KIND_STATE
from agent.link.rollup import RollUp, renumbered, rollup_record

SPOOL_FULL, DISK_FULL, CORRUPT, REFUSED, ENTRUSTED = "spool_full", "disk_full", "corrupt", "refused", "entrusted"
"""Reasons of a loss: our own cap, no room on the disk, damaged bytes, refused for ever (``refused:<code>``), no room
here while a hub held it (should the hub deliver it after all, the centre takes it and it is no longer lost)."""


HOSTS_NAMED = 5


class SampleDraft(NamedTuple):
    schema: Schema
    taken_at_ms: int
    offset_ms: int
    values: bytes


class StateDraft(NamedTuple):
    change: StateChange
    taken_at_ms: int
    offset_ms: int


class LossDraft(NamedTuple):
    loss: Loss
    taken_at_ms: int
    offset_ms: int


class RollUpDraft(NamedTuple):
    rollup: RollUp
    taken_at_ms: int
    offset_ms: int

    @property
    def size(self) -> int:
        """About what it takes in a segment."""
        return 128 + sum(map(len, self.rollup[4:])) + 12 * len(self.rollup.replaces)


Draft = SampleDraft | StateDraft | LossDraft | RollUpDraft
Spooled = Sample | Record


def named(draft: Draft, seq: int) -> Spooled:
    """The record with its number; from here on its bytes never change."""
    if isinstance(draft, SampleDraft):
        return Sample(seq, draft.taken_at_ms, draft.offset_ms, draft.schema.hash, draft.values)
    if isinstance(draft, StateDraft):
        return state_record(seq, draft.taken_at_ms, draft.offset_ms, draft.change)
    if isinstance(draft, RollUpDraft):
        return rollup_record(seq, draft.taken_at_ms, draft.offset_ms, draft.rollup)
    return loss_record(seq, draft.taken_at_ms, draft.offset_ms, draft.loss)


def renamed(record: Spooled, seq: int, first: int = 1) -> Spooled:
    """The same content under another number (a new epoch); fields a later version added stay.

    ``first``: where the numbers begin that a roll-up stands for.
    """
    if isinstance(record, Sample):
        return record._replace(seq=seq)
    if record.kind == KIND_ROLLUP:
        return renumbered(record, seq, first)
    fields = msgspec.msgpack.decode(record.packed)
    fields[1] = seq
    return record._replace(seq=seq, packed=encode(fields))


def loss_of(record: Spooled) -> Loss | None:
    """What a loss record declares, None for every other record."""
    if isinstance(record, Sample) or record.kind != KIND_LOSS:
        return None
    (first, last), reason, *_ = record.data
    return Loss(int(first), int(last), str(reason))


def schema_of(record: Spooled) -> bytes | None:
    """The hash of the schema a record needs to be understood, None where it needs none."""
    if isinstance(record, Sample):
        return record.schema_hash
    return bytes(record.data[1]) if record.kind == KIND_ROLLUP else None


def hosts_of(records: Iterable[Spooled], schema: Callable[[bytes], bytes | None]) -> list[str]:
    """Ids of the hosts that records are about, for people: each once, in order, a few at most."""
    hosts: dict[str, None] = {}
    seen: set[bytes] = set()
    for record in records:
        needed = schema_of(record)
        if isinstance(record, Record) and record.kind == KIND_STATE:
            hosts[str(record.data[0])] = None
        elif needed is not None and needed not in seen and (packed := schema(needed)) is not None:
            seen.add(needed)
            hosts.update((str(one[0]), None) for column in msgspec.msgpack.decode(packed)[:2] for one in column)
    return list(hosts)[:HOSTS_NAMED]


def size_of(record: Spooled) -> int:
    return 64 + (len(record.values) if isinstance(record, Sample) else len(record.packed))
