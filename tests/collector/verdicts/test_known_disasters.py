"""Two outages that others saw late, in virtual time: what is told, how soon, and to whom it matters."""

from __future__ import annotations

from dataclasses import replace

from virtual_fleet import STEP, VirtualFleet, warm

from collector.fleet.paths import Group
from collector.fleet.registry import System
from collector.verdicts.standing import DEGRADED, DOWN, OK
from collector.verdicts.thresholds import BY_KIND

WITHIN = 3
"""Intervals in which the verdict must stand."""
AGENCIES = ("civil", "post", "safety", "records", "approval")


def with_systems(world: VirtualFleet) -> VirtualFleet:
    """Five agencies' systems on Gwangju's machines; one of them has its second half in Tokyo."""
    machines = ("srv1", "srv2", "srv3", "srv4", "srv1")
    made = {
        agency: System(agency, agency, agency, agency, 1, (), (Group("all", "all", (f"{machine}.gwangju",)),))
        for agency, machine in zip(AGENCIES, machines, strict=True)
    }
    made["post"] = replace(made["post"], groups=(Group("pair", "standby", ("srv2.gwangju", "srv2.tokyo")),))
    world.fleet = replace(world.fleet, version=2, systems=made)
    world.run(2)
    return world


def test_a_core_port_drops_large_packets_while_ping_is_green() -> None:
    world = warm()
    began = world.now_ms
    world.do("large gwangju")
    world.run(WITHIN)
    link, site = world.standing.links["gwangju/main"], world.standing.sites["gwangju"]
    assert (link.state, link.reason) == (DEGRADED, "large_packets_lost")
    assert link.since_ms - began <= WITHIN * STEP * 1000
    assert (site.state, site.reason, site.cause) == (DEGRADED, "link_degraded", "link:gwangju/main")
    facts = {(fact.code, fact.value) for fact in link.evidence}
    assert ("large_loss", "MTU 1006") in facts
    assert any(code == "probe_answered" for code, _ in facts), "small packets pass, and that is said"
    assert world.standing.causes["link:gwangju/main"].affected == (("site", "gwangju"),)
    # nine of ten are dropped: a cycle that happens to pass turns nothing green, and nothing flaps
    for _ in range(6):
        world.do("whole gwangju")
        world.run(1)
        world.do("large gwangju")
        world.run(2)
        assert world.standing.links["gwangju/main"].reason == "large_packets_lost"
    assert len([c for c in world.changes if c.id == "gwangju/main"]) == 1
    world.do("whole gwangju")
    world.run(3)
    assert world.standing.links["gwangju/main"].state == OK
    assert BY_KIND["leased"].rtt_ms > 100


def test_batteries_burn_and_cooling_is_lost_in_a_data_centre() -> None:
    world = with_systems(warm())
    world.do("check srv1.gwangju ups_temperature 2")
    world.run(1)
    assert world.standing.sites["gwangju"].reason == "checks_failing"
    assert "host:srv1.gwangju" in world.standing.causes
    world.do("battery gwangju")
    world.do("check srv2.gwangju room_temperature 2")
    world.run(1)
    site = world.standing.sites["gwangju"]
    assert (site.state, site.reason) == (DEGRADED, "on_battery")
    assert [check.check for check in site.failing] == ["ups_temperature", "room_temperature"]
    # healthy machines are shut down for want of cooling: confirmed from next door
    world.do("silent srv3.gwangju srv4.gwangju")
    world.do("unreached srv3.gwangju")
    world.run(WITHIN + 1)
    assert world.standing.hosts["srv3.gwangju"].state == DOWN
    assert (world.standing.systems["safety"].state, world.standing.systems["safety"].cause) == (
        DOWN,
        "site:gwangju",
    )
    (lost,) = [cause for cause in world.standing.causes.values() if ("host", "srv3.gwangju") in cause.affected]
    assert lost.id == "site:gwangju"
    assert lost.evidence[0][:3] == ("went_before", "srv1.gwangju", "ups_temperature")
    # then everything
    world.do("silent gwangju")
    world.do("unreached gwangju")
    dark_ms = world.now_ms
    world.run(WITHIN + 1)
    site = world.standing.sites["gwangju"]
    assert (site.state, site.reason) == (DOWN, "power")
    assert site.since_ms - dark_ms <= (WITHIN + 1) * STEP * 1000
    assert {fact.code for fact in site.evidence} >= {"on_battery", "last_report", "probe_failed"}
    states = {agency: world.standing.systems[agency].state for agency in AGENCIES}
    assert states == {"civil": DOWN, "post": DEGRADED, "safety": DOWN, "records": DOWN, "approval": DOWN}
    affected = set(world.standing.causes["site:gwangju"].affected)
    assert {("system", agency) for agency in AGENCIES if agency != "safety"} <= affected
    before = {agency: world.standing.systems[agency][:4] for agency in AGENCIES}
    world.restart()
    world.run(WITHIN)
    assert {agency: world.standing.systems[agency][:4] for agency in AGENCIES} == before
    assert world.standing.sites["gwangju"][:3] == site[:3]


def test_a_hub_comes_back_and_one_child_is_truly_down() -> None:
    world = warm()
    world.do("mute mea")
    world.do("silent dubai abuja cairo nairobi")
    world.run(8)
    assert {world.standing.sites[site].cause for site in ("dubai", "abuja", "cairo", "nairobi")} == {"hub:mea"}
    assert len([c for c in world.standing.causes if not c.startswith("link:")]) == 1, "one disturbance, not five"
    world.do("unreached cairo")
    world.run(1)
    world.do("speaks mea")
    world.do("back dubai abuja nairobi")
    world.run(1)
    assert {cause for cause in world.standing.causes if "hub" in cause or "site" in cause} <= {"hub:mea", "site:cairo"}
    world.run(5)
    assert {site for site, found in world.standing.sites.items() if found.state != OK} == {"cairo"}
    (cause,) = [
        cause
        for cause in world.standing.causes.values()
        if ("site", "cairo") in cause.affected or cause.id == "site:cairo"
    ]
    assert cause.since_ms <= world.now_ms - 10 * STEP * 1000, "since it fell silent, not since the hub came back"
