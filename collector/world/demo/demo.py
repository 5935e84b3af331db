"""The demonstration as a whole: one centre, five hubs, two agents a mission, and everything between them.

demo = Demo(seed=7, folder=somewhere)
demo.play(3600.0)          # an hour passes
demo.condition.cut_links.add("abuja/main")
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from sqlalchemy import insert, update

from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.names import GAUGE
from agent.link.profile import PROFILES, LinkProfile
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant
from collector.world.agent import Identity, seeded_identity
from collector.world.centre import make_centre, make_database
from collector.world.clock import START_MS, BusyClock, StepClock, Timeline
from collector.world.demo.agent import DemoAgent
from collector.world.demo.condition import Condition
from collector.world.demo.fleet import Looked, Machine, document, looks, machines
from collector.world.demo.machine import Numbers, Reading
from collector.world.demo.paced_centre import PacedCentre
from collector.world.hub import HubStation, make_hub
from collector.world.link import Line, Wire
from collector.world.station import InlineLoop, Station
from collector.world.topology import BITS_PER_SECOND, HUBS, PLACES, Place

CENTRE = "https://centre"
WATCH_SECONDS = 5.0
FULL_BYTES, NARROW_BYTES = 1500.0, 1400.0
HUB_JOBS = {"registry": 5.0, "checkpoint": 60.0, "letting_go": 600.0, "verdicts": 5.0, "history_chunks": 60.0}
AT = {place.id: place for place in PLACES}


@cache
def demo_database(is_small: bool) -> Path:
    return make_database(document(is_small))


class Demo:
    """``settings`` are the centre's (its data directory is made here). For long plays: ``least_seconds`` between two runs
    of a job, ``interval_seconds`` between reports (0 = the line's profile), and ``is_small`` = one server a mission."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        start_ms: int = START_MS,
        settings: Settings | None = None,
        least_seconds: float = 1.0,
        interval_seconds: float = 0.0,
        is_small: bool = False,
    ) -> None:
        self.timeline = Timeline(start_ms)
        self.chance = random.Random(seed)
        self.condition = Condition()
        self.loop = InlineLoop()
        self.folder = folder
        self.is_small = is_small
        self._interval_seconds = interval_seconds
        self._least_seconds = least_seconds
        self.centre_key = make_centre(folder / "centre", self.chance, demo_database(is_small))
        settings = replace(settings or Settings(), data_dir=folder / "centre")
        self.centre = PacedCentre(self.timeline, self.loop, settings, least_seconds)
        self.stations: dict[str, Station] = {CENTRE: self.centre}
        self._lines: dict[tuple[str, str], Line] = {}
        self._numbers: dict[str, Numbers] = {}
        self._looks: dict[str, list[Looked]] = {}
        for look in looks():
            self._looks.setdefault(look.host, []).append(look)
        self.centre.begin()
        for name, _, _, site in HUBS:
            self._found_hub(name, AT[site])
        self.agents = self._settle()
        for agent in self.agents.values():
            agent.boot()
        self.timeline.after(WATCH_SECONDS, self._watch)

    def play(self, seconds: float) -> None:
        """Let time pass."""
        self.timeline.step(self.timeline.now + seconds)

    def stop_serving(self) -> None:
        """End what would keep connections open for ever."""
        if self.centre.app is not None:
            self.centre.app.stop_serving()

    def end(self) -> None:
        for station in self.stations.values():
            station.end()
        self.loop.close()

    # ------------------------------------------------------------ who is there

    def _found_hub(self, name: str, place: Place) -> None:
        app = self.centre.app
        assert app is not None
        url, folder = hub_url(name), self.folder / name
        make_hub(folder, name, app.store, self.centre_key.public, self.centre.clock.wall_ms(), self.chance)
        chance = random.Random(self.chance.random())

        def connect(clock: StepClock) -> Exchange:
            return Wire(self.timeline, clock, chance, lambda to: self.route(place, to))

        jobs = {job: max(seconds, self._least_seconds) for job, seconds in HUB_JOBS.items()}
        self.stations[url] = HubStation(self.timeline, folder, self.loop, CENTRE, connect, jobs)
        self.stations[url].begin()

    def _settle(self) -> dict[str, DemoAgent]:
        """Agents by the host they run on."""
        by_speaker: dict[str, list[Machine]] = {}
        for machine in machines(self.is_small):
            by_speaker.setdefault(machine.speaker, []).append(machine)
        found = {}
        for number, (speaker, spoken_for) in enumerate(by_speaker.items(), 1):
            place = AT[spoken_for[0].site]
            urls = [hub_url(place.hub), CENTRE] if place.hub else [CENTRE]
            identity = seeded_identity(number, speaker, place.id, urls, self.chance)
            spoken_for.sort(key=lambda machine, own=speaker: machine.id != own)  # type: ignore[misc]
            numbers = [Numbers(machine, place, random.Random(self.chance.random())) for machine in spoken_for]
            found[speaker] = DemoAgent(
                self.timeline,
                identity,
                self.centre_key.public,
                self._exchange_of(place),
                self._profile(place),
                numbers,
                self.condition,
                lambda host=speaker: self._seen_from(host),  # type: ignore[misc]
            )
        app = self.centre.app
        assert app is not None
        _enrol(app.store, [agent.identity for agent in found.values()], self.timeline.start_ms)
        app.registry.refresh()
        return found

    def _profile(self, place: Place) -> LinkProfile:
        profile = PROFILES[place.profile]
        return profile._replace(interval_seconds=self._interval_seconds) if self._interval_seconds else profile

    def _watch(self) -> None:
        """Machines without power stop; with it, they start again."""
        now, condition = self.timeline.now, self.condition
        for host, agent in self.agents.items():
            is_powered = condition.battery_ratio(agent.identity.site, now) > 0
            if agent.is_up and not (is_powered and host not in condition.dead_hosts):
                agent.kill(cut_power=True)
            elif not agent.is_up and is_powered and host not in condition.dead_hosts:
                agent.boot()
        self.timeline.after(WATCH_SECONDS, self._watch)

    # ------------------------------------------------------------ lines

    def _exchange_of(self, place: Place) -> Callable[[BusyClock], Exchange]:
        chance = random.Random(self.chance.random())
        return lambda clock: Wire(self.timeline, clock, chance, lambda url: self.route(place, url))

    def route(self, place: Place, url: str) -> tuple[Line, Callable[[Request, float], Response | Failure]]:
        line = self._lines.get((place.id, url))
        if line is None:
            line = self._lines[place.id, url] = Line(place.rtt_ms / 1000, BITS_PER_SECOND[place.profile])
        line.is_cut = not self.carries(place)
        line.rtt = self._rtt(place)
        return line, self.stations[url].answer

    def carries(self, place: Place) -> bool:
        """Whether anything passes between a place and the world."""
        cut = self.condition.cut_links
        has_backup = "+" in place.link
        return f"{place.id}/main" not in cut or (has_backup and f"{place.id}/backup" not in cut)

    def _rtt(self, place: Place, link: str = "main") -> float:
        return place.rtt_ms / 1000 * self.condition.slow_links.get(f"{place.id}/{link}", 1.0)

    # ------------------------------------------------------------ what machines see of each other

    def _seen_from(self, host: str) -> list[Reading]:
        return [reading for look in self._looks.get(host, ()) for reading in self._look(host, look)]

    def _look(self, host: str, look: Looked) -> list[Reading]:
        own, place = AT[host.rpartition(".")[2]], AT[look.target.rpartition(".")[2]]
        link = look.id.rpartition("/")[2] if look.subject == "link" else "main"
        is_there = self.carries(own) and self.condition.battery_ratio(place.id, self.timeline.now) > 0
        if look.subject == "link":
            is_there = is_there and look.id not in self.condition.cut_links
        else:
            is_there = is_there and self.carries(place)
        rtt = (self._rtt(own) + self._rtt(place, link)) / 2 * self.chance.uniform(0.97, 1.06)
        told = [
            ("probe_success", "icmp", float(is_there)),
            ("probe_duration_seconds", "icmp", rtt if is_there else 1.0),
        ]
        found = [_probe(name, look.target, module, value) for name, module, value in told]
        found.append(_probe("probe_icmp_duration_seconds", look.target, "icmp", rtt if is_there else None, phase="rtt"))
        found.append(_probe("probe_icmp_loss_ratio", look.target, "icmp", 0.0 if is_there else 1.0))
        if look.subject != "site":
            ends = {f"{place.id}/{link}", place.id}
            is_wide = is_there and not ends & self.condition.narrow_links
            mtu = (FULL_BYTES if is_wide else NARROW_BYTES) if is_there else None
            found.append(_probe("probe_success", look.target, "path_mtu", float(is_wide)))
            found.append(_probe("probe_path_mtu_bytes", look.target, "path_mtu", mtu))
        return found


def hub_url(name: str) -> str:
    return f"https://hub-{name}"


def _probe(name: str, target: str, module: str, value: float | None, **labels: str) -> Reading:
    known = {"target": target, "module": module, **labels}
    rounded = None if value is None else round(value, 4)
    return Reading(name, GAUGE, tuple(sorted(known.items())), rounded)


def _enrol(store: Store, identities: list[Identity], at_ms: int) -> None:
    """Rows as enrolment leaves them, on hosts of the topology."""
    at = instant(at_ms)
    with store.transaction() as connection:
        for one in identities:
            row = {"id": one.agent_id, "site": one.site, "host": one.host, "status": "active"}
            connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
            key = {"agent_id": one.agent_id, "key_no": one.key_no, "public_key": one.key.public, "created_at": at}
            connection.execute(insert(agent_keys), key)
            mine = (hosts.c.id == one.host) | (hosts.c.via == one.host)
            connection.execute(update(hosts).where(mine).values(agent_id=one.agent_id))
        bump_version(connection)
