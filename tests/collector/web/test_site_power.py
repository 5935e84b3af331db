"""What a site's page says of its power, also when the one that read it is silent now."""

from __future__ import annotations

from world import EPOCH, World, words_of

from agent.link.model import Series, make_schema
from collector.verdicts.standing import NO_DATA, OK, HostStanding, Standing
from collector.web.site_more_view import power_of

NAME = "network_ups_tools_"


def test_a_silent_host_tells_what_it_read_last(world: World) -> None:
    entry = next(each for each in world.registry.fleet.hosts.values() if each.agent_id is not None)
    assert entry.agent_id is not None
    schema = make_schema(
        (
            Series(entry.id, f"{NAME}ups_status", 0, (("flag", "OB"), ("ups", "rack1"))),
            Series(entry.id, f"{NAME}battery_runtime", 0, (("ups", "rack1"),)),
        ),
        (),
    )
    at_ms = world.clock.wall_ms()
    words, layout = words_of([1.0, 3420.0]), world.shapes.layout(schema)
    world.live.sample(entry.agent_id, EPOCH, layout, 10**6, at_ms, 0, words, at_ms + 400, 300_000)
    heard = HostStanding(OK, at_ms, "reporting", at_ms)
    for state, read_at_ms in ((OK, None), (NO_DATA, at_ms)):
        (ups,) = power_of([entry], world.live, Standing(hosts={entry.id: heard._replace(state=state)}))
        assert (ups.name, ups.is_on_battery, ups.runtime_seconds, ups.read_at_ms) == ("rack1", True, 3420.0, read_at_ms)
