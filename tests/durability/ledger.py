"""What a collector's database holds, counted, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crowd import Crowd
from sqlalchemy import select

from agent.link.wire import open_body, open_envelope, open_header
from collector.intake.admit import instants
from collector.log.positions import read_accepted
from collector.log.tables import envelopes
from collector.store.engine import Store

Stored = dict[bytes, Counter[tuple[int, float]]]
"""By agent: (seq, first value) of every sample in the log, and how often."""


def stored(data: Path) -> Stored:
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    found: Stored = {}
    with store.reading() as connection:
        for row in connection.execute(select(envelopes.c.packed, envelopes.c.accepted)):
            header_bytes, _, body = open_envelope(row.packed)
            header = open_header(header_bytes)
            new = set(read_accepted(row.accepted).seqs)
            for block in open_body(body, header).blocks:
                for one in instants(block):
                    if one.seq in new:
                        value = float(one.words.view("<f8")[0])
                        found.setdefault(header.agent_id, Counter())[one.seq, value] += 1
    store.close()
    return found


def complaints(found: Stored, crowd: Crowd) -> list[str]:
    """In words, every record that was acknowledged and is not there, is there twice, or that nobody sent."""
    wrong = []
    for member in crowd.members:
        name, mine = member.sender.host, found.get(member.sender.agent_id, Counter())
        sent = {(seq, member.value(seq)) for seq in range(1, member.sender.seq + 1)}
        there = {seq for seq, _ in mine}
        wrong += [
            f"{name}: {seq} acknowledged and gone"
            for a, b in member.acknowledged
            for seq in range(a, b + 1)
            if seq not in there
        ]
        wrong += [f"{name}: {seq} stored {count} times" for (seq, _), count in mine.items() if count != 1]
        wrong += [f"{name}: {record} was never sent" for record in mine if record not in sent]
    return wrong


def holes(found: Stored, crowd: Crowd) -> list[str]:
    """In words, every record that was sent until it was answered and is neither acknowledged nor there."""
    wrong = []
    for member in crowd.members:
        there = {seq for seq, _ in found.get(member.sender.agent_id, Counter())}
        missing = [seq for seq in range(1, member.sender.seq + 1) if seq not in there]
        if missing or member.acknowledged.as_lists() != [[1, member.sender.seq]]:
            wrong.append(f"{member.sender.host}: {missing} missing, told {member.acknowledged.as_lists()}")
    return wrong
