"""An agent that reports from memory while its disk fails, and from the disk again afterwards: two epochs in turn."""

from __future__ import annotations

from centre import NOW_MS, Centre
from sender import Sender, request, schema_of


def test_what_is_shown_follows_the_agent_back_to_the_epoch_of_its_disk(centre: Centre) -> None:
    disk = centre.enrolled()
    memory = Sender(disk.host, disk.agent_id, disk.key)
    schema = schema_of(disk.host)
    shown = []
    for at, sender in enumerate((disk, memory, memory, disk, disk)):
        centre.clock.now_ms = NOW_MS + at * 15_000
        sample = sender.sample(schema, [float(at)], centre.clock.now_ms)
        centre.answer(request(sender.envelope([sample], [schema.packed])))
        shown.append(centre.live.hosts[disk.host].value("node_load1"))
    assert shown == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_what_waited_in_the_other_epoch_does_not_turn_time_back(centre: Centre) -> None:
    disk = centre.enrolled()
    memory = Sender(disk.host, disk.agent_id, disk.key)
    schema = schema_of(disk.host)
    centre.answer(request(disk.envelope([disk.sample(schema, [2.0], NOW_MS)], [schema.packed])))
    centre.answer(request(memory.envelope([memory.sample(schema, [1.0], NOW_MS - 5_000)], [schema.packed])))
    assert centre.live.hosts[disk.host].value("node_load1") == 2.0
