"""What goes wrong with hubs and the lines behind them, by name; drawn like the troubles of ``faults``."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

from collector.world.faults import FAULTS, Fault
from collector.world.liar import Liar
from collector.world.link import Line

if TYPE_CHECKING:
    from collector.world.world import World


def hub_away(world: World, chance: random.Random) -> None:
    """Its agents fall back to the centre, and return."""
    urls = _hubs(world)
    if urls:
        world.stop_station(chance.choice(urls), chance.uniform(60, 900))


def hub_cut(world: World, chance: random.Random) -> None:
    """A hub without its centre: takes, and sends later."""
    for (start, _), line in world.lines.items():
        if start in world.stations and chance.random() < 0.7:
            line.is_cut = True

            def end(line: Line = line) -> None:
                line.is_cut = False

            world.timeline.after(chance.uniform(60, 1200), end)


def hub_disk_lost(world: World, chance: random.Random) -> None:
    """A hub begins anew in an empty directory: what it held is gone, and its agents send what the centre lacks."""
    urls = _hubs(world)
    if urls and world.centre.app is not None:
        url = chance.choice(urls)
        world.stations[url].end()
        shutil.rmtree(world.stations[url].folder)
        world.join_hub(world.stations[url].folder, world.stations[url].folder.name)
        world.stop_station(url, chance.uniform(5, 120))


def lying_hub(world: World, chance: random.Random) -> None:
    """It alters, drops, replays and invents towards the centre, and claims the centre's ranges towards its agents."""
    urls = _hubs(world)
    if not urls:
        return
    url, liar = chance.choice(urls), Liar(chance)
    for (start, to), line in world.lines.items():
        if start == url:
            line.changed = liar.towards_centre
        elif to == url:
            line.worded = liar.towards_agents

    def repent() -> None:
        world.happened["lies"] += liar.lies
        for line in world.lines.values():
            line.changed = line.worded = None

    world.heals.append(repent)


def _hubs(world: World) -> list[str]:
    from collector.world.world import CENTRE

    return [url for url in world.stations if url != CENTRE]


HUB_FAULTS: dict[str, Fault] = {fault.__name__: fault for fault in (hub_away, hub_cut, hub_disk_lost, lying_hub)}
BEHIND_HUBS: dict[str, Fault] = FAULTS | HUB_FAULTS
