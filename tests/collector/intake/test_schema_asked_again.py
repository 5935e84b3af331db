"""A schema that is waited for is asked for until it comes: the answer that asked first may have been lost."""

from __future__ import annotations

from centre import NOW_MS, Centre
from sender import Sender, request, schema_of


def test_a_schema_is_asked_for_until_it_comes(centre: Centre) -> None:
    sender, other = centre.enrolled(), centre.enrolled("srv2")
    waited_for = schema_of(sender.host, ["node_load5"])
    parked = sender.envelope([sender.sample(waited_for, [1.0], NOW_MS)])
    assert centre.answer(request(parked)).need_schemas == [waited_for.hash.hex()]
    centre.stop()
    centre.start()
    assert asked(centre, sender) == [waited_for.hash.hex()], "of another schema, and it has a new process to tell"
    assert asked(centre, other) == []
    centre.answer(request(sender.envelope([sender.sample(waited_for, [2.0], NOW_MS + 1)], [waited_for.packed])))
    assert asked(centre, sender) == []


def asked(centre: Centre, sender: Sender) -> list[str]:
    return centre.answer(request(sender.report(NOW_MS))).need_schemas
