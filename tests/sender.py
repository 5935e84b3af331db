"""A sender by the book: makes envelopes as docs/protocol.md says, and can also make wrong ones on purpose."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.link.keys import SigningKey, new_key
from agent.link.model import Record, Sample, Schema, Series, make_schema, pack_values
from agent.link.packing import pack_body, pack_envelopes, seal

LABELS = tuple[tuple[str, str], ...]


def schema_of(host: str, names: Sequence[str] = ("node_load1",), checks: Sequence[str] = (), kind: int = 0) -> Schema:
    return make_schema(tuple(Series(host, name, kind, ()) for name in names), tuple((host, check) for check in checks))


@dataclass
class Sender:
    """One agent's identity and spool position."""

    host: str
    agent_id: bytes = field(default_factory=lambda: os.urandom(16))
    key: SigningKey = field(default_factory=new_key)
    key_no: int = 1
    epoch: bytes = field(default_factory=lambda: os.urandom(8))
    seq: int = 0

    def sample(self, schema: Schema, values: list[float | None], taken_at_ms: int, offset_ms: int = 0) -> Sample:
        self.seq += 1
        return Sample(self.seq, taken_at_ms, offset_ms, schema.hash, pack_values(values))

    def envelope(
        self, samples: Sequence[Sample], schemas: Sequence[bytes] = (), records: Sequence[Record] = ()
    ) -> bytes:
        seqs = [s.seq for s in samples] + [r.seq for r in records]
        return seal(self.agent_id, self.key_no, self.epoch, seqs, pack_body(schemas, samples, records), self.key.sign)

    def report(self, at_ms: int, value: float = 1.0, with_schema: bool = True) -> bytes:
        """An ordinary envelope: one sample of ``node_load1``, its schema beside it."""
        schema = schema_of(self.host)
        return self.envelope([self.sample(schema, [value], at_ms)], [schema.packed] if with_schema else [])


def request(*envelopes: bytes) -> bytes:
    return pack_envelopes(envelopes)
