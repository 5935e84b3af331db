"""A fleet to look at: real rows, real live numbers, real verdicts, a real history; only its numbers are invented.

The topology is the demonstration's: centres and missions with city-centre coordinates.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from sqlalchemy import insert

from agent.link.clock import Clock
from agent.link.keys import SigningKey
from agent.link.model import Schema, Series, make_schema
from collector.access import tables as _access  # noqa: F401 registers its rows
from collector.access.api import router as access_router
from collector.access.guard import protect
from collector.access.identity import Access
from collector.agencies.tables import agencies, interfaces, system_hosts, systems
from collector.fleet.hub_contact import HubContacts
from collector.fleet.registry import Registry, bump_version
from collector.fleet.tables import agents, fleet_version, hosts, hubs, sites
from collector.history import queries
from collector.history import tables as _history  # noqa: F401
from collector.history.chunk import Samples, pack, split
from collector.history.reader import History
from collector.intake.nonce import Nonces
from collector.live.board import Live
from collector.live.shape import Layout, Shapes
from collector.log import tables as log_tables
from collector.maintenance.queries import SHUTDOWN, Windows
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings import Server, Settings
from collector.store.engine import Store
from collector.store.schema import instant, metadata
from collector.telemetry import Telemetry
from collector.verdicts.evidence import Evidence, Window
from collector.verdicts.judge import judge
from collector.verdicts.past import Past
from collector.verdicts.queries import add_changes
from collector.verdicts.standing import MAINTENANCE, Change, Recorded, Standing
from collector.web.events import Streams
from collector.web.routes import install, routers

NOW_MS = 1_785_474_309_000
"""2026-07-31 14:05:09 in Korea."""
EPOCH = b"epoch-01"
HUBS = {
    "apac": ("아시아·태평양", "Asia-Pacific"),
    "nam": ("북미", "North America"),
    "latam": ("중남미", "Latin America"),
    "eur": ("유럽·독립국가연합", "Europe and CIS"),
    "mea": ("중동·아프리카", "Middle East and Africa"),
}
SITES = """
dc-djn||대전센터|Daejeon centre|Asia/Seoul|lan|4
dc-gwj||광주센터|Gwangju centre|Asia/Seoul|lan|4
dc-dgu||대구센터|Daegu centre|Asia/Seoul|lan|3
singapore|apac|주싱가포르대사관|Embassy in Singapore|Asia/Singapore|leased|3
tokyo|apac|주일본대사관|Embassy in Tokyo|Asia/Tokyo|leased|2
beijing|apac|주중국대사관|Embassy in Beijing|Asia/Shanghai|vpn|2
hanoi|apac|주베트남대사관|Embassy in Hanoi|Asia/Ho_Chi_Minh|leased|2
new-delhi|apac|주인도대사관|Embassy in New Delhi|Asia/Kolkata|leased|2
port-moresby|apac|주파푸아뉴기니대사관|Embassy in Port Moresby|Pacific/Port_Moresby|geo|1
washington|nam|주미국대사관|Embassy in Washington|America/New_York|leased|3
new-york|nam|주뉴욕총영사관|Consulate General in New York|America/New_York|leased|2
los-angeles|nam|주로스앤젤레스총영사관|Consulate General in Los Angeles|America/Los_Angeles|leased|2
ottawa|nam|주캐나다대사관|Embassy in Ottawa|America/Toronto|leased|1
mexico-city|latam|주멕시코대사관|Embassy in Mexico City|America/Mexico_City|leased|2
brasilia|latam|주브라질대사관|Embassy in Brasília|America/Sao_Paulo|leased|1
santiago|latam|주칠레대사관|Embassy in Santiago|America/Santiago|leased|1
lima|latam|주페루대사관|Embassy in Lima|America/Lima|vpn|1
frankfurt|eur|주프랑크푸르트총영사관|Consulate General in Frankfurt|Europe/Berlin|leased|2
london|eur|주영국대사관|Embassy in London|Europe/London|leased|2
warsaw|eur|주폴란드대사관|Embassy in Warsaw|Europe/Warsaw|leased|1
tashkent|eur|주우즈베키스탄대사관|Embassy in Tashkent|Asia/Tashkent|vpn|1
dubai|mea|주두바이총영사관|Consulate General in Dubai|Asia/Dubai|leased|2
cairo|mea|주이집트대사관|Embassy in Cairo|Africa/Cairo|leased|1
nairobi|mea|주케냐대사관|Embassy in Nairobi|Africa/Nairobi|leased|1
abuja|mea|주나이지리아대사관|Embassy in Abuja|Africa/Lagos|geo|2
kinshasa|mea|주콩고민주공화국대사관|Embassy in Kinshasa|Africa/Kinshasa|leo|1
beirut|mea|주레바논대사관|Embassy in Beirut|Asia/Beirut|leo|1
""".strip()
CHECKS = ("agent", "clock", "disk_space", "disk_inodes", "memory", "load", "ntp", "process:sshd", "certificate:portal")


@dataclass
class HandClock:
    """Time moves when the test says so."""

    now_ms: int = NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.now_ms / 1000


def series_of(host: str) -> tuple[Series, ...]:
    """Columns of a small host, in the names node_exporter uses."""
    found = [
        Series(host, "node_cpu_seconds_total", 1, (("cpu", str(cpu)), ("mode", mode)))
        for cpu in range(2)
        for mode in ("idle", "iowait", "softirq", "system", "user")
    ]
    found += [Series(host, f"node_load{minutes}", 0, ()) for minutes in (1, 5, 15)]
    found += [Series(host, f"node_memory_{name}_bytes", 0, ()) for name in ("MemTotal", "MemAvailable", "MemFree")]
    for mount, kind in (("/", "ext4"), ("/data", "xfs"), ("/run", "tmpfs")):
        labels = (("device", f"/dev/{kind}"), ("fstype", kind), ("mountpoint", mount))
        found += [Series(host, f"node_filesystem_{name}_bytes", 0, labels) for name in ("size", "free", "avail")]
    for device in ("eth0", "lo"):
        found += [
            Series(host, f"node_network_{way}_bytes_total", 1, (("device", device),)) for way in ("receive", "transmit")
        ]
    found += [Series(host, f"node_disk_{way}_bytes_total", 1, (("device", "sda"),)) for way in ("read", "written")]
    found += [
        Series(host, "node_boot_time_seconds", 0, ()),
        Series(host, "node_time_seconds", 0, ()),
        Series(host, "node_uname_info", 0, (("machine", "x86_64"), ("nodename", host.split(".")[0]), ("release", "6.1.0-28-amd64"), ("sysname", "Linux"))),
        Series(host, "node_os_info", 0, (("name", "Debian GNU/Linux"), ("pretty_name", "Debian GNU/Linux 12 (bookworm)"))),
        Series(host, "agent_info", 0, (("version", "0.1.0"),)),
        Series(host, "agent_spool_records", 0, ()),
        Series(host, "agent_spool_oldest_timestamp_seconds", 0, ()),
    ]  # fmt: skip
    return tuple(found)


def values_at(series: Iterable[Series], at_ms: int, seed: int) -> list[float]:
    """Plausible numbers at an instant; a counter is the integral of its rate, so that it only grows."""
    second = at_ms / 1000
    wave = 0.5 + 0.5 * math.sin(second / 900 + seed)
    grown = second - 1.785e9 + 450 * (1 - math.cos(second / 900 + seed))  # grows at 1 + sin/2
    found = []
    gib = 1 << 30
    for one in series:
        labels = dict(one.labels)
        share = {"idle": 0.0, "user": 0.22, "system": 0.08, "iowait": 0.02, "softirq": 0.01}
        size = {"/": 40 * gib, "/data": 200 * gib, "/run": gib}.get(labels.get("mountpoint", ""), 0)
        used = {"/": 0.46 + seed % 5 * 0.06, "/data": 0.71 + 0.02 * wave + seed % 7 * 0.03, "/run": 0.01}
        part = used.get(labels.get("mountpoint", ""), 0)
        match one.name:
            case "node_cpu_seconds_total":
                rate = share[labels["mode"]]
                busy = sum(share.values()) * grown
                found.append(rate * grown if labels["mode"] != "idle" else 4 * (second - 1.785e9) - busy + 1e6)
            case "node_load1" | "node_load5" | "node_load15":
                found.append(0.4 + wave * (1.2 if one.name == "node_load1" else 0.8) + seed % 3 * 0.2)
            case "node_memory_MemTotal_bytes":
                found.append(8.0 * gib)
            case "node_memory_MemAvailable_bytes":
                found.append(gib * (4.4 - 1.4 * wave))
            case "node_memory_MemFree_bytes":
                found.append(gib * (1.3 - 0.3 * wave))
            case "node_filesystem_size_bytes":
                found.append(float(size))
            case "node_filesystem_free_bytes":
                found.append(size * (1 - part))
            case "node_filesystem_avail_bytes":
                found.append(size * (1 - part) * 0.95)
            case "node_boot_time_seconds":
                found.append(second - 86_400 * (12 + seed) - 4_000)
            case "node_time_seconds":
                found.append(second)
            case "agent_spool_records":
                found.append(0.0)
            case "agent_spool_oldest_timestamp_seconds":
                found.append(0.0)
            case name if one.type == 1:
                found.append(grown * (90_000 if "receive" in name or "read" in name else 31_000))
            case _:
                found.append(1.0)
    return found


def words_of(values: Iterable[float]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array(list(values), dtype=np.float64).view(np.uint64)


@dataclass
class World:
    """What ``Services`` asks for, and the hand that moves it."""

    store: Store
    settings: Settings
    clock: Clock
    registry: Registry
    access: Access
    telemetry: Telemetry = field(default_factory=lambda: Telemetry("0.0.0"))
    live: Live = field(default_factory=Live)
    standing: Standing = field(default_factory=Standing)
    log: Any = None
    upstream: Any = None
    response: Any = None
    is_hub: bool = False
    centre_key: SigningKey = field(default_factory=lambda: SigningKey(b"c" * 32))
    fastapi: FastAPI = field(default_factory=lambda: FastAPI(docs_url=None, redoc_url=None))
    past: Past = field(default_factory=Past)
    silent: set[str] = field(default_factory=set)
    failing: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    """Host -> check -> (state, text)."""
    maintained: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    started_at_ms: int = 0
    last_due: dict[str, int] = field(default_factory=dict)
    layouts: dict[str, tuple[Schema, Layout]] = field(default_factory=dict)
    seq: int = 0
    shapes: Shapes = field(default_factory=Shapes)

    def __post_init__(self) -> None:
        self.history = History(self.store, self.registry, raw_days=15)
        self.windows = Windows(self.store, lambda: self.registry.fleet)
        self.hub_contacts = HubContacts(self.store, self.registry, Nonces(b"n" * 32), self.clock)
        self.streams = Streams(self)

    def app(self) -> FastAPI:
        """The pages as the collector serves them: behind the door, with headers."""
        protect(self.fastapi, self.access)
        self.fastapi.include_router(access_router(self))
        for router in routers(self, self.streams):
            self.fastapi.include_router(router)
        install(self.fastapi, self)
        return self.fastapi

    def report(self, host: str, at_ms: int, received_at_ms: int) -> None:
        """One sample of a host, received."""
        entry = self.registry.fleet.hosts[host]
        assert entry.agent_id is not None
        schema, layout = self.schema(host)
        self.seq += 1
        states = [float(self.failing.get(host, {}).get(check, (0, ""))[0]) for _, check in schema.checks]
        words = words_of([*values_at(schema.series, at_ms, seed_of(host)), *states])
        interval_ms = self.registry.fleet.sites[entry.site].interval_seconds * 1000
        self.live.sample(entry.agent_id, EPOCH, layout, self.seq, at_ms, 14, words, received_at_ms, interval_ms)
        for check, (state, text) in self.failing.get(host, {}).items():
            if self.live.hosts[host].checks[check].text != text:
                self.seq += 1
                at = received_at_ms
                self.live.state(entry.agent_id, EPOCH, self.seq, at, host, check, state, text, at, interval_ms)

    def schema(self, host: str) -> tuple[Schema, Layout]:
        if host not in self.layouts:
            made = make_schema(series_of(host), tuple((host, check) for check in CHECKS))
            self.layouts[host] = (made, self.shapes.layout(made))
        return self.layouts[host]

    def step(self) -> None:
        """What is due at the clock's time: reports, then verdicts."""
        now = self.clock.wall_ms()
        for host, entry in self.registry.fleet.hosts.items():
            every = self.registry.fleet.sites[entry.site].interval_seconds * 1000
            due = (now - seed_of(host) * 1300) // every
            if host not in self.silent and entry.agent_id is not None and self.last_due.get(host) != due:
                self.last_due[host] = due
                at = due * every + seed_of(host) * 1300
                self.live.heard(entry.agent_id, EPOCH, min(now, at + 400))
                self.report(host, at, min(now, at + 400))
        self.judge()

    def judge(self) -> None:
        now = self.clock.wall_ms()
        agreed = self.windows.active(datetime.fromtimestamp(now / 1000, UTC))
        windows = {subject: Window(str(row.id), row.kind == SHUTDOWN) for subject, row in agreed.items()}
        evidence = Evidence(self.live.hosts, self.live.agents, windows=windows)
        made = judge(self.registry.fleet, evidence, now, self.past, self.started_at_ms or now - 86_400_000)
        self.past.record(made.changes)
        with self.store.transaction() as connection:
            add_changes(connection, made.changes)
        made.into(self.past)
        over = {site: replace_state(made.standing, site, MAINTENANCE, "unjudged") for site in self.maintained}
        over |= {site: replace_state(made.standing, site, 4, "silent") for site in self.down}
        self.standing = replace(made.standing, sites={**made.standing.sites, **over})

    def remember(self, host: str, from_ms: int, to_ms: int, gap: tuple[int, int] = (0, 0)) -> None:
        """Write a host's recorded past, with a hole in it."""
        entry = self.registry.fleet.hosts[host]
        schema, _ = self.schema(host)
        every = self.registry.fleet.sites[entry.site].interval_seconds * 1000
        times = np.array([at for at in range(from_ms, to_ms, every) if not gap[0] <= at < gap[1]], dtype=np.int64)
        columns = [
            words_of([*values_at(schema.series, at, seed_of(host)), *(0.0 for _ in schema.checks)]) for at in times
        ]
        samples = Samples(times, np.full(len(times), 14), np.arange(1, len(times) + 1), np.stack(columns, axis=1))
        rows = []
        for piece in split(samples):
            packed = pack(piece)
            rows.append(
                {
                    "agent_id": entry.agent_id,
                    "epoch": EPOCH,
                    "schema_hash": schema.hash,
                    "host": host,
                    "from_ms": int(piece.times[0]),
                    "to_ms": int(piece.times[-1]) + 1,
                    "count": len(piece.times),
                    "flags": 0,
                    "times": packed.times,
                    "seqs": packed.seqs,
                    "data": packed.data,
                }
            )
        with self.store.transaction() as connection:
            connection.execute(insert(log_tables.schemas), {"hash": schema.hash, "packed": schema.packed})
            queries.add_chunks(connection, rows)


def replace_state(standing: Standing, site: str, state: int, reason: str) -> Any:
    return standing.sites[site]._replace(state=state, reason=reason, since_ms=standing.sites[site].since_ms - 1_500_000)


def seed_of(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % 11


def make_world(folder: Path, clock: Clock | None = None, server: Server | None = None) -> World:
    """An empty collector."""
    settings = Settings(data_dir=folder, server=server or Server())
    store = Store(settings.store_url)
    with store.transaction() as connection:
        metadata.create_all(connection)
        connection.execute(insert(fleet_version), {"id": 1, "version": 1})
    registry = Registry(store)
    registry.refresh()
    clock = clock or HandClock()
    return World(store, settings, clock, registry, Access(store, settings, clock))


def plant(world: World, lines: str = SITES) -> World:
    """Agencies, hubs, sites, hosts and an agent for each site."""
    site_rows, host_rows, agent_rows = [], [], []
    at = instant(world.clock.wall_ms())
    for line in lines.splitlines():
        site, hub, name_ko, name_en, zone, profile, count = line.split("|")
        agency = "nirs" if site.startswith("dc-") else "for"
        site_rows.append({"id": site, "agency": agency, "hub": hub or None, "name_ko": name_ko, "name_en": name_en, "timezone": zone, "link_profile": profile})  # fmt: skip
        agent = hashlib.sha256(site.encode()).digest()[:16]
        agent_rows.append({"id": agent, "site": site, "host": f"srv1.{site}", "status": "active", "enrolled_at": at, "status_at": at})  # fmt: skip
        for number in range(1, int(count) + 1):
            name = f"srv{number}"
            owner = "adm" if site.startswith("dc-") and number > 2 else agency
            host_rows.append({"id": f"{name}.{site}", "name": name, "site": site, "agency": owner, "role": ("gateway", "portal", "database", "backup")[number - 1], "managed_by": "file", "agent_id": agent})  # fmt: skip
    with world.store.transaction() as connection:
        connection.execute(
            insert(agencies),
            [
                {"id": "nirs", "name_ko": "통합운영원", "name_en": "Operations Service"},
                {"id": "for", "name_ko": "외교정보처", "name_en": "Foreign Information Office"},
                {"id": "adm", "name_ko": "민원서비스처", "name_en": "Citizen Services Office"},
            ],
        )
        wanted = {row["hub"] for row in site_rows if row["hub"]}
        named = [{"id": hub, "name_ko": HUBS.get(hub, (hub, hub))[0], "name_en": HUBS.get(hub, (hub, hub))[1]} for hub in sorted(wanted)]  # fmt: skip
        if named:
            connection.execute(insert(hubs), named)
        connection.execute(insert(sites), site_rows)
        connection.execute(insert(agents), agent_rows)
        connection.execute(insert(hosts), host_rows)
        bump_version(connection)
    world.registry.refresh()
    return world


def serving(world: World) -> World:
    """Three information systems of two agencies, one on top of another, and an interface between two of them."""
    grouped = {
        "login": ("nirs", 1, [("web", "any", ["srv1.dc-djn", "srv1.dc-gwj"])], [], []),
        "portal": ("adm", 1, [("web", "2 of 2", ["srv3.dc-djn", "srv2.dc-djn/disk_space"])], ["login"], []),
        "visa": ("for", 3, [("posts", "all", ["srv1.abuja", "srv1.tokyo"])], [], ["login"]),
    }
    names = {"login": ("통합로그인", "One Pass"), "portal": ("정부포털", "Portal"), "visa": ("사증", "Visa")}
    with world.store.transaction() as connection:
        for name, (agency, grade, groups, depends_on, uses) in grouped.items():
            plain = [{"name": group, "rule": rule, "members": members} for group, rule, members in groups]
            row = {"id": name, "agency": agency, "grade": grade, "name_ko": names[name][0], "name_en": names[name][1]}
            connection.execute(insert(systems), {**row, "groups": plain, "depends_on": depends_on, "uses": uses})
            for host in {member.partition("/")[0] for _, _, members in groups for member in members}:
                connection.execute(insert(system_hosts), {"system": name, "host": host})
        ends = {"source": "login", "target": "visa", "source_owner": "nirs", "target_owner": "for"}
        words = {"id": "login-visa", "name_ko": "로그인 연계", "name_en": "Login hand-over"}
        connection.execute(insert(interfaces), {**words, **ends, "check": "srv1.dc-gwj/load"})
        bump_version(connection)
    world.registry.refresh()
    return world


ROSTERS = """
[[people]]
id = "kim"
name_ko = "김가람"
name_en = "Kim Garam"
contacts = [{ channel = "phone", address = "+82-2-555-0001" }]
[[people]]
id = "lee"
name_ko = "이나래"
name_en = "Lee Narae"
[[rosters]]
id = "room"
name_ko = "종합상황실"
name_en = "Situation room"
fallback = ["kim"]
[[rosters.layers]]
name = "nights"
hours = "18:00-09:00"
starts = 2026-07-01
crews = [["kim"], ["lee"]]
"""
"""Nobody in the daytime: a hole to be seen."""


def on_duty(world: World) -> World:
    with world.store.transaction() as connection:
        apply_rosters(connection, read_rosters(ROSTERS))
    return world


def trouble(world: World) -> World:
    """Some of everything: a silent site, failing checks, maintenance, a site that is down."""
    now = world.clock.wall_ms()
    since = {"tokyo": 260, "abuja": 9 * 3600, "nairobi": 700, "dc-djn": 1900, "warsaw": 70, "beirut": 3000}
    for kind, names in (("site", world.registry.fleet.sites), ("host", world.registry.fleet.hosts)):
        for name in names:
            book = world.past.books[kind]
            book[name] = Recorded(0, now - 11 * 86_400_000, "reporting")
    world.failing = {
        "srv2.dc-djn": {
            "disk_space": (2, "/data 96.3 % used, 7.4 GiB left"),
            "certificate:portal": (1, "expires in 6 days (2026-08-06)"),
        },
        "srv3.dc-djn": {"load": (1, "load15 11.8 on 4 processors")},
        "srv1.tokyo": {"process:sshd": (2, "no process named sshd")},
        "srv1.warsaw": {"ntp": (1, "offset 0.84 s")},
    }
    world.silent = {"srv1.abuja", "srv2.abuja", "srv1.nairobi"}
    world.maintained = {"beirut"}
    world.down = {"nairobi"}
    for host in ("srv1.abuja", "srv2.abuja", "srv1.nairobi"):
        entry = world.registry.fleet.hosts[host]
        heard = now - since[entry.site] * 1000
        assert entry.agent_id is not None
        world.live.heard(entry.agent_id, EPOCH, heard)
        world.report(host, heard - 500, heard)
    changes = [
        Change("host", "srv3.dc-djn", 0, 2, now - 5 * 3_600_000 - 240_000, "silent"),
        Change("host", "srv3.dc-djn", 2, 0, now - 5 * 3_600_000, "reporting"),
        Change("site", "dc-djn", 0, 3, now - 1_900_000, "checks_failing"),
        Change("host", "srv2.dc-djn", 0, 3, now - 1_900_000, "checks_failing"),
    ]
    with world.store.transaction() as connection:
        for change in changes:
            add_changes(connection, [change])
    world.past.record(changes)
    world.step()
    return world
