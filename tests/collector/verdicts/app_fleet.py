"""The small fleet of ``virtual_fleet`` through whole applications: a centre and its three hubs, real envelopes, real rows.

The same words make things happen. Hosts of sites behind a hub report to that hub, which relays; ``mute mea`` cuts that hub's
line to the centre, and its agents, who notice, tell the centre by themselves as well. A hub dies with ``end`` and begins again
on its data directory.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

from sender import Sender, request
from sqlalchemy import insert, select, update
from virtual_fleet import HUBS, STEP, WARM_STEPS, VirtualFleet, make_fleet
from worlds import START, Reported

from agent.link.clock import SystemChance
from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.keys import new_key, save_key
from agent.link.model import Schema, Series, make_schema
from agent.link.names import GAUGE
from collector.app import App
from collector.fleet.keys import centre_key_file, new_receiver, save_receiver
from collector.fleet.registry import Fleet, bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.maintenance.tables import maintenance_windows
from collector.settings import Settings, Upstream
from collector.store.engine import Store
from collector.store.schema import instant
from collector.verdicts.past import Past
from collector.verdicts.standing import Standing
from collector.verdicts.tables import state_changes
from collector.world.centre import empty_database
from collector.world.clock import Timeline
from collector.world.hub import make_hub
from collector.world.station import InlineLoop, Station

AGAIN_STEPS = 4
"""After a world was taken from its template: every collector has begun anew, and everybody reported."""
Told = tuple[str, str, int | None, int, str, str]
Change = tuple[Told, int]
"""What changed, and when (ms)."""


def document(fleet: Fleet) -> str:
    """The fleet as a topology file."""
    lines = ['[[agencies]]\nid = "mofa"']
    lines += [f'[[hubs]]\nid = "{hub}"\nurl = "http://{hub}.test"' for hub in fleet.hubs]
    for site in fleet.sites.values():
        lines.append(f'[[sites]]\nid = "{site.id}"\nagency = "mofa"\ntimezone = "{site.timezone}"')
        lines.append(f'hub = "{site.hub}"\nfacility = "{site.facility}"\ncollector = {str(site.is_collector).lower()}')
    for host in fleet.hosts.values():
        lines.append(f'[[hosts]]\nname = "{host.name}"\nsite = "{host.site}"\nshared = {str(host.is_shared).lower()}')
        lines += [f"behind = {list(host.behind)}"] if host.behind else []
    for link in fleet.links.values():
        lines.append(
            f'[[links]]\nsite = "{link.site}"\nname = "{link.name}"\nrole = "{link.role}"\nkind = "{link.kind}"'
        )
        lines.append(f'carrier = "{link.carrier}"\ncable = "{link.cable}"\ntest_days = {link.test_days}')
    for probe in fleet.probes:
        lines.append(f'[[probes]]\nfrom = "{probe.host}"\ntarget = "{probe.target}"')
        about = (("link", probe.link), ("site", probe.site), ("hub", probe.hub), ("host", probe.of_host))
        lines += [f'{key} = "{value}"' for key, value in about if value]
        lines += ["anchor = true"] if probe.is_anchor else []
    for system in fleet.systems.values():
        lines.append(f'[[systems]]\nid = "{system.id}"\nagency = "mofa"\ngrade = {system.grade}')
        groups = [f'{{ name = "{g.name}", rule = "{g.rule}", members = {list(g.members)} }}' for g in system.groups]
        lines.append(f"groups = [{', '.join(groups)}]")
        lines.append(f"depends_on = {list(system.depends_on)}\nuses = {list(system.uses)}")
    for end in fleet.interfaces.values():
        lines.append(f'[[interfaces]]\nid = "{end.id}"\nsource = "visa"\ntarget = "login"\ncheck = "{end.check}"')
    return "\n".join(lines)


class Soon(SystemChance):
    """Who waits for a random time waits for a few seconds: a line that is whole again carries from the next step on."""

    def uniform(self, low: float, high: float) -> float:
        return min(high, low + 5.0)


class Hub(Station):
    """Its line to the centre may be cut."""

    centre: Station
    is_cut = False

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, upstream=Upstream(url="http://centre.test", registry_seconds=30))

    def begin(self) -> App:
        app = super().begin()
        assert app.upstream is not None
        app.upstream.use(lambda: _Line(self), Soon())
        return app

    def turn(self) -> None:
        """Everything towards the centre that is due now."""
        if self.app is None:
            return
        assert self.app.upstream is not None
        for _ in range(200):
            now = self.clock.monotonic()
            if self.app.upstream.step(now) > now:
                self.app.registry.refresh()
                return
        raise AssertionError("the hub always has something to do")


class _Line(Exchange):
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def __call__(self, asked: Request) -> Response | Failure:
        return Failure("no route to host") if self._hub.is_cut else self._hub.centre.answer(asked)

    def close(self) -> None:
        pass


@dataclass
class AppFleet(VirtualFleet):
    folder: Path = Path()
    senders: dict[str, Sender] = field(default_factory=dict)
    """By host of the agent."""
    waiting: dict[str, list[bytes]] = field(default_factory=dict)
    """What nobody took yet, by host of the agent."""
    loop: InlineLoop = field(default_factory=InlineLoop)

    def begin(self) -> None:
        """All collectors, on what stands in the folder."""
        self.timeline = Timeline(START)
        self.timeline.now = float(self.at)
        self.centre = Station(self.timeline, self.folder / "centre", self.loop)
        self.centre.begin()
        self.hubs = {hub: Hub(self.timeline, self.folder / hub, self.loop) for hub in HUBS}
        for hub in self.hubs.values():
            hub.centre = self.centre
            hub.begin()

    def end(self) -> None:
        for station in (self.centre, *self.hubs.values()):
            station.end()

    # ------------------------------------------------------------ what there is to see

    @property
    def standing(self) -> Standing:
        assert self.centre.app is not None
        return self.centre.app.standing

    def boards(self) -> dict[str, Standing]:
        """Of the centre and of every hub."""
        found = {"centre": self.standing}
        for name, hub in self.hubs.items():
            assert hub.app is not None
            found[name] = hub.app.standing
        return found

    def written(self) -> dict[str, list[Change]]:
        """Changes of state as the rows have them, by whose board they are of."""
        found = {}
        for name, station in (("centre", self.centre), *self.hubs.items()):
            assert station.app is not None
            with station.app.store.reading() as connection:
                rows = connection.execute(select(state_changes).order_by(state_changes.c.id)).all()
            found[name] = [
                ((row.kind, row.subject, row.from_state, row.to_state, row.reason, row.cause), row.at_ms)
                for row in rows
            ]
        return found

    # ------------------------------------------------------------ time

    def step(self) -> None:
        self.at += STEP
        self.timeline.step(float(self.at))
        for host, sender in self.senders.items():
            site = self.fleet.hosts[host].site
            if host not in self.silent and site not in self.silent:
                self.waiting.setdefault(host, []).append(self._envelope(host, sender))
                self._send(host, self.fleet.sites[site].hub)
        for name, hub in self.hubs.items():
            hub.is_cut = name in self.mute_hubs
            hub.turn()
        for station in (*self.hubs.values(), self.centre):
            if station.app is not None:
                station.app.jobs.run("registry")
                station.app.jobs.run("verdicts")

    def _send(self, host: str, hub: str) -> None:
        body = request(*self.waiting[host])
        asked = Request("POST", "", "/v1/envelopes", body)
        taken = self.hubs[hub].answer(asked) if hub else self.centre.answer(asked)
        if hub in self.mute_hubs:
            self.centre.answer(asked)
        if isinstance(taken, Response):
            assert taken.status == 200, taken
            del self.waiting[host]

    def _envelope(self, host: str, sender: Sender) -> bytes:
        of_agent = [host, *(["switch.gwangju"] if host == "srv1.gwangju" else [])]
        schemas: list[Schema] = []
        samples = []
        for each in of_agent:
            numbers = [(name, labels, value) for name, rows in self._numbers(each).items() for labels, value in rows]
            numbers.append(("node_load1", (), 1.0))
            checks = self.checks.get(each, {})
            series = tuple(Series(each, name, GAUGE, labels) for name, labels, _ in numbers)
            schemas.append(make_schema(series, tuple((each, check) for check in checks)))
            values = [value for _, _, value in numbers] + [float(state) for state in checks.values()]
            samples.append(sender.sample(schemas[-1], values, self.now_ms))
            self.hosts[each] = Reported(sender.agent_id, self.now_ms)
        return sender.envelope(samples, [schema.packed for schema in schemas])

    def judge(self) -> None:
        raise AssertionError("the applications judge")

    # ------------------------------------------------------------ words

    def restart(self) -> None:
        self.centre.end()
        self.centre.begin()
        self._look()

    def restart_hubs(self, names: Iterable[str], away_steps: int = 0) -> None:
        """The processes are gone, what stands in their directories stays. While they are away nobody takes what their agents
        have to say: it comes with the next report."""
        for name in names:
            self.hubs[name].end()
        self.run(away_steps)
        for name in names:
            self.hubs[name].begin()
        self._look()

    def _look(self) -> None:
        for station in (*self.hubs.values(), self.centre):
            if station.app is not None:
                station.app.jobs.run("verdicts")

    def _window(self, kind: str, subject: str, shutdown: str = "") -> None:
        begins = instant(self.now_ms).replace(tzinfo=None)
        row = {
            "title": "work",
            "kind": "shutdown" if shutdown else "planned",
            "subjects": [[kind, subject]],
            "timezone": "UTC",
            "starts_local": begins.strftime("%Y-%m-%dT%H:%M"),
            "duration_minutes": 600,
            "repeat": None,
            "created_at": instant(self.now_ms),
            "created_by": "kim",
        }
        assert self.centre.app is not None
        with self.centre.app.store.transaction() as connection:
            connection.execute(insert(maintenance_windows), row)

    def _ended(self, kind: str, subject: str) -> None:
        assert self.centre.app is not None
        at = maintenance_windows.c
        with self.centre.app.store.transaction() as connection:
            for row in connection.execute(select(maintenance_windows)).all():
                if [list(each) for each in row.subjects] == [[kind, subject]]:
                    connection.execute(
                        update(maintenance_windows).where(at.id == row.id).values(ended_at=instant(self.now_ms))
                    )


def make(folder: Path) -> AppFleet:
    """New data directories, nobody heard yet."""
    fleet = make_fleet()
    centre, chance = folder / "centre", Random(7)
    centre.mkdir(parents=True)
    shutil.copy(empty_database(), centre / "bongsu.db")
    key = new_key(chance.randbytes)
    save_receiver(centre, new_receiver(SystemChance()))
    save_key(centre_key_file(centre), key)
    world = AppFleet(fleet, checks={"srv1.gwangju": {"http:share": 0, "http:portal": 0}}, folder=folder)
    store = Store(f"sqlite:///{centre / 'bongsu.db'}")
    with store.transaction() as connection:
        apply_topology(connection, read_topology(document(fleet), "fleet"))
        at = instant(START)
        for agent in fleet.agents.values():
            sender = world.senders[agent.host] = Sender(agent.host, agent.id)
            row = {"id": agent.id, "site": agent.site, "host": agent.host, "status": "active"}
            connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
            keys = {"agent_id": agent.id, "key_no": 1, "public_key": sender.key.public, "created_at": at}
            connection.execute(insert(agent_keys), keys)
            connection.execute(update(hosts).where(hosts.c.id.in_(agent.hosts)).values(agent_id=agent.id))
        bump_version(connection)
    for hub in HUBS:
        make_hub(folder / hub, hub, store, key.public, START, chance)
    store.close()
    return world


@cache
def _template() -> AppFleet:
    world = make(Path(tempfile.mkdtemp(prefix="bongsu-fleet-")))
    world.begin()
    for hub in world.hubs.values():
        hub.turn()  # a hub takes nothing before it has its registry
    world.run(WARM_STEPS)
    world.end()
    return world


@contextmanager
def playing(folder: Path) -> Iterator[AppFleet]:
    """All well, everything learned; a copy of its own."""
    known = _template()
    shutil.copytree(known.folder, folder)
    world = replace(known, folder=folder, past=Past(), changes=[])
    for name in ("silent", "battery", "no_ups", "failed", "large", "rtt", "loss", "checks", "mute_hubs", "hosts",
                 "waiting"):  # fmt: skip
        setattr(world, name, copy.deepcopy(getattr(known, name)))
    world.senders = {host: copy.copy(sender) for host, sender in known.senders.items()}
    world.begin()
    try:
        world.run(AGAIN_STEPS)
        yield world
    finally:
        world.end()


__all__ = ["HUBS", "AppFleet", "Told", "playing"]
