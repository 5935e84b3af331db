"""Of very many ranges an answer names only some: among them everything that was asked about, whichever envelope asked."""

from __future__ import annotations

from centre import NOW_MS, Centre
from sender import Sender, request

from agent.link.ranges import Ranges


def test_an_answer_covers_every_envelope_of_its_request(centre: Centre) -> None:
    sender = centre.enrolled()
    for seq in range(201, 401, 2):
        centre.answer(request(report(sender, seq)))
    (agent,) = centre.answer(request(*(report(sender, seq) for seq in (1, 3, 5)))).agents
    held = Ranges(agent.held)
    assert all(seq in held for seq in (1, 3, 5))
    assert len(held) < 103


def report(sender: Sender, seq: int) -> bytes:
    sender.seq = seq - 1
    return sender.report(NOW_MS)
