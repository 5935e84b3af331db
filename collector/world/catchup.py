"""A post on a thin line that was cut off, and comes back: how long until the centre has everything, and is now still now?

One site is played exactly, with all its agents behind its one line; sites share nothing but the centre, so a fleet of
them takes as long as one, and loads the centre with the sum of their lines.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.link.exchange import Exchange
from agent.link.model import Schema
from agent.link.profile import PROFILES
from collector.world.agent import WorldAgent, seeded_identity
from collector.world.centre import enrol, make_centre
from collector.world.clock import START_MS, BusyClock, Timeline
from collector.world.disk import DiskModel
from collector.world.ledger import Ledger, complaints, read_ledger
from collector.world.link import Line, Wire
from collector.world.series import CoreValues, core_schema
from collector.world.station import InlineLoop, Station
from collector.world.world import CENTRE

SITE = "abuja"
SETTLED_SECONDS = 600.0
PROBE_SECONDS = 2.0
LONGEST_SECONDS = 72 * 3600.0


class CoreAgent(WorldAgent):
    """Reports the sixty series of the core profile; the first of them is its unique value."""

    _schema: Schema | None = None
    _values: CoreValues | None = None

    @property
    def schema(self) -> Schema:
        if self._schema is None:
            self._schema = core_schema(self.identity.host)
        return self._schema

    def _rest(self) -> Sequence[float | None]:
        if self._values is None:
            self._values = CoreValues(self.chance)
        return self._values.next()[1:]


@dataclass(frozen=True)
class CatchUp:
    """``seconds`` from the line's return until the centre has all that was measured before it. ``greeted_seconds``: until
    the first live report. ``oldest_live_seconds``: how old the shown numbers of any agent ever were after its own first
    live report, ``percentile_95``: of all looks, every two seconds. ``bytes_up``: all requests meanwhile, live ones too.
    """

    seconds: float
    greeted_seconds: float
    oldest_live_seconds: float
    percentile_95: float
    bytes_up: int
    records: int
    wrong: list[str]


class Post(NamedTuple):
    """A site on the thin profile with its agents, all behind one line of 64 kbit/s and 600 ms, enrolled and not begun."""

    timeline: Timeline
    loop: InlineLoop
    centre: Station
    line: Line
    fleet: list[CoreAgent]

    def end(self) -> None:
        self.centre.end()
        self.loop.close()


def thin_post(folder: Path, agents: int, loss: float, seed: int, cap_bytes: int = 256 << 20) -> Post:
    chance = random.Random(seed)
    timeline, loop = Timeline(), InlineLoop()
    key = make_centre(folder / "centre", chance)
    centre = Station(timeline, folder / "centre", loop)
    app = centre.begin()
    line = Line(rtt=0.6, bits_per_second=64e3, loss=loss)
    fleet = []
    for number in range(1, agents + 1):
        identity = seeded_identity(number, f"srv{number}.{SITE}", SITE, [CENTRE], chance)
        drawn = random.Random(chance.random())

        def exchange(clock: BusyClock, drawn: random.Random = drawn) -> Exchange:
            return Wire(timeline, clock, drawn, lambda _url: (line, centre.answer))

        disk = DiskModel(chance.randrange(1 << 30))
        fleet.append(CoreAgent(timeline, identity, key.public, disk, exchange, PROFILES["thin"], cap_bytes))
    enrol(app.store, [agent.identity for agent in fleet])
    app.registry.refresh()
    return Post(timeline, loop, centre, line, fleet)


class Use(NamedTuple):
    """Of one agent a minute, on average: bytes up and down, heads of HTTP in them, TLS and TCP not."""

    up: float
    down: float
    records: int


def line_use(folder: Path, minutes: int, agents: int = 1, loss: float = 0.0, seed: int = 1) -> Use:
    """What agents cost their line from their first start on, with their schemas in it, while nothing is wrong."""
    post = thin_post(folder, agents, loss, seed)
    for agent in post.fleet:
        agent.boot()
    post.timeline.step(60.0 * minutes)
    share = agents * minutes
    assert post.centre.app is not None
    records = len(read_ledger(post.centre.app.store).rows)
    post.end()
    return Use(post.line.bytes_up / share, post.line.bytes_down / share, records)


def catch_up(
    folder: Path, hours: float, agents: int = 1, loss: float = 0.0, seed: int = 1, cap_bytes: int = 256 << 20
) -> CatchUp:
    """Play it: the thin profile, 64 kbit/s, 600 ms."""
    post = thin_post(folder, agents, loss, seed, cap_bytes)
    timeline, centre, line, fleet = post.timeline, post.centre, post.line, post.fleet
    for agent in fleet:
        agent.boot()
    timeline.step(SETTLED_SECONDS)
    line.is_cut = True
    timeline.step(SETTLED_SECONDS + hours * 3600)
    line.is_cut = False
    returned, bytes_before = timeline.now, line.bytes_up
    wanted = {(agent.identity.agent_id, p.epoch): p.seq for agent in fleet for p in agent.promised[-1:]}
    shown = {agent.identity.host: _taken_ms(centre, agent) for agent in fleet}
    greeted: dict[str, float] = {}
    ages: list[float] = []
    while not _has_all(centre, wanted) and timeline.now < returned + LONGEST_SECONDS:
        timeline.step(timeline.now + PROBE_SECONDS)
        for agent in fleet:
            host, taken_ms = agent.identity.host, _taken_ms(centre, agent)
            if taken_ms != shown[host]:
                greeted.setdefault(host, timeline.now - returned)
            if host in greeted:
                ages.append(timeline.now - (taken_ms - START_MS) / 1000)
    seconds = timeline.now - returned
    sent = line.bytes_up - bytes_before
    for agent in fleet:
        agent.is_silent = True
    timeline.step(timeline.now + SETTLED_SECONDS)
    assert centre.app is not None
    found: Ledger = read_ledger(centre.app.store)
    wrong = complaints(found, fleet)
    post.end()
    ages.sort()
    return CatchUp(seconds, max(greeted.values()), ages[-1], ages[int(len(ages) * 0.95)], sent, len(found.rows), wrong)


def _taken_ms(centre: Station, agent: WorldAgent) -> int:
    assert centre.app is not None
    host = centre.app.live.hosts.get(agent.identity.host)
    return host.taken_at_ms if host is not None else 0


def _has_all(centre: Station, wanted: dict[tuple[bytes, bytes], int]) -> bool:
    assert centre.app is not None
    known = dict(centre.app.log.positions.items())
    return all(name in known and not known[name].held.gaps(1, last) for name, last in wanted.items())
