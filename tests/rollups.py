"""Roll-ups as an agent's full spool makes them, and wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sender import Sender

from agent.link.model import Record, Sample, Schema, encode
from agent.link.names import KIND_ROLLUP
from agent.link.rollup import counters_of, roll_up, rollup_record


def rolled(sender: Sender, schema: Schema, samples: Sequence[Sample]) -> Record:
    """The record that stands for these samples, under the sender's next number."""
    sender.seq += 1
    last = samples[-1]
    said = roll_up(samples, counters_of(schema.packed))
    return rollup_record(sender.seq, last.taken_at_ms, last.offset_ms, said)


def altered(record: Record, place: int, value: Any) -> Record:
    """The same record with one of its data replaced; ``place`` past the end appends."""
    data = [*record.data[:place], value, *record.data[place + 1 :]]
    head = (KIND_ROLLUP, record.seq, record.taken_at_ms, record.offset_ms, data)
    return Record(*head, encode(head))
