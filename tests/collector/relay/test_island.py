"""A hub without its centre calls its own people, and hands over when the centre is back: one disturbance, paged once."""

from __future__ import annotations

import pytest
from region import Region
from sender import Sender
from sqlalchemy import select

from collector.app import App
from collector.escalation.policy_apply import current_plan
from collector.escalation.queries import pending
from collector.escalation.timer import STEP
from collector.incidents.handed import Report
from collector.incidents.handed_queries import take
from collector.incidents.incident import ACKNOWLEDGED, CLOSED, Incident
from collector.incidents.job import IncidentJob
from collector.incidents.queries import acknowledge, events_of, list_incidents
from collector.incidents.signal import Signal
from collector.pages.tables import page_deliveries
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.store.schema import instant
from collector.store.scope import EVERYTHING

JOBS = ("registry", "verdicts", "alerts", "island", "incidents", "pages")
SILENT = "host:srv2.abuja"
PEOPLE = """
[[people]]
id = "ade"
name_en = "Ade"
languages = ["en"]
timezone = "Africa/Lagos"
[[people.contacts]]
channel = "sms"
address = "+2348000000000"
[[rosters]]
id = "local"
timezone = "Africa/Lagos"
[[rosters.layers]]
name = "all"
kind = "turns"
starts = 2026-01-01
handover = "09:00"
crews = [["ade"]]
turn = "weekly"
"""


def look(app: App) -> None:
    for name in JOBS:
        if name in app.jobs.names:
            app.jobs.run(name)


def pass_by(region: Region, minutes: float, *senders: Sender, step: float = 30) -> None:
    """Time, in which agents report to their hub and everybody looks."""
    for _ in range(round(minutes * 60 / step)):
        region.wait(step)
        for sender in senders:
            region.report(sender)
        region.hub.turn()
        look(region.at_hub)
        look(region.at_centre)


def incidents_of(app: App) -> dict[str, Incident]:
    with app.store.reading() as connection:
        found = list_incidents(connection, EVERYTHING, with_merged=True)
    return {one.key if one.source == "verdict" else one.reason: one for one in reversed(found)}


def test_one_disturbance_is_paged_once(region: Region) -> None:
    hub, centre = region.at_hub, region.at_centre
    with hub.store.transaction() as connection:
        apply_rosters(connection, read_rosters(PEOPLE))
    sender, other = region.agent("srv1"), region.agent("srv2")
    pass_by(region, 5, sender, other)
    assert incidents_of(hub) == {}

    region.is_cut = True
    pass_by(region, 9, sender, other)
    assert incidents_of(hub) == {}, "not before its time"
    pass_by(region, 3, sender, other)
    assert set(incidents_of(hub)) == {"CentreUnreachable"}
    pass_by(region, 8, sender)
    at_hub = incidents_of(hub)
    assert set(at_hub) == {"CentreUnreachable", SILENT}
    assert "hub:mea" in incidents_of(centre)
    assert SILENT not in incidents_of(centre), "it lies behind its hub there"
    now = instant(region.hub.clock.wall_ms())
    with hub.store.transaction() as connection:
        assert acknowledge(connection, at_hub[SILENT].number, "ade", now)

    region.is_cut = False
    pass_by(region, 6, sender)
    assert {one.state for one in incidents_of(hub).values()} == {CLOSED}
    with hub.store.reading() as connection:
        assert all(not pending(connection, one.number) for one in at_hub.values())
    found = incidents_of(centre)
    assert "CentreUnreachable" not in found, "the same as the hub's being away"
    host = found[SILENT]
    assert (host.state, host.acknowledged_by) == (ACKNOWLEDGED, "mea/ade")
    with centre.store.reading() as connection:
        assert "hub_paged" in [event.kind for event in events_of(connection, host.number)]
        assert "hub_paged" in [event.kind for event in events_of(connection, found["hub:mea"].number)]
        assert [timer for timer in pending(connection, host.number) if timer.kind == STEP] == []
        rows = connection.execute(select(page_deliveries).where(page_deliveries.c.incident == host.number)).all()
    assert rows == []
    pass_by(region, 12, sender)
    assert {one.state for one in incidents_of(hub).values()} == {CLOSED}, "quiet while the centre is there"


@pytest.mark.slow
def test_a_centre_that_answers_and_does_not_judge_is_away(region: Region) -> None:
    sender = region.agent()
    pass_by(region, 2, sender)
    assert region.at_hub.upstream is not None
    for _ in range(26):  # the centre's verdicts have stopped; its port still answers
        region.wait(30)
        region.report(sender)
        region.hub.turn()
        look(region.at_hub)
    assert region.at_hub.upstream.standing.answered_ms > region.hub.clock.wall_ms() - 60_000
    assert "CentreUnreachable" in incidents_of(region.at_hub)


def test_a_hub_that_was_off_asks_its_centre_before_it_says_that_it_is_away(region: Region) -> None:
    pass_by(region, 1)
    region.hub.end()
    region.wait(3600)
    region.hub.begin()
    for _ in range(4):  # its line needs a moment
        region.wait(20)
        look(region.at_hub)
    pass_by(region, 3)
    assert incidents_of(region.at_hub) == {}
    region.is_cut = True
    region.hub.end()
    region.wait(3600)
    region.hub.begin()
    pass_by(region, 3)
    assert "CentreUnreachable" in incidents_of(region.at_hub)


def test_a_hub_speaks_for_its_region_alone_and_what_was_changed_on_its_way_is_not_taken(region: Region) -> None:
    """Tokyo is not the hub's: nobody there is spared a call by what the hub says."""
    told = Report("0" * 32, 1, "site:tokyo", "verdict", "acknowledged", "critical", 1, "power", ("site", "tokyo"), "tokyo",
                  "", "", 1, 1, acknowledged_at_ms=1, acknowledged_by="ade", paged_at_ms=1)  # fmt: skip
    reporting = [region.agent("srv1")]
    pass_by(region, 1, *reporting)
    app = region.at_centre
    with app.store.transaction() as connection:
        now = instant(region.centre.clock.wall_ms())
        take(connection, "mea", [told], app.registry.fleet, current_plan(connection), now)
    signal = Signal("site:tokyo", "verdict", "critical", ("site", "tokyo"), "tokyo", "for", "power",
                    region.centre.clock.wall_ms(), region.centre.clock.wall_ms(), (), (), (), (), True)  # fmt: skip
    IncidentJob(app.store, app.registry, lambda _now, _plan: ([signal], False)).step(now)
    (tokyo,) = [one for key, one in incidents_of(app).items() if key == "site:tokyo"]
    assert (tokyo.state, tokyo.acknowledged_by, tokyo.paged_at) == ("triggered", "", None)
    with region.at_hub.upstream.errand() as line:  # type: ignore[union-attr]
        answer = line.post("/v1/incidents?digest=00", b'{"incidents":[]}')
    assert answer.status == 400  # type: ignore[union-attr]
