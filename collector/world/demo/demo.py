"""The demonstration as a whole: one centre, five hubs, two agents a mission, and everything between them.

demo = Demo(seed=7, folder=somewhere)
demo.play(3600.0)          # an hour passes
demo.condition.cut_links.add("abuja/main")
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from sqlalchemy import insert, update

from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.profile import PROFILES, LinkProfile
from collector.app import App
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.incidents.signal import INFO
from collector.settings import Settings, Upstream
from collector.store.engine import Store
from collector.store.schema import instant
from collector.world.agent import Identity, seeded_identity
from collector.world.centre import make_centre, make_database
from collector.world.clock import START_MS, BusyClock, StepClock, Timeline
from collector.world.demo.agent import DemoAgent
from collector.world.demo.condition import Condition
from collector.world.demo.fleet import HUB_SITES, Machine, document, hubs, machines
from collector.world.demo.machine import Numbers
from collector.world.demo.paced_centre import PacedCentre
from collector.world.demo.sight import Sight
from collector.world.demo.tempo import Tempo
from collector.world.hub import HubStation, make_hub
from collector.world.link import Line, Wire
from collector.world.station import InlineLoop, Station
from collector.world.topology import AT, BITS_PER_SECOND, Place

CENTRE = "https://centre"
WATCH_SECONDS = 5.0
HUB_PACE = 3
"""In a long play, jobs of a hub run so much more seldom than the centre's."""
THIN_REGISTRY_SECONDS = 80
"""How often hubs of a thin world ask: the longest after which none is missed."""
LULL_SECONDS = 300.0
"""Of nothing wrong before a play may be coarse."""
HUB_JOBS = {"registry": 5.0, "checkpoint": 60.0, "letting_go": 600.0, "verdicts": 5.0, "history_chunks": 60.0}
CALLING_JOBS = {"alerts": 2.0, "island": 2.0, "incidents": 1.0, "pages": 1.0, "page_delivery": 1.0}
"""Of a hub that calls people while it is alone."""


@cache
def demo_database(is_small: bool, is_thin: bool = False) -> Path:
    return make_database(document(is_small, is_thin))


class Demo:
    """``settings`` are the centre's (its data directory is made here). For long plays: ``least_seconds`` between two runs
    of a job, ``interval_seconds`` between reports (0 = the line's profile), and ``is_small`` = one server a mission; for
    very long ones ``tempo`` in place of those seconds, and ``is_thin`` = few systems and few series too.
    ``hub_settings``: hubs have them, and call people while they are alone."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        start_ms: int = START_MS,
        settings: Settings | None = None,
        least_seconds: float = 1.0,
        interval_seconds: float = 0.0,
        is_small: bool = False,
        is_thin: bool = False,
        tempo: Tempo | None = None,
        hub_settings: Settings | None = None,
    ) -> None:
        self.timeline = Timeline(start_ms)
        self.chance = random.Random(seed)
        self.condition = Condition()
        self.loop = InlineLoop()
        self.folder = folder
        self.is_small, self.is_thin = is_small, is_thin
        self.tempo = tempo or Tempo(least_seconds, interval_seconds)
        self._hub_settings = hub_settings
        self._brisk_until = 0.0
        self._is_calm = False
        self._awake = set(AT)
        """Places whose agents report as their lines have it."""
        self.centre_key = make_centre(folder / "centre", self.chance, demo_database(is_small, is_thin))
        settings = replace(settings or Settings(), data_dir=folder / "centre")
        self.centre = PacedCentre(self.timeline, self.loop, settings)
        self.centre.least_seconds = self._least_seconds
        self.stations: dict[str, Station] = {CENTRE: self.centre}
        self._lines: dict[tuple[str, str], Line] = {}
        self._sight = Sight(is_thin, self.timeline, self.condition, self.chance)
        self.centre.begin()
        for name, _, _, site in hubs(is_thin):
            self._found_hub(name, AT[site])
        self.agents = self._settle()
        for agent in self.agents.values():
            agent.boot()
        self.timeline.after(WATCH_SECONDS, self._watch)

    def play(self, seconds: float) -> None:
        """Let time pass."""
        self.timeline.step(self.timeline.now + seconds)

    def stir(self, seconds: float, sites: Iterable[str] = tuple(AT)) -> None:
        """Something happens from now on: for so long at least jobs run, and agents of these places and of those that look
        at them report, as they do in life."""
        self._brisk_until = max(self._brisk_until, self.timeline.now + seconds)
        before = len(self._awake)
        for site in sites:
            self._awake |= {site, *self._sight.eyes_on(site)}
        if self._is_calm or len(self._awake) > before:
            self._is_calm = False
            self._follow()

    @property
    def is_quiet(self) -> bool:
        """Whether the centre sees nothing wrong, and nothing is open that somebody may be called for."""
        app = self.centre.app
        if app is None or not app.standing.at_ms or app.standing.causes:
            return False
        open_at = app.response.incidents.open_at
        return open_at is not None and {severity for severity, _, _ in open_at} <= {INFO}

    def at_centre(self, action: Callable[[App], None]) -> None:
        """Write something into the centre's rows: now, or once it is up."""
        if self.centre.app is not None:
            action(self.centre.app)
        else:
            self.timeline.after(WATCH_SECONDS, lambda: self.at_centre(action))

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

        jobs = HUB_JOBS | ({} if self._hub_settings is None else CALLING_JOBS)
        more = self._hub_settings or Settings()
        if self.is_thin:
            more = replace(more, upstream=Upstream(registry_seconds=THIN_REGISTRY_SECONDS))
        station = self.stations[url] = HubStation(self.timeline, folder, self.loop, CENTRE, connect, jobs, more)
        pace = HUB_PACE if self.tempo.has_calm else 1
        station.least_seconds = lambda: pace * self._least_seconds()
        station.begin()

    def _settle(self) -> dict[str, DemoAgent]:
        """Agents by the host they run on."""
        by_speaker: dict[str, list[Machine]] = {}
        for machine in machines(self.is_small, self.is_thin):
            by_speaker.setdefault(machine.speaker, []).append(machine)
        found = {}
        for number, (speaker, spoken_for) in enumerate(by_speaker.items(), 1):
            place = AT[spoken_for[0].site]
            urls = [hub_url(place.hub), CENTRE] if place.hub else [CENTRE]
            identity = seeded_identity(number, speaker, place.id, urls, self.chance)
            spoken_for.sort(key=lambda machine, own=speaker: machine.id != own)  # type: ignore[misc]
            numbers = [
                Numbers(machine, place, random.Random(self.chance.random()), is_thin=self.is_thin)
                for machine in spoken_for
            ]
            found[speaker] = DemoAgent(
                self.timeline,
                identity,
                self.centre_key.public,
                self._exchange_of(place),
                self._profile(place),
                numbers,
                self.condition,
                lambda host=speaker: self._sight.seen_from(host),  # type: ignore[misc]
            )
        app = self.centre.app
        assert app is not None
        _enrol(app.store, [agent.identity for agent in found.values()], self.timeline.start_ms)
        app.registry.refresh()
        return found

    def _profile(self, place: Place) -> LinkProfile:
        profile = PROFILES[place.profile]
        is_awake = place.id in self._awake
        seconds = self.tempo.report_seconds if is_awake else self.tempo.calm_report_seconds
        return profile._replace(interval_seconds=seconds) if seconds else profile

    def _least_seconds(self) -> float:
        """Calm turns are at whole multiples, so that what is asked of an instant finds what was noted at it."""
        calm = self.tempo.calm_job_seconds
        return calm - self.timeline.now % calm if self._is_calm else self.tempo.job_seconds

    def _follow(self) -> None:
        """Agents and collectors take up another tempo."""
        for agent in self.agents.values():
            profile = self._profile(AT[agent.identity.site])
            if profile != agent.profile:
                agent.follow(profile)
        for station in self.stations.values():
            station.hurry()

    def _watch(self) -> None:
        """Machines without power stop; with it, they start again. Where all has been well for a while, calm begins."""
        now, condition = self.timeline.now, self.condition
        if self.tempo.has_calm and not self.is_quiet:
            self.stir(LULL_SECONDS, ())
        elif self.tempo.has_calm and not self._is_calm and now >= self._brisk_until:
            self._is_calm = True
            self._awake = set()
            self._follow()
        for host, agent in self.agents.items():
            is_powered = condition.battery_ratio(agent.identity.site, now) > 0
            if agent.is_up and not (is_powered and host not in condition.dead_hosts):
                agent.kill(cut_power=True)
            elif not agent.is_up and is_powered and host not in condition.dead_hosts:
                agent.boot()
        self.timeline.after(WATCH_SECONDS, self._watch)

    # ------------------------------------------------------------ lines

    def _exchange_of(self, place: Place) -> Callable[[BusyClock], Wire]:
        chance = random.Random(self.chance.random())
        return lambda clock: Wire(self.timeline, clock, chance, lambda url: self.route(place, url))

    def route(self, place: Place, url: str) -> tuple[Line, Callable[[Request, float], Response | Failure]]:
        line = self._lines.get((place.id, url))
        if line is None:
            line = self._lines[place.id, url] = Line(place.rtt_ms / 1000, BITS_PER_SECOND[place.profile])
        is_at_home = bool(place.hub) and url == hub_url(place.hub) and HUB_SITES[place.hub] == place.id
        line.is_cut = not is_at_home and not self.condition.carries(place)
        line.rtt = self.condition.rtt(place)
        return line, self.stations[url].answer


def hub_url(name: str) -> str:
    return f"https://hub-{name}"


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
