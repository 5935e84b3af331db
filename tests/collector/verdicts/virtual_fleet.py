"""A small fleet in virtual time, told what goes wrong in words: ``silent abuja``, ``unreached abuja``, ``hub mute mea``.

Twelve sites: Seoul, where the collector stands, and Gwangju direct; four behind each of the hubs ``mea`` and ``eur``, two
behind ``apac``. Every site has srv1 (with a UPS) and srv2, a main line and some a backup. Lines are probed from Seoul (the
centre), from the site's own hub and from a foreign one. A step is 15 s, and so is every interval.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from worlds import START, Check, HeardAt, Reported, agent_id

from agent.link.model import Labels
from collector.fleet.paths import Group, Interface, Link, Probe
from collector.fleet.registry import Agent, Fleet, HostEntry, Named, Site, System
from collector.maintenance.reach import covered
from collector.verdicts import judge as judging
from collector.verdicts.evidence import Evidence, Window
from collector.verdicts.past import Past
from collector.verdicts.standing import Change, Standing

STEP = 15
WARM_STEPS = 25
"""So many good cycles before anything happens: baselines are learned by then."""
HUBS = {
    "mea": ("dubai", "abuja", "cairo", "nairobi"),
    "eur": ("frankfurt", "london", "warsaw", "paris"),
    "apac": ("tokyo", "hanoi"),
}
DIRECT = ("seoul", "gwangju")
CABLES = {"abuja": "red-sea", "cairo": "red-sea", "london": "red-sea", "nairobi": "east", "paris": "north"}
CARRIERS = {"warsaw": "kt", "paris": "kt", "tokyo": "jp", "hanoi": "vn"}
FACILITIES = {"tokyo": "tower", "hanoi": "tower"}
BACKUPS = ("dubai", "abuja", "london")
USUAL_SECONDS = 0.1
Probed = dict[tuple[str, str], float]


def make_fleet() -> Fleet:
    hub_of = {site: hub for hub, sites in HUBS.items() for site in sites}
    names = [*DIRECT, *hub_of]
    sites = {
        name: Site(
            name, "mofa", hub_of.get(name, ""), name, name, None, None, "Asia/Seoul", "lan",
            facility=FACILITIES.get(name, ""), is_collector=name == "seoul",
        )
        for name in names
    }  # fmt: skip
    hosts = {}
    for name in names:
        for host in ("srv1", "srv2"):
            hosts[f"{host}.{name}"] = HostEntry(
                f"{host}.{name}", host, name, "mofa", False, "", agent_id(f"{host}.{name}")
            )
    for n in (3, 4):  # behind a switch at Gwangju; and two more systems' hosts
        hosts[f"srv{n}.gwangju"] = HostEntry(
            f"srv{n}.gwangju",
            f"srv{n}",
            "gwangju",
            "mofa",
            False,
            "",
            agent_id(f"srv{n}.gwangju"),
            behind=("switch.gwangju",),
        )
    hosts["switch.gwangju"] = HostEntry(
        "switch.gwangju", "switch", "gwangju", "mofa", True, "", agent_id("srv1.gwangju")
    )
    own = {host.id: host.agent_id for host in hosts.values() if host.agent_id and host.id != "switch.gwangju"}
    agents = {
        agent: Agent(agent, hosts[host].site, host, "active", {}, frozenset({host, *(["switch.gwangju"] if host == "srv1.gwangju" else [])}))
        for host, agent in own.items()
    }  # fmt: skip
    links = {}
    for name in names:
        links[f"{name}/main"] = Link(
            f"{name}/main", name, "main", "primary", "leased", CARRIERS.get(name, ""), CABLES.get(name, "")
        )
        if name in BACKUPS:
            links[f"{name}/spare"] = Link(f"{name}/spare", name, "spare", "backup", "leo", "sat", "", test_days=30)
    return Fleet(
        version=1,
        hubs={hub: Named(hub, hub, hub) for hub in HUBS},
        sites=sites,
        hosts=hosts,
        agents=agents,
        hosts_by_site={site: tuple(h for h, e in hosts.items() if e.site == site) for site in names},
        agents_by_site={site: tuple(a for a, e in agents.items() if e.site == site) for site in names},
        links=links,
        probes=tuple(_probes(names, hub_of)),
        systems={system.id: system for system in _systems()},
        interfaces={"share": Interface("share", "", "", "visa", "login", "mofa", "mofa", "srv1.gwangju/http:share")},
    )


def vantages(site: str, hub_of: dict[str, str]) -> list[str]:
    own = {"mea": "srv1.dubai", "eur": "srv1.frankfurt", "apac": "srv1.tokyo"}.get(hub_of.get(site, ""), "srv1.gwangju")
    foreign = "srv1.frankfurt" if own != "srv1.frankfurt" else "srv1.dubai"
    return [host for host in ("srv2.seoul", own, foreign) if host.rpartition(".")[2] != site]


def _probes(names: Iterable[str], hub_of: dict[str, str]) -> Iterator[Probe]:
    for name in names:
        for host in vantages(name, hub_of):
            yield Probe(host, f"gw.{name}", link=f"{name}/main")
        if name in BACKUPS:
            yield Probe("srv2.seoul", f"spare.{name}", link=f"{name}/spare")
    for hub, sites in HUBS.items():
        for host in vantages(sites[0], hub_of):
            yield Probe(host, f"hub.{hub}", hub=hub)
    for host in ("srv2.seoul", "srv1.dubai", "srv1.frankfurt", "srv1.tokyo"):
        yield Probe(host, f"anchor.{host.rpartition('.')[2]}", is_anchor=True)
    for host in ("srv2.gwangju", "srv3.gwangju"):
        yield Probe("srv1.gwangju", host, of_host=host)
    yield Probe("srv1.gwangju", "switch.gwangju", of_host="switch.gwangju")


def _systems() -> Iterator[System]:
    def system(name: str, *groups: Group, depends_on: tuple[str, ...] = (), uses: tuple[str, ...] = ()) -> System:
        return System(name, "mofa", name, name, 1, (), groups, depends_on, uses)

    yield system("login", Group("pair", "standby", ("srv2.gwangju", "srv2.tokyo")))
    yield system("visa", Group("web", "2 of 3", ("srv1.abuja", "srv1.cairo", "srv1.gwangju")), depends_on=("login",))
    yield system("mail", Group("all", "all", ("srv1.london", "srv2.london")))
    yield system("portal", Group("ok", "all", ("srv1.gwangju/http:portal",)), uses=("mail",))
    yield system("archive", Group("any", "any", ("srv1.warsaw", "srv1.paris")))
    yield system("form", Group("login", "all", ("login",)))


@dataclass
class VirtualFleet:
    fleet: Fleet
    at: int = 0
    """Seconds since the start."""
    silent: set[str] = field(default_factory=set)
    battery: set[str] = field(default_factory=set)
    no_ups: set[str] = field(default_factory=set)
    failed: set[tuple[str, str]] = field(default_factory=set)
    large: set[str] = field(default_factory=set)
    rtt: dict[str, float] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)
    checks: dict[str, dict[str, int]] = field(default_factory=dict)
    mute_hubs: set[str] = field(default_factory=set)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    hosts: dict[str, Reported] = field(default_factory=dict)
    agents: dict[bytes, HeardAt] = field(default_factory=dict)
    hub_seen_ms: dict[str, int] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    started_ms: int = START
    changes: list[Change] = field(default_factory=list)

    @property
    def standing(self) -> Standing:
        return self.past.standing

    @property
    def now_ms(self) -> int:
        return START + self.at * 1000

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        self.at += STEP
        for host, entry in self.fleet.hosts.items():
            assert entry.agent_id is not None
            if (
                host in self.silent
                or entry.site in self.silent
                or (host == "switch.gwangju" and "srv1.gwangju" in self.silent)
            ):
                continue
            checks = {name: Check(state) for name, state in self.checks.get(host, {}).items()}
            self.hosts[host] = Reported(entry.agent_id, self.now_ms, STEP * 1000, checks, self._numbers(host))
            self.agents[entry.agent_id] = HeardAt(self.now_ms, STEP * 1000)
        self.hub_seen_ms |= {hub: self.now_ms for hub in self.fleet.hubs if hub not in self.mute_hubs}
        self.judge()

    def judge(self) -> None:
        evidence = Evidence(self.hosts, self.agents, dict(self.hub_seen_ms), dict(self.windows))
        judged = judging.judge(self.fleet, evidence, self.now_ms, self.past, self.started_ms)
        self.past.record(judged.changes)
        judged.into(self.past)
        self.changes += judged.changes

    def restart(self) -> None:
        """The collector forgets what is not in rows, and what live would not read back."""
        self.started_ms = self.now_ms
        old = self.past
        memory = type(old.memory)()
        for part, rows in copy.deepcopy(old.memory.plain()).items():
            memory = memory.taking(part, rows)
        self.past = Past(books=copy.deepcopy(old.books), memory=memory)
        kept_ms = max(report.received_at_ms for report in self.hosts.values()) - 300_000
        self.hosts = {host: report for host, report in self.hosts.items() if report.received_at_ms >= kept_ms}
        self.judge()

    def _numbers(self, host: str) -> dict[str, tuple[tuple[Labels, float], ...]]:
        found: dict[str, list[tuple[Labels, float]]] = {}

        def say(name: str, value: float, **labels: str) -> None:
            found.setdefault(name, []).append((tuple(sorted(labels.items())), value))

        for probe in self.fleet.probes:
            if probe.host != host:
                continue
            target = probe.target
            place = target.partition(".")[2]
            is_down = (host, target) in self.failed or ("", target) in self.failed
            say("probe_success", not is_down, target=target, module="icmp")
            if not is_down:
                say(
                    "probe_icmp_duration_seconds",
                    self.rtt.get(place, USUAL_SECONDS),
                    target=target,
                    phase="rtt",
                    module="icmp",
                )
                say("probe_icmp_loss_ratio", self.loss.get(place, 0.0), target=target, module="icmp")
                say("probe_success", place not in self.large, target=target, module="path_mtu")
                say("probe_path_mtu_bytes", 1006 if place in self.large else 1500, target=target, module="path_mtu")
        if host.startswith("srv1.") and host not in self.no_ups:
            on_battery = host.rpartition(".")[2] in self.battery
            say("network_ups_tools_ups_status", on_battery, flag="OB")
            say("network_ups_tools_ups_status", not on_battery, flag="OL")
            say("network_ups_tools_battery_charge", 80.0)
        return {name: tuple(rows) for name, rows in found.items()}

    def do(self, words: str) -> None:
        """One thing that happens, or ``+N``: N steps go by."""
        verb, _, rest = words.partition(" ")
        if verb.startswith("+"):
            self.run(int(verb[1:]))
        else:
            getattr(self, f"_{verb}")(*rest.split())

    def _silent(self, *names: str) -> None:
        self.silent |= set(names)

    def _back(self, *names: str) -> None:
        self.silent -= set(names)

    def _unreached(self, place: str, *hosts: str) -> None:
        """``unreached abuja`` by everybody, or by these hosts alone."""
        target = place if "." in place else f"gw.{place}"
        self.failed |= {(host, target) for host in hosts or ("",)}

    def _reached(self, place: str) -> None:
        target = place if "." in place else f"gw.{place}"
        self.failed = {pair for pair in self.failed if pair[1] != target}

    def _battery(self, *sites: str) -> None:
        self.battery |= set(sites)

    def _mains(self, *sites: str) -> None:
        self.battery -= set(sites)

    def _without(self, *hosts: str) -> None:
        self.no_ups |= set(hosts)

    def _mute(self, *hubs: str) -> None:
        self.mute_hubs |= set(hubs)

    def _speaks(self, *hubs: str) -> None:
        self.mute_hubs -= set(hubs)

    def _large(self, *sites: str) -> None:
        self.large |= set(sites)

    def _whole(self, *sites: str) -> None:
        self.large -= set(sites)

    def _slow(self, site: str, seconds: str) -> None:
        self.rtt[site] = float(seconds)

    def _lossy(self, site: str, ratio: str) -> None:
        self.loss[site] = float(ratio)

    def _check(self, host: str, name: str, state: str) -> None:
        self.checks.setdefault(host, {})[name] = int(state)

    def _window(self, kind: str, subject: str, shutdown: str = "") -> None:
        held = Window("7", bool(shutdown), self.now_ms)
        self.windows |= dict.fromkeys(covered([(kind, subject)], self.fleet), held)

    def _ended(self, kind: str, subject: str) -> None:
        for each in covered([(kind, subject)], self.fleet):
            del self.windows[each]

    def _restart(self) -> None:
        self.restart()

    def _lost(self, steps: str) -> None:
        """The collector is away; another begins from its rows. Agents that are well report to it what they kept."""
        self.at += int(steps) * STEP
        self.restart()


@cache
def _warm() -> VirtualFleet:
    world = VirtualFleet(make_fleet(), checks={"srv1.gwangju": {"http:share": 0, "http:portal": 0}})
    world.run(WARM_STEPS)
    return world


def warm() -> VirtualFleet:
    """All well, everything learned; a copy of its own."""
    known = _warm()
    past = known.past
    return VirtualFleet(
        known.fleet,
        known.at,
        checks=copy.deepcopy(known.checks),
        hosts=dict(known.hosts),
        agents=dict(known.agents),
        hub_seen_ms=dict(known.hub_seen_ms),
        past=Past(past.standing, copy.deepcopy(past.books), past.memory, past.hearing, past.index, past.working),
        started_ms=known.started_ms,
    )
