"""One verdict tick of a large fleet at its real pace: every host reports each 15 s, hubs probe lines, and some is wrong."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.link.model import Labels
from collector.fleet.paths import Group, Link, Probe
from collector.fleet.registry import Agent, Fleet, HostEntry, Named, Site, System
from collector.verdicts.evidence import PROBE_SUCCESS, Evidence
from collector.verdicts.judge import judge
from collector.verdicts.past import Past
from tests.bench.figures import Bench, Figure, median, percentile

SITES, HOSTS_PER_SITE, HUBS, INTERVAL = 5_000, 10, 50, 15
START = 1_800_000_000_000


@dataclass(frozen=True)
class Report:
    agent_id: bytes
    received_at_ms: int
    interval_ms: int = INTERVAL * 1000
    checks: Mapping[str, object] = field(default_factory=dict)
    targets: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        return name == PROBE_SUCCESS and bool(self.targets)

    def named(self, name: str) -> Iterator[tuple[Labels, float]]:
        if name == PROBE_SUCCESS:
            for target in self.targets:
                yield (("module", "icmp"), ("target", target)), 1.0


@dataclass(frozen=True)
class Heard:
    received_at_ms: int
    interval_ms: int = INTERVAL * 1000


def make_fleet(sites: int) -> Fleet:
    """Ten hosts a site, two lines each probed from three places, a system on every fifth host."""
    names = [f"s{n}" for n in range(sites)]
    hubs = {f"h{n}": Named(f"h{n}", "", "") for n in range(HUBS)}
    hosts = {
        f"n{i}.{site}": HostEntry(f"n{i}.{site}", f"n{i}", site, "a", False, "", f"{i}.{site}".encode().ljust(16))
        for site in names
        for i in range(HOSTS_PER_SITE)
    }
    agents = {
        h.agent_id: Agent(h.agent_id, h.site, h.id, "active", {}, frozenset({h.id}))
        for h in hosts.values()
        if h.agent_id
    }
    links = {
        f"{site}/{role}": Link(f"{site}/{role}", site, role, role, "leased", f"c{n % 40}", f"k{n % 97}")
        for n, site in enumerate(names)
        for role in ("primary", "backup")
    }
    probes = tuple(
        Probe(f"n0.s{(n * 7 + place) % sites}", f"gw.{link.id}", link=link.id)
        for n, link in enumerate(links.values())
        for place in (1, 2, 3)
    )
    systems = {
        f"y{n}": System(
            f"y{n}", "a", "", "", 1 + n % 4, (), (Group("g", "1 of 2", (f"n1.s{n}", f"n2.s{(n + 1) % sites}")),)
        )
        for n in range(sites)
    }
    return Fleet(
        version=1,
        systems=systems,
        hubs=hubs,
        sites={
            site: Site(site, "a", f"h{n % HUBS}", "", "", None, None, "Asia/Seoul", "lan")
            for n, site in enumerate(names)
        },
        hosts=hosts,
        agents=agents,
        hosts_by_site={site: tuple(f"n{i}.{site}" for i in range(HOSTS_PER_SITE)) for site in names},
        agents_by_site={site: tuple(f"{i}.{site}".encode().ljust(16) for i in range(HOSTS_PER_SITE)) for site in names},
        links=links,
        probes=probes,
    )


def tick(bench: Bench) -> list[Figure]:
    sites = bench.pick(SITES, 1_000)
    fleet = make_fleet(sites)
    rng = random.Random(1)
    targets: dict[str, list[str]] = {}
    for probe in fleet.probes:
        targets.setdefault(probe.host, []).append(probe.target)
    quiet = set(rng.sample(sorted(fleet.sites), sites // 200))
    phase = {host: rng.randrange(INTERVAL) for host in fleet.hosts}
    reports: dict[str, Report] = {}
    heard: dict[bytes, Heard] = {}
    past, took = Past(), []
    for second in range(bench.pick(120, 80)):
        now_ms = START + second * 1000
        for host, entry in fleet.hosts.items():
            if second % INTERVAL == phase[host] and not (second > 20 and entry.site in quiet):
                assert entry.agent_id is not None
                reports[host] = Report(entry.agent_id, now_ms, targets=tuple(targets.get(host, ())))
                heard[entry.agent_id] = Heard(now_ms)
        evidence = Evidence(reports, heard, dict.fromkeys(fleet.hubs, now_ms))  # type: ignore[arg-type]
        gc.disable()
        began = time.process_time()
        judged = judge(fleet, evidence, now_ms, past, START - 3_600_000)
        took.append((time.process_time() - began) * 1000)
        gc.enable()
        past.record(judged.changes)
        judged.into(past)
    settled = took[30:]
    down = sum(standing.state > 1 for standing in past.standing.sites.values())
    note = f"{sites} sites, {len(fleet.hosts)} hosts, {down} not well; p99 {percentile(settled, 0.99):.0f}, worst {max(settled):.0f} ms"
    bench.say(f"median {median(settled):.1f} ms, {note}")
    return [Figure("verdict_tick_ms", median(settled), {}, note)]
