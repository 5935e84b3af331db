"""A schema that envelopes waited for has come: read what was parked, or declare it lost where the schema is refused.

Runs in the writer's thread between two batches.
"""

from __future__ import annotations

from sqlalchemy import Connection, Row, delete, insert, select, update

from agent.link.model import encode, schema_hash
from agent.link.names import KIND_ROLLUP
from agent.link.wire import WireError, open_body, open_envelope, open_header, open_record
from collector.fleet.registry import Agent
from collector.intake.admit import Admission, rolled_width
from collector.intake.commit import Writer
from collector.intake.feed import feed
from collector.intake.records import REFUSED
from collector.intake.work import Outcome
from collector.log.positions import read_accepted
from collector.log.tables import envelopes, losses, schemas, wanted_schemas


class SchemaRefused(Exception):
    """A schema nobody asked for, or one that no agent that waits for it may use."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.status = status
        self.code = code
        self.text = text


def settle(writer: Writer, admission: Admission, brought: list[bytes]) -> None:
    """Take schemas that were asked for. Raises SchemaRefused: 404 where one was not, 422 where one may not be used."""
    by_hash = {schema_hash(packed): packed for packed in brought}
    unasked = [name for name in by_hash if name not in writer.wanted]
    if unasked or not by_hash:
        name = unasked[0].hex() if unasked else "none"
        raise SchemaRefused(404, "schema_not_asked", f"schema {name} was not asked for")
    refusals = [refusal for name, packed in by_hash.items() for refusal in _settle_one(writer, admission, name, packed)]
    if refusals:
        raise SchemaRefused(422, refusals[0].code, refusals[0].text)


def _settle_one(writer: Writer, admission: Admission, name: bytes, packed: bytes) -> list[WireError]:
    good: list[Agent] = []
    bad: list[tuple[bytes, WireError]] = []
    fleet = writer.registry.fleet
    for agent_id in writer.wanted[name]:
        agent = fleet.agents.get(agent_id)
        try:
            if agent is None:
                raise WireError("bad_labels", "its agent is gone")
            admission.layout(agent, name, {name: packed})
            good.append(agent)
        except WireError as why:
            bad.append((agent_id, why))
    unparked: list[tuple[Agent, Row[tuple[bytes, bytes, int]]]] = []
    with writer.transaction() as connection:
        if good and name not in writer.known_schemas:
            connection.execute(insert(schemas), {"hash": name, "packed": packed})
        for agent_id, refusal in bad if writer.decides else ():
            _lose_parked(writer, connection, agent_id, name, refusal.code)
        connection.execute(delete(wanted_schemas).where(wanted_schemas.c.hash == name))
        known = writer.known_schemas | ({name} if good else set())
        for agent in (fleet.agents[agent_id] for agent_id in writer.wanted[name] if agent_id in fleet.agents):
            unparked += [(agent, row) for row in _unpark(writer, admission, connection, agent.id, known)]
        saved = writer.positions.save(connection)
    saved()
    del writer.wanted[name]
    writer.known_schemas = known
    for agent, row in unparked:
        _tell_live(writer, admission, agent, row)
    return [refusal for _, refusal in bad]


def _parked(connection: Connection, agent_id: bytes) -> list[Row[tuple[int, bytes, bytes, int, bytes]]]:
    columns = (envelopes.c.id, envelopes.c.packed, envelopes.c.accepted, envelopes.c.received_at_ms, envelopes.c.epoch)
    where = (envelopes.c.agent_id == agent_id, envelopes.c.is_parked)
    return list(connection.execute(select(*columns).where(*where).order_by(envelopes.c.id)))


def _schemas_of(packed: bytes) -> dict[bytes, set[int]]:
    """Schema hash -> numbers of an envelope that need it."""
    header_bytes, _, packed_body = open_envelope(packed)
    header = open_header(header_bytes)
    body = open_body(packed_body, header)
    found: dict[bytes, set[int]] = {}
    for block in body.blocks:
        found.setdefault(block.schema_hash, set()).update(block.seqs)
    for record in (open_record(raw, header) for raw in body.records):
        if record.kind == KIND_ROLLUP:
            found.setdefault(rolled_width(record)[0], set()).add(record.seq)
    return found


def _unpark(
    writer: Writer, admission: Admission, connection: Connection, agent_id: bytes, known: set[bytes]
) -> list[Row[tuple[bytes, bytes, int]]]:
    """Rows whose schemas are all here now; one whose columns do not fit them is lost."""
    ready = []
    for row in _parked(connection, agent_id):
        numbers = set(read_accepted(row.accepted).seqs)
        if any(name not in known and not numbers.isdisjoint(seqs) for name, seqs in _schemas_of(row.packed).items()):
            continue
        if admission.reread(row.packed, writer.registry.fleet) is None:
            if writer.decides:
                _lose(writer, connection, agent_id, row, numbers, "malformed")
            continue
        connection.execute(update(envelopes).where(envelopes.c.id == row.id).values(is_parked=False))
        ready.append(row)
    return ready  # type: ignore[return-value]


def _lose_parked(writer: Writer, connection: Connection, agent_id: bytes, name: bytes, code: str) -> None:
    for row in _parked(connection, agent_id):
        if doomed := _schemas_of(row.packed).get(name):
            _lose(writer, connection, agent_id, row, doomed, code)


def _lose(
    writer: Writer,
    connection: Connection,
    agent_id: bytes,
    row: Row[tuple[int, bytes, bytes, int, bytes]],
    doomed: set[int],
    code: str,
) -> None:
    """What waited in vain was acknowledged and will never be read: say so, number by number."""
    now_ms = writer.clock.wall_ms()
    position = writer.positions.get((agent_id, row.epoch), now_ms)
    accepted = read_accepted(row.accepted)
    kept = accepted.without(doomed)
    if kept.seqs:  # the rest is well, or waits for another schema
        connection.execute(update(envelopes).where(envelopes.c.id == row.id).values(accepted=encode(kept)))
    else:
        connection.execute(delete(envelopes).where(envelopes.c.id == row.id))
    for seq in doomed & set(accepted.seqs):
        position.held.remove(seq, seq)
        for first, last in position.lose(seq, seq):
            lost = {"agent_id": agent_id, "epoch": row.epoch, "first_seq": first, "last_seq": last}
            connection.execute(insert(losses), {**lost, "reason": f"{REFUSED}:{code}", "at_ms": now_ms})


def _tell_live(writer: Writer, admission: Admission, agent: Agent, row: Row[tuple[bytes, bytes, int]]) -> None:
    fleet = writer.registry.fleet
    site = fleet.sites.get(agent.site)
    envelope = admission.reread(row.packed, fleet)
    if site is not None and envelope is not None:
        outcome = Outcome(envelope, read_accepted(row.accepted))
        feed(writer.live, outcome, site.id, site.interval_seconds * 1000, row.received_at_ms)
