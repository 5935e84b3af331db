"""A whole run: machines, lines and collectors from one seed, troubles at chance moments, then peace, then the reckoning.

world = World(seed=7, folder=somewhere)
world.run()
assert world.complaints == []
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.keys import SigningKey
from agent.link.profile import PROFILES
from agent.link.ranges import Ranges
from agent.link.send_request import ENVELOPES_PATH
from collector.world.agent import WorldAgent, seeded_identity
from collector.world.centre import enrol, make_centre
from collector.world.clock import BusyClock, StepClock, Timeline
from collector.world.disk import DiskModel
from collector.world.faults import FAULTS, Fault
from collector.world.faults_hub import BEHIND_HUBS
from collector.world.hub import HubStation, make_hub
from collector.world.later import LaterVoice
from collector.world.ledger import complaints, over_caps, read_ledger, taken_after
from collector.world.link import Line, Wire
from collector.world.station import InlineLoop, Station
from collector.world.topology import BITS_PER_SECOND, HUBS, MISSIONS, Place

CENTRE = "https://centre"
HUB_JOBS = {"registry": 5.0, "checkpoint": 60.0, "letting_go": 600.0}
CENTRE_JOBS = {"registry": 5.0, "checkpoint": 60.0, "history_chunks": 600.0}
SMALL_CAP, LARGE_CAP = 8 << 10, 256 << 10
WIDE = 60
"""Series of a machine with a small spool: a quarter of an hour fills it."""
PEACE_SECONDS = 300.0
"""A request into a cut line ends after two minutes, back-off lasts a minute at most, and then two intervals."""
DRAIN_SECONDS = 4 * 3600.0


def hub_url(name: str) -> str:
    return f"https://hub-{name}"


class World:
    """``minutes`` of trouble. ``faults``: which kinds may happen (all). ``happened`` counts what did."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        agents: int = 3,
        minutes: float = 20.0,
        troubles: int = 12,
        faults: dict[str, Fault] | None = None,
        hubs: int = 0,
        later_agents: bool = False,
    ) -> None:
        self.seed = seed
        self.later_agents = later_agents
        """Whether all agents are of a later version and say more than is known here."""
        self.chance = random.Random(seed)
        self.timeline = Timeline()
        self.seconds = minutes * 60
        self.troubles = troubles
        self.faults = faults or (BEHIND_HUBS if hubs else FAULTS)
        self.happened: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.revoked_rows: dict[bytes, int] = {}
        """The centre's last row when an agent was revoked, by agent."""
        self.is_troubled = True
        self.loop = InlineLoop()
        self.lines: dict[tuple[str, str], Line] = {}
        self.dooms: dict[str, str] = {}
        self.heals: list[Callable[[], None]] = []
        """What ends troubles that did not end by themselves."""
        self.centre_key = make_centre(folder / "centre", self.chance)
        self.stations = {CENTRE: Station(self.timeline, folder / "centre", self.loop, CENTRE_JOBS)}
        self.agents: list[WorldAgent] = []
        self._begin(CENTRE)
        self.folder = folder
        chosen = self.chance.sample(HUBS, hubs)
        for name, _, _, site in chosen:
            self._found(name, next(place for place in MISSIONS if place.id == site))
        regions = [name for name, *_ in chosen]
        places = [place for place in MISSIONS if not hubs or place.hub in regions]
        for number in range(1, agents + 1):
            self._settle(number, self.chance.choice(places))
        app = self.centre.app
        assert app is not None
        enrol(app.store, [agent.identity for agent in self.agents])
        for agent in self.agents:
            agent.boot()

    @property
    def centre(self) -> Station:
        return self.stations[CENTRE]

    def _found(self, name: str, place: Place) -> None:
        """A new hub at a place."""
        url, folder = hub_url(name), self.folder / name
        self.join_hub(folder, name)
        chance = random.Random(self.chance.random())

        def connect(clock: StepClock) -> Exchange:
            return Wire(self.timeline, clock, chance, lambda to: self._route(place, to, via=url))

        self.stations[url] = HubStation(self.timeline, folder, self.loop, CENTRE, connect, HUB_JOBS)
        self._begin(url)

    def join_hub(self, folder: Path, name: str) -> None:
        app = self.centre.app
        assert app is not None
        make_hub(folder, name, app.store, self.centre_key.public, self.centre.clock.wall_ms(), self.chance)

    def _settle(self, number: int, place: Place) -> None:
        """A new agent at a place."""
        urls = [url for url in (hub_url(place.hub), CENTRE) if url in self.stations]
        identity = seeded_identity(number, f"srv{number}.{place.id}", place.id, urls, self.chance)
        is_small = self.chance.random() < 0.4
        cap, width = (SMALL_CAP, WIDE) if is_small else (LARGE_CAP, 3)
        disk = DiskModel(self.chance.randrange(1 << 30))
        exchange = self.exchange_of(place)
        profile = PROFILES[place.profile]
        self.add(
            WorldAgent(self.timeline, identity, self.centre_key.public, disk, exchange, profile, cap, 20_000, width)
        )

    def add(self, agent: WorldAgent) -> None:
        agent.after_turn = lambda: self.complaints.extend(over_caps(agent))
        self.agents.append(agent)

    # ------------------------------------------------------------ lines and doors

    def exchange_of(self, place: Place) -> Callable[[BusyClock], Exchange]:
        chance = random.Random(self.chance.random())

        def made(clock: BusyClock) -> Exchange:
            wire = Wire(self.timeline, clock, chance, lambda url: self._route(place, url))
            return LaterVoice(wire, self._key_of) if self.later_agents else wire

        return made

    def _key_of(self, agent_id: bytes) -> SigningKey:
        return next(agent.identity.key for agent in self.agents if agent.identity.agent_id == agent_id)

    def line(self, site: str, url: str) -> Line:
        """The line from a site, or from a hub by its URL, to a collector; made on first use."""
        found = self.lines.get((site, url))
        if found is None:
            place = next(place for place in MISSIONS if site in (place.id, hub_url(place.hub)))
            found = self.lines[site, url] = Line(place.rtt_ms / 1000, BITS_PER_SECOND[place.profile])
        return found

    def _route(
        self, place: Place, url: str, via: str = ""
    ) -> tuple[Line, Callable[[Request, float], Response | Failure]] | None:
        if url not in self.stations:
            return None
        return self.line(via or place.id, url), lambda request, arrives: self.arrive(url, request, arrives)

    def arrive(self, url: str, request: Request, arrives: float) -> Response | Failure:
        """A request reaches a collector, which may die of it."""
        station = self.stations[url]
        if self.dooms.get(url) and station.app is not None and request.path == ENVELOPES_PATH and len(request.body) > 1:
            said = station.die_at(self.dooms.pop(url), request, arrives)
            self.timeline.after(self.chance.uniform(1, 90), lambda: self._begin(url))
            return said
        return station.answer(request, arrives)

    def _begin(self, url: str) -> None:
        if self.stations[url].app is None:
            self.stations[url].begin()

    def stop_station(self, url: str, seconds: float) -> None:
        """A collector is killed, and started again after a while."""
        self.stations[url].end()
        self.timeline.after(seconds, lambda: self._begin(url))

    def restart(self, agent: WorldAgent) -> None:
        agent.kill(cut_power=False)
        agent.boot()

    def boot_later(self, agent: WorldAgent, seconds: float) -> None:
        self.timeline.after(seconds, lambda: None if agent.is_up else agent.boot())

    # ------------------------------------------------------------ the run

    def run(self) -> None:
        names = sorted(self.faults)
        for _ in range(self.troubles):
            name = self.chance.choice(names)
            self.timeline.at(self.chance.uniform(0, self.seconds), lambda name=name: self._trouble(name))  # type: ignore[misc]
        self.timeline.after(20.0, self._watchman)
        self.timeline.step(self.seconds)
        self._heal()
        self.timeline.step(self.seconds + PEACE_SECONDS)
        self._check_present()
        for agent in self.agents:
            agent.is_silent = True
        end = self.timeline.now + DRAIN_SECONDS
        while self.timeline.now < end and any(map(self._waits, self.agents)):
            self.timeline.step(self.timeline.now + 120.0)
            for agent in self.agents:
                if agent.is_up and len(agent.identity.urls) > 1 and agent.spool.figures().records:
                    agent.speak()  # a hub has the centre's receipt later than the report, and tells it at the next
        self.timeline.step(self.timeline.now + 120.0)
        self._reckon()
        for station in self.stations.values():
            station.end()
        self.loop.close()

    def _trouble(self, name: str) -> None:
        if self.is_troubled:
            self.happened[name] += 1
            self.faults[name](self, self.chance)

    def _watchman(self) -> None:
        """Somebody starts what lies dead."""
        for agent in self.agents:
            if not agent.is_up and self.chance.random() < 0.4:
                agent.boot()
        self.timeline.after(20.0, self._watchman)

    def _heal(self) -> None:
        self.is_troubled = False
        self.dooms.clear()
        for line in self.lines.values():
            line.is_cut, line.faults = False, {}
        for url in self.stations:
            self._begin(url)
        for agent in self.agents:
            agent.power.doom = ""
            agent.power.trouble = lambda _operation, _path: None
            agent.disk.capacity = 1 << 40
        for heal in self.heals:
            heal()
        self.heals.clear()

    def _waits(self, agent: WorldAgent) -> bool:
        """Whether something of an agent has no fate at the centre yet."""
        if agent.revoked_ms is not None:
            return False
        if not agent.is_up:
            return True
        if len(agent.identity.urls) == 1:
            return agent.spool.figures().records > 0
        if agent.is_twinned:  # by name nobody can tell whose it is that the centre holds
            return agent.keeps_old()
        app = self.centre.app
        known = dict(app.log.positions.items()) if app is not None else {}
        for epoch, last in agent.last_numbers().items():
            position = known.get((agent.identity.agent_id, epoch))
            if position is None or Ranges(sorted([*position.held, *position.lost])).gaps(1, last):
                return True
        return False

    # ------------------------------------------------------------ the reckoning

    def _check_present(self) -> None:
        """Whatever the backlog, what is shown as now is now."""
        app = self.centre.app
        assert app is not None
        for agent in self.agents:
            if agent.revoked_ms is not None or agent.is_twinned or not agent.is_up or agent.sender.figures().hold:
                continue
            shown = app.live.hosts.get(agent.identity.host)
            value = shown.value("node_load1") if shown is not None else None
            newest = [promise.value for promise in agent.promised[-4:]]
            if value not in newest:
                text = f"shows {value} as now, two intervals after all is well; newest is {newest[-1:]}"
                self.complaints.append(f"{agent.identity.host}: {text}")

    def _reckon(self) -> None:
        app = self.centre.app
        assert app is not None
        for agent in self.agents:
            if self._waits(agent):
                left = agent.spool.figures().records if agent.is_up else "everything"
                self.complaints.append(f"{agent.identity.host}: {left} still waits hours after all is well")
        self.ledger = read_ledger(app.store)
        self.complaints += complaints(self.ledger, self.agents)
        self.complaints += taken_after(self.ledger, self.revoked_rows)
