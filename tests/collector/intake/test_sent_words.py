"""Words that agents send: kept as they came, shown only as people, terminals and databases can take them."""

from __future__ import annotations

import pytest
from centre import NOW_MS, Centre
from sender import request, schema_of
from sqlalchemy import select

from agent.link.model import Loss, StateChange, loss_record, state_record
from collector.intake.records import REASON_CHARS, TEXT_CHARS
from collector.log.tables import losses


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("none runs", "none runs"),
        ("한글 <b>", "한글 <b>"),
        ("a\0b\x1b[31m\nc\u202e", "a b [31m c "),
        ("x" * 3_000_000, "x" * (TEXT_CHARS - 1) + "…"),
    ],
)
def test_the_words_of_a_check(centre: Centre, said: str, shown: str) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host, checks=["sshd"])
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 2.0], NOW_MS)], [schema.packed])))
    sender.seq += 1
    change = state_record(sender.seq, NOW_MS, 0, StateChange(sender.host, "sshd", 1, 2, said))
    assert not centre.answer(request(sender.envelope([], [], [change]))).envelopes
    assert centre.live.hosts[sender.host].checks["sshd"].text == shown


def test_the_reason_of_a_loss(centre: Centre) -> None:
    sender = centre.enrolled()
    sender.seq = 3
    loss = loss_record(3, NOW_MS, 0, Loss(1, 2, "disk\0full" * 100))
    assert centre.answer(request(sender.envelope([], [], [loss]))).agents[0].held == [(1, 3)]
    with centre.store.reading() as connection:
        (reason,) = connection.execute(select(losses.c.reason)).scalars()
    assert reason.startswith("disk fulldisk full")
    assert len(reason) == REASON_CHARS
