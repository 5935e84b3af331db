"""A collector whose commits fail: 503, nothing acknowledged is lost or vouched for too early, and it recovers by itself."""

from __future__ import annotations

import errno
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from centre import NOW_MS, Centre, problem
from sender import Sender, request, schema_of
from sqlalchemy import event, func, select

from agent.link.answer import Answer
from agent.link.model import encode
from collector.log.positions import read_accepted
from collector.log.tables import envelopes
from collector.store.engine import Store


@pytest.fixture
def centre(store: Store) -> Iterator[Centre]:
    made = Centre(store)
    made.plant()
    made.start()
    yield made
    made.stop()


@contextmanager
def failing_commits(centre: Centre) -> Iterator[None]:
    """Each transaction is written and then does not come through, as on a disk without room or a line that is cut."""

    def fail(_connection: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    event.listen(centre.store.engine, "commit", fail)
    try:
        yield
    finally:
        event.remove(centre.store.engine, "commit", fail)


def stored(centre: Centre, sender: Sender) -> list[int]:
    with centre.store.reading() as connection:
        rows = connection.execute(select(envelopes.c.accepted).where(envelopes.c.agent_id == sender.agent_id))
        return sorted(seq for row in rows for seq in read_accepted(row.accepted).seqs)


def refused_by_label(sender: Sender) -> bytes:
    """An envelope that is believed and not taken: a host that is not this agent's."""
    schema = schema_of("other.abuja")
    return request(sender.envelope([sender.sample(schema, [1.0], NOW_MS)], [schema.packed]))


def test_what_could_not_be_stored_is_answered_503_and_taken_when_it_comes_again(centre: Centre) -> None:
    sender = centre.enrolled()
    first, second = request(sender.report(NOW_MS)), request(sender.report(NOW_MS + 1, 2.0))
    assert centre.answer(first).agents[0].held == [(1, 1)]
    with failing_commits(centre):
        for _ in range(3):
            status, kind, body = centre.post(second)
            assert (status, kind, problem(body)["code"]) == (503, "application/problem+json", "not_stored")
    assert stored(centre, sender) == [1]
    assert centre.live.hosts[sender.host].value("node_load1") == 1.0, "nobody saw what was not kept"
    assert centre.answer(second).agents[0].held == [(1, 2)]
    assert centre.answer(first).agents[0].held == [(1, 2)]
    assert stored(centre, sender) == [1, 2]


def test_a_refusal_after_a_failed_commit_vouches_for_nothing_that_is_not_stored(centre: Centre) -> None:
    sender = centre.enrolled()
    with failing_commits(centre):
        assert centre.post(request(sender.report(NOW_MS)))[0] == 503
    (told,) = centre.answer(refused_by_label(sender)).agents
    assert told.refused[0].code == "bad_labels"
    assert (told.held, told.receipt) == ([], "")


def test_a_refusal_during_a_commit_vouches_for_nothing_that_is_not_stored(centre: Centre) -> None:
    """The sender gave up waiting and asks again while its first request is being written, which then fails."""
    sender = centre.enrolled()
    first, other = request(sender.report(NOW_MS)), refused_by_label(sender)
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    asking = threading.Thread(target=lambda: answers.put(centre.answer(other)))

    def ask_and_fail(_connection: object) -> None:
        asking.start()
        asking.join(0.3)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    event.listen(centre.store.engine, "commit", ask_and_fail, once=True)
    assert centre.post(first)[0] == 503
    asking.join()
    assert [(told.held, told.receipt) for told in answers.get().agents] == [([], "")]


def test_a_schema_after_a_failed_commit_does_not_make_unstored_numbers_known(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS, 1.0, with_schema=False)))
    lost = request(sender.report(NOW_MS + 1, 2.0))
    with failing_commits(centre):
        assert centre.post(lost)[0] == 503
    assert centre.post(encode([schema_of(sender.host).packed]), "/v1/schemas")[0] == 200
    centre.stop()
    centre.start()
    assert centre.answer(lost).agents[0].held == [(1, 2)]
    assert stored(centre, sender) == [1, 2]


def test_a_schema_that_could_not_be_stored_leaves_everything_as_it_was(centre: Centre) -> None:
    sender = centre.enrolled()
    parked = request(sender.report(NOW_MS, 7.0, with_schema=False))
    centre.answer(parked)
    schema = schema_of(sender.host)
    with failing_commits(centre):
        assert centre.post(encode([schema.packed]), "/v1/schemas")[0] == 503
    assert centre.answer(parked).agents[0].held == [(1, 1)]
    assert stored(centre, sender) == [1]
    assert centre.post(encode([schema.packed]), "/v1/schemas")[0] == 200
    assert centre.live.hosts[sender.host].value("node_load1") == 7.0


def test_a_refused_schema_whose_loss_could_not_be_stored_does_not_let_a_number_in_twice(centre: Centre) -> None:
    sender = centre.enrolled()
    bad = schema_of("other.abuja")
    parked = request(sender.envelope([sender.sample(bad, [1.0], NOW_MS)]))
    assert centre.answer(parked).agents[0].held == [(1, 1)]
    with failing_commits(centre):
        assert centre.post(encode([bad.packed]), "/v1/schemas")[0] == 503
    assert centre.answer(parked).agents[0].held == [(1, 1)]
    assert stored(centre, sender) == [1]


def test_failed_commits_over_a_restart_and_a_checkpoint(centre: Centre) -> None:
    sender = centre.enrolled()
    bodies = [request(sender.report(NOW_MS + n, float(n))) for n in range(6)]
    for n, body in enumerate(bodies):
        with failing_commits(centre):
            assert centre.post(body)[0] == 503
            centre.writer.save_checkpoint()
        if n % 2:
            centre.writer.save_checkpoint()
            assert centre.answer(body).agents
    centre.stop()
    centre.start()
    for body in bodies:
        centre.answer(body)
    assert stored(centre, sender) == [1, 2, 3, 4, 5, 6]
    with centre.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(envelopes)).scalar() == 6
