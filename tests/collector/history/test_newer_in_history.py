"""A later agent's samples and roll-ups are history as today's are, out of the log and out of chunks."""

from __future__ import annotations

from archive import HOUR, MINUTE, NOW_MS, Archive
from newer import spoken
from sender import request


def test_a_later_agents_numbers_are_history(archive: Archive) -> None:
    senders = [archive.centre.enrolled(name) for name in ("srv1", "srv2")]
    for sender, later in zip(senders, (False, True), strict=True):
        archive.centre.clock.now_ms = NOW_MS
        assert not archive.centre.answer(request(spoken(sender, NOW_MS, later))).envelopes
    seen = []
    for _ in ("log", "chunks"):
        found = archive.points("node_load1", NOW_MS - 2 * MINUTE, NOW_MS, 1_000)
        assert found["srv1.abuja"] == found["srv2.abuja"]
        seen.append(found["srv2.abuja"])
        archive.chunk(NOW_MS + HOUR)
    assert archive.count("waiting") == 0
    assert seen[0] == seen[1]
    assert seen[0][-2:] == [(NOW_MS - 1_000, 1.0), (NOW_MS, 2.0)]
