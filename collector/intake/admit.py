"""May this envelope come in? Looks at one envelope and at the fleet; touches nothing.

The order is the policy: sizes, then who it claims to be, then whether that one may speak, then the signature, and only
then what is inside. Everything is checked before anything is kept, so a refused envelope leaves no trace but its count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent.link.answer import DROP, HOLD
from agent.link.keys import is_signed
from agent.link.model import Record, record_content_hash, sample_content_hash, schema_hash
from agent.link.names import ENVELOPE_PREFIX, KIND_ROLLUP, Limits
from agent.link.wire import Block, Header, WireError, open_body, open_envelope, open_header, open_record
from collector.fleet.registry import Agent, Fleet
from collector.intake.layouts import Layouts, SchemaSource
from collector.intake.records import check_record, roll_up
from collector.live.shape import Layout, Shapes
from collector.log.positions import HASH_BYTES, Name

SINGLY = {"bad_labels", "too_large"}
"""What may be wrong with one record while those beside it are well: a host that is not bound to the agent, mostly."""
BELIEVED = {"fork", "malformed", "too_large", "bad_labels"}
"""Refusals of envelopes whose signature held, where the header and the site are known."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an envelope did not come in. ``header`` is there where it could be read, ``site`` where it is believed."""

    index: int
    action: str
    code: str
    text: str
    header: Header | None = None
    site: str = ""

    @property
    def name(self) -> Name | None:
        """(agent id, epoch) where the signature held, so that its numbers may be named back to the agent."""
        is_believed = self.header is not None and self.site and self.code in BELIEVED
        return (self.header.agent_id, self.header.epoch) if self.header is not None and is_believed else None


@dataclass(slots=True)
class Instant:
    """One sample of a block: its name, its times, its words and its content hash."""

    seq: int
    taken_at_ms: int
    offset_ms: int
    schema_hash: bytes
    words: NDArray[np.uint64]
    content: bytes


@dataclass(slots=True)
class Admitted:
    index: int
    agent: Agent
    header: Header
    packed: bytes
    samples: list[Instant]
    records: list[tuple[Record, bytes]]
    """With content hash."""
    layouts: dict[bytes, Layout]
    new_schemas: dict[bytes, bytes]
    missing: list[bytes] = field(default_factory=list)
    """Schema hashes that nobody has brought yet."""
    refused: dict[int, str] = field(default_factory=dict)
    """Number -> code: records among those that may not come in, where the others may."""


MISSING_SCHEMAS = 1_000
"""One is looked up in the database each, and asked for."""
_WORD = np.dtype("<u8")


class Admission:
    """Opens envelopes under the layouts it remembers."""

    def __init__(self, limits: Limits, shapes: Shapes, stored_schema: SchemaSource) -> None:
        self._limits = limits
        self._layouts = Layouts(limits, shapes, stored_schema)

    def admit(self, index: int, raw: bytes | msgspec.Raw, fleet: Fleet, *, singly: bool = False) -> Admitted | Refused:
        """``singly``: what may not come in is left out record by record. An agent is told of its whole envelope and asks
        again for each record; a hub that took it can only bring it as it is.
        """
        header: Header | None = None
        agent: Agent | None = None
        try:
            header_bytes, signature, body = open_envelope(raw)
            header = open_header(header_bytes, self._limits)
            agent = fleet.agents.get(header.agent_id)
            held_off = standing(agent, header)
            if held_off is not None:
                return Refused(index, HOLD, held_off[0], held_off[1], header, agent.site if agent else "")
            assert agent is not None
            if not is_signed(ENVELOPE_PREFIX + header_bytes + body, signature, agent.keys[header.key_no]):
                agent = None  # nothing it says is believed, not even who it is
                raise WireError("bad_signature", "the signature is not this agent's over this header and body")
            return self._open(index, bytes(raw), header, body, agent, singly)
        except WireError as why:
            return Refused(index, DROP, why.code, why.text, header, agent.site if agent else "")

    def reread(self, packed: bytes, fleet: Fleet) -> Admitted | None:
        """An envelope from our own log, admitted before; None where its agent is gone. What it may no longer say is among
        its ``refused``."""
        try:
            header_bytes, _, body = open_envelope(packed)
            header = open_header(header_bytes, self._limits)
            agent = fleet.agents.get(header.agent_id)
            return self._open(0, packed, header, body, agent, True) if agent is not None else None
        except WireError:
            return None

    def layout(self, agent: Agent, wanted: bytes, brought: dict[bytes, bytes]) -> Layout | None:
        """The layout of a schema for this agent; None where nobody has brought it. Raises WireError."""
        return self._layouts.of(agent, wanted, brought)

    def forget(self, keep: frozenset[bytes]) -> None:
        """Drop what is remembered of agents the registry no longer knows."""
        self._layouts.forget(keep)

    def _missing_of(
        self, record: Record, agent: Agent, brought: dict[bytes, bytes], bad: dict[bytes, str]
    ) -> list[bytes]:
        """The schema of a roll-up where nobody has brought it yet. Raises WireError where the two do not fit."""
        schema, width = rolled_width(record)
        if schema in bad:
            raise WireError(bad[schema], f"roll-up record {record.seq}: its schema may not be used")
        layout = self.layout(agent, schema, brought)
        if layout is None:
            return [schema]
        if layout.width != width:
            raise WireError("malformed", f"roll-up record {record.seq}: {width} columns, its schema has {layout.width}")
        return []

    def _open(self, index: int, packed: bytes, header: Header, body: bytes, agent: Agent, singly: bool) -> Admitted:
        opened = open_body(body, header, self._limits)
        brought = {schema_hash(schema): schema for schema in opened.schemas}
        layouts: dict[bytes, Layout] = {}
        bad: dict[bytes, str] = {}
        for name in brought:
            self._usable(agent, name, brought, bad, singly)  # refuse a bad schema even where no block uses it
        missing = []
        refused: dict[int, str] = {}
        for block in opened.blocks:
            layout = self._usable(agent, block.schema_hash, brought, bad, singly)
            if block.schema_hash in bad:
                refused |= dict.fromkeys(block.seqs, bad[block.schema_hash])
            elif layout is None:
                missing.append(block.schema_hash)
                if len(missing) > MISSING_SCHEMAS:
                    raise WireError("too_large", f"over {MISSING_SCHEMAS} schemas that are not here in one envelope")
            elif len(block.columns) != 8 * layout.width * len(block.seqs):
                raise WireError("malformed", f"block: {len(block.columns)} bytes for {layout.width} columns")
            else:
                layouts[block.schema_hash] = layout
        samples = [instant for block in opened.blocks for instant in instants(block)]
        records = [open_record(raw, header) for raw in opened.records]
        seqs = [instant.seq for instant in samples] + [record.seq for record in records]
        if len(set(seqs)) != len(seqs):
            raise WireError("malformed", "two records carry the same sequence number")
        for record in records:
            try:
                check_record(record, agent, self._limits)
                if record.kind == KIND_ROLLUP:
                    missing += self._missing_of(record, agent, brought, bad)
            except WireError as why:
                if not singly or why.code not in SINGLY:
                    raise
                refused[record.seq] = why.code
        hashed = [(record, record_content_hash(record.kind, record.packed)[:HASH_BYTES]) for record in records]
        usable = {name: packed for name, packed in brought.items() if name not in bad}
        return Admitted(index, agent, header, packed, samples, hashed, layouts, usable, missing, refused)

    def _usable(
        self, agent: Agent, name: bytes, brought: dict[bytes, bytes], bad: dict[bytes, str], singly: bool
    ) -> Layout | None:
        """As ``layout``; where the schema may not be used it is noted in ``bad``. Raises WireError unless ``singly``."""
        try:
            return self.layout(agent, name, brought)
        except WireError as why:
            if not singly or why.code not in SINGLY:
                raise
            bad[name] = why.code
            return None


def rolled_width(record: Record) -> tuple[bytes, int]:
    """(schema hash, columns) of a roll-up. Raises WireError."""
    rollup = roll_up(record)
    return rollup.schema_hash, len(rollup.last) // 8


def standing(agent: Agent | None, header: Header) -> tuple[str, str] | None:
    """(code, text) where this identity may not report now, None where it may."""
    if agent is None:
        return "unknown_agent", f"no agent {header.agent_id.hex()} is enrolled here"
    if agent.status == "revoked":
        return "revoked", "this agent was revoked; enroll again with a new join token"
    if agent.status == "suspended":
        return "suspended", "this agent is suspended; reports are kept by the agent until it is resumed"
    if header.key_no not in agent.keys:
        return "unknown_key", f"key number {header.key_no} is not registered for this agent"
    return None


def instants(block: Block) -> list[Instant]:
    """The samples of a block as rows of words, the XOR undone."""
    count = len(block.seqs)
    words = np.frombuffer(block.columns, _WORD)
    if count == 1:
        return [_instant(block, 0, words, block.columns)]
    rows = np.ascontiguousarray(undo_xor(words, count).T)
    return [_instant(block, at, rows[at], rows[at].tobytes()) for at in range(count)]


def _instant(block: Block, at: int, words: NDArray[np.uint64], packed: bytes) -> Instant:
    taken, offset = block.taken_at_ms[at], block.offset_ms[at]
    content = sample_content_hash(block.schema_hash, taken, offset, packed)[:HASH_BYTES]
    return Instant(block.seqs[at], taken, offset, block.schema_hash, words, content)


def undo_xor(words: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """Series-major XOR words -> plain words, shape (columns, count)."""
    return np.bitwise_xor.accumulate(words.reshape(-1, count), axis=1)
