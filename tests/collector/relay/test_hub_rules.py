"""A hub evaluates the rules by itself; what was wrong and over while it was cut off reaches the centre's digest."""

from __future__ import annotations

import pytest
from region import Region
from sender import Sender, schema_of

from collector.app import App
from collector.rules.past_job import QUIET_MS
from collector.rules.past_queries import untold_past_alerts

JOBS = ("registry", "verdicts", "own_series", "rules", "past_alerts")
CRITICAL = "HostCheckCritical"


def look(app: App) -> None:
    for name in JOBS:
        app.jobs.run(name)


def pass_by(region: Region, minutes: float, sender: Sender, disk: int, step: float = 15) -> None:
    """Time in which the agent reports to its hub how its disk is, and everybody looks."""
    schema = schema_of(sender.host, ["node_load1"], ["disk"])
    for _ in range(round(minutes * 60 / step)):
        region.wait(step)
        sample = sender.sample(schema, [1.0, float(disk)], region.hub.clock.wall_ms())
        region.post(region.hub, sender.envelope([sample], [schema.packed]))
        region.hub.turn()
        look(region.at_hub)
        look(region.at_centre)


def alerts(app: App, name: str = CRITICAL) -> list[tuple[str, int, int | None]]:
    """(state, active, fired) of one shipped rule's alerts."""
    return [
        (alert.state, alert.active_at_ms, alert.fired_at_ms)
        for group in app.rules.states.values()
        for rule in group.rules
        for alert in rule.alerts.values()
        if dict(alert.labels)["alertname"] == name
    ]


@pytest.mark.slow
def test_a_hub_alone_finds_what_is_wrong_and_the_centre_hears_of_it_later(region: Region) -> None:
    sender = region.agent()
    pass_by(region, 3, sender, disk=0)
    assert (alerts(region.at_hub), alerts(region.at_centre)) == ([], [])
    region.is_cut = True
    pass_by(region, 8, sender, disk=2)
    (found,) = alerts(region.at_hub)
    assert found[0] == "firing"
    assert alerts(region.at_centre) == []
    region.hub.end()
    region.hub.begin()
    pass_by(region, 2, sender, disk=2)
    assert alerts(region.at_hub) == [found], "a restart of the hub moves no timer"
    pass_by(region, 6, sender, disk=0)
    assert [state for state, _, _ in alerts(region.at_hub)] == ["resolved"]
    region.is_cut = False
    pass_by(region, 1 + 2 * QUIET_MS / 60_000, sender, disk=0)
    assert alerts(region.at_centre) == [], "nothing that is over is wrong now"
    region.wait(1)
    for _ in range(len(region.at_centre.rules.groups) * 30):
        region.at_centre.jobs.run("past_alerts")
    with region.at_centre.store.reading() as connection:
        told = [row for row in untold_past_alerts(connection) if row.alert.labels[0] == ("agency", "for")]
    (past,) = [row for row in told if dict(row.alert.labels)["alertname"] == CRITICAL]
    assert dict(past.alert.labels)["instance"] == sender.host
    assert abs(past.alert.active_at_ms - found[1]) <= 60_000
    assert 9 * 60_000 <= past.alert.ended_at_ms - past.alert.active_at_ms <= 12 * 60_000
