"""A hub judges its own region by itself; its board forgets nothing over a restart at any point of a situation."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cache

import pytest
from situations import SITUATIONS, Situation
from test_situations import told
from virtual_fleet import HUBS, WARM_STEPS, VirtualFleet, make_fleet

from collector.fleet.registry import Fleet
from collector.verdicts.past import Past
from collector.verdicts.standing import OK


def region(hub: str) -> Fleet:
    """What a hub's registry says: its own sites, and what is at them; no systems, and no hub that could be heard."""
    fleet = make_fleet()
    sites = {site: fleet.sites[site] for site in HUBS[hub]}
    hosts = {host: entry for host, entry in fleet.hosts.items() if entry.site in sites}
    return replace(
        fleet,
        hubs={hub: fleet.hubs[hub]},
        sites=sites,
        hosts=hosts,
        agents={agent: entry for agent, entry in fleet.agents.items() if entry.site in sites},
        hosts_by_site={site: fleet.hosts_by_site[site] for site in sites},
        agents_by_site={site: fleet.agents_by_site[site] for site in sites},
        links={link: entry for link, entry in fleet.links.items() if entry.site in sites},
        probes=tuple(probe for probe in fleet.probes if probe.host in hosts),
        systems={},
        interfaces={},
    )


@dataclass
class HubBoard(VirtualFleet):
    """Nobody agrees work with a hub, and its own contact is not among what it hears."""

    def step(self) -> None:
        self.mute_hubs = set(self.fleet.hubs)
        super().step()

    def _window(self, kind: str, subject: str, shutdown: str = "") -> None:
        pass

    def _ended(self, kind: str, subject: str) -> None:
        pass

    def _restart(self) -> None:
        """The centre's."""


@cache
def _warm(hub: str) -> HubBoard:
    world = HubBoard(region(hub))
    world.run(WARM_STEPS)
    return world


def warm(hub: str) -> HubBoard:
    known = _warm(hub)
    past = known.past
    return HubBoard(
        known.fleet,
        known.at,
        hosts=dict(known.hosts),
        agents=dict(known.agents),
        past=Past(past.standing, copy.deepcopy(past.books), past.memory, past.hearing, past.index, past.working),
    )


def held(situation: Situation, hub: str) -> None:
    words = [word.strip() for word in situation.script.split(";")]
    usual = warm(hub)
    for word in words:
        usual.do(word)
    usual.run(10)
    for place in range(len(words)):
        world = warm(hub)
        for at, word in enumerate(words):
            world.do(word)
            if at == place:
                before = told(world.standing)
                world.restart()
                after = told(world.standing)
                assert {name: after.get(name) for name in before} == before, f"told as before at once after {word}"
        world.run(10)
        assert told(world.standing) == told(usual.standing), words[place]
        assert world.standing.causes.keys() == usual.standing.causes.keys(), words[place]
        assert _went(world) == _went(usual), words[place]


def _went(world: HubBoard) -> list[str]:
    """What was written down on the way, whenever."""
    return sorted(
        str((each.kind, each.id, each.before, each.after, each.cause)) for each in world.changes if not each.is_reason
    )


@pytest.mark.parametrize("situation", SITUATIONS[::6], ids=[row.name for row in SITUATIONS[::6]])
def test_a_restart_changes_nothing_on_a_hubs_board(situation: Situation) -> None:
    held(situation, "mea")


@pytest.mark.slow
@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("situation", SITUATIONS, ids=[row.name for row in SITUATIONS])
def test_a_restart_changes_nothing_on_any_hubs_board(situation: Situation, hub: str) -> None:
    held(situation, hub)


def test_a_silent_region_is_not_well_again_for_the_length_of_a_start() -> None:
    held(next(row for row in SITUATIONS if row.name == "two sites of a small hub silent"), "apac")


def test_a_hub_sees_what_goes_wrong_in_its_region() -> None:
    world = warm("mea")
    world.do("silent cairo")
    world.run(5)
    assert {site for site, found in world.standing.sites.items() if found.state != OK} == {"cairo"}
