"""A receipt speaks of what is committed, never of what is on its way into the log."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from centre import NOW_MS, Centre
from running import wait_until
from sender import request
from sqlalchemy import Connection, event

from agent.link.packing import seal


def test_nothing_is_acknowledged_while_its_commit_may_still_fail(centre: Centre) -> None:
    sender = centre.enrolled()
    good = request(sender.report(NOW_MS))
    bad = request(seal(sender.agent_id, 1, sender.epoch, [7], b"no frame", sender.key.sign))
    refused: list[Future[tuple[int, str, bytes]]] = []
    with ThreadPoolExecutor(1) as other:

        def fail(_connection: Connection) -> None:
            event.remove(centre.store.engine, "commit", fail)
            refused.append(other.submit(centre.post, bad))
            wait_until(lambda: refused[0].done() or not centre.writer._queue.empty(), "the second request")
            raise OSError("disk full")

        event.listen(centre.store.engine, "commit", fail)
        assert centre.post(good)[0] == 503, "nothing was kept"
        answer = refused[0].result()[2]
    assert b'"held":[]' in answer, "so nothing may be called held"
    assert b'"receipt":""' in answer


def test_a_refused_envelope_hears_what_is_held_of_its_epoch(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS)))
    (agent,) = centre.answer(request(seal(sender.agent_id, 1, sender.epoch, [7], b"no frame", sender.key.sign))).agents
    assert (agent.held, [r.code for r in agent.refused]) == ([(1, 1)], ["malformed"])
    assert agent.receipt
