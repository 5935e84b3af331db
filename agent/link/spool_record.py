"""What is handed to the spool: a record without a number, and how it gets one."""

from __future__ import annotations

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
from agent.link.names import KIND_LOSS

SPOOL_FULL, DISK_FULL, CORRUPT, REFUSED = "spool_full", "disk_full", "corrupt", "refused"
"""Reasons of a loss: our own cap, no room on the disk, damaged bytes, refused for ever (``refused:<code>``)."""


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


Draft = SampleDraft | StateDraft | LossDraft
Spooled = Sample | Record


def named(draft: Draft, seq: int) -> Spooled:
    """The record with its number; from here on its bytes never change."""
    if isinstance(draft, SampleDraft):
        return Sample(seq, draft.taken_at_ms, draft.offset_ms, draft.schema.hash, draft.values)
    if isinstance(draft, StateDraft):
        return state_record(seq, draft.taken_at_ms, draft.offset_ms, draft.change)
    return loss_record(seq, draft.taken_at_ms, draft.offset_ms, draft.loss)


def renamed(record: Spooled, seq: int) -> Spooled:
    """The same content under another number (a new epoch); fields a later version added stay."""
    if isinstance(record, Sample):
        return record._replace(seq=seq)
    fields = msgspec.msgpack.decode(record.packed)
    fields[1] = seq
    return record._replace(seq=seq, packed=encode(fields))


def loss_of(record: Spooled) -> Loss | None:
    """What a loss record declares, None for every other record."""
    if isinstance(record, Sample) or record.kind != KIND_LOSS:
        return None
    (first, last), reason, *_ = record.data
    return Loss(int(first), int(last), str(reason))


def size_of(record: Spooled) -> int:
    return 64 + (len(record.values) if isinstance(record, Sample) else len(record.packed))
