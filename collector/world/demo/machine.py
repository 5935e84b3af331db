"""A machine's numbers: load that follows the local day, counters that grow with it, disks that fill slowly."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agent.link.model import Labels, Schema, Series, make_schema
from agent.link.names import COUNTER, GAUGE, OK, UNTYPED
from collector.world.demo.condition import USUAL_CELSIUS, Condition
from collector.world.demo.fleet import Machine
from collector.world.topology import Place

GIB = float(1 << 30)
CPUS = ("0", "1", "2", "3")
MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
NIGHT_LOAD, DAY_LOAD = 0.08, 0.55
FULL_SECONDS = 3600.0
"""What a charged battery says it lasts."""
WELL = (OK, "")
UPS_CHECK = "ups:rack1"
UPS_FLAGS = ("OL", "OB", "LB", "RB")


class Reading(NamedTuple):
    name: str
    type: int
    labels: Labels
    value: float | None


class Numbers:
    """Of one machine. ``next`` gives the same series in the same order every time."""

    def __init__(self, machine: Machine, place: Place, chance: random.Random, *, is_thin: bool = False) -> None:
        self.machine = machine
        self._cpus = CPUS[:1] if is_thin else CPUS
        self._place = place
        self._chance = chance
        self._zone = ZoneInfo(place.timezone)
        self._totals: dict[tuple[str, Labels], float] = {}
        self._last_ms: int | None = None
        self._booted = -chance.uniform(5, 200) * 86_400
        """When it booted; until the first look, how long before that."""
        self._memory = chance.choice((8, 16, 32)) * GIB
        self._disk = chance.choice((64, 128, 256)) * GIB
        self._filled = chance.uniform(0.35, 0.7)
        self.schema: Schema | None = None

    def next(
        self, at_ms: int, condition: Condition, now: float, more: list[Reading]
    ) -> tuple[Schema, list[float | None]]:
        """``now``: seconds of the timeline; ``more``: what this machine saw of others."""
        passed = 0.0 if self._last_ms is None else max(0.0, (at_ms - self._last_ms) / 1000)
        self._last_ms = at_ms
        readings = [*self._readings(at_ms, passed, condition, now), *more]
        checks = [(self.machine.id, check) for check in self._checks()]
        failing = self.failing(condition, now)
        states = [float(failing.get(check, WELL)[0]) for _, check in checks]
        if self.schema is None or len(self.schema.series) != len(readings):
            series = tuple(Series(self.machine.id, one.name, one.type, one.labels) for one in readings)
            self.schema = make_schema(series, tuple(checks))
        return self.schema, [*(one.value for one in readings), *states]

    def failing(self, condition: Condition, now: float) -> dict[str, tuple[int, str]]:
        """Its checks that are not well: state and words of each."""
        found = {check: known for (host, check), known in condition.failing.items() if host == self.machine.id}
        power = condition.power_state(self.machine.site, now)
        if self._has_ups and power[0] != OK:
            found[UPS_CHECK] = power
        return found

    def _checks(self) -> tuple[str, ...]:
        return (*self.machine.checks, *((UPS_CHECK,) if self._has_ups else ()))

    @property
    def _has_ups(self) -> bool:
        return self.machine.kind == "watcher" or self.machine.name == "srv1"

    def _share(self, at_ms: int) -> float:
        """How busy it is, 0 to 1: offices by day, everybody a little by night."""
        here = datetime.fromtimestamp(at_ms / 1000, self._zone)
        hour = here.hour + here.minute / 60
        day = math.exp(-(((hour - 13.0) / 4.0) ** 2)) if here.weekday() < 5 else 0.15
        return min(0.97, max(0.02, NIGHT_LOAD + (DAY_LOAD - NIGHT_LOAD) * day + self._chance.gauss(0, 0.03)))

    def _grow(self, name: str, by: float, **labels: str) -> Reading:
        key = (name, tuple(sorted(labels.items())))
        if key not in self._totals:
            self._totals[key] = self._chance.uniform(1e4, 1e7)
        self._totals[key] += by
        return Reading(name, COUNTER, key[1], round(self._totals[key], 2))

    def _readings(self, at_ms: int, passed: float, condition: Condition, now: float) -> Iterator[Reading]:
        share = self._share(at_ms)
        yield from self._machine(at_ms, passed, share)
        if self.machine.kind == "gateway":
            yield from self._network(passed, share, ("wan0", "lan0"), 4e6)
            return
        yield from self._network(passed, share, ("eth0",), 1e6)
        yield from self._storage(passed, share)
        if self._has_ups:
            yield from self._power(condition, now)
        if self.machine.kind == "watcher":
            celsius = condition.celsius.get(self.machine.site, USUAL_CELSIUS) + self._chance.gauss(0, 0.2)
            yield _gauge("node_hwmon_temp_celsius", round(celsius, 1), chip="room", sensor="temp1")

    def _machine(self, at_ms: int, passed: float, share: float) -> Iterator[Reading]:
        parts = {"user": 0.62, "system": 0.28, "iowait": 0.06, "softirq": 0.03, "irq": 0.01, "nice": 0.0, "steal": 0.0}
        for cpu in self._cpus:
            for mode in MODES:
                by = passed * ((1 - share) if mode == "idle" else share * parts[mode])
                yield self._grow("node_cpu_seconds_total", by, cpu=cpu, mode=mode)
        for name, lag in (("node_load1", 0.1), ("node_load5", 0.04), ("node_load15", 0.02)):
            yield _gauge(name, round(len(self._cpus) * share * (1 + self._chance.uniform(-lag, lag)), 2))
        free = self._memory * (0.75 - 0.5 * share)
        yield _gauge("node_memory_MemTotal_bytes", self._memory)
        yield _gauge("node_memory_MemAvailable_bytes", math.floor(free / 4096) * 4096.0)
        yield _gauge("node_memory_MemFree_bytes", math.floor(free * 0.3 / 4096) * 4096.0)
        yield _gauge("node_memory_SwapTotal_bytes", 2 * GIB)
        yield _gauge("node_memory_SwapFree_bytes", 2 * GIB)
        if self._booted < 0:
            self._booted = round(at_ms / 1000 + self._booted)
        yield _gauge("node_boot_time_seconds", self._booted)
        yield _gauge("node_time_seconds", at_ms / 1000)
        yield _gauge("node_timex_sync_status", 1.0)
        yield _gauge("node_timex_offset_seconds", round(self._chance.gauss(0, 1e-4), 7))
        yield _gauge("node_filefd_allocated", float(self._chance.randrange(1200, 1600)))
        yield _gauge("node_filefd_maximum", 9.2e5)
        yield Reading("node_netstat_Tcp_CurrEstab", UNTYPED, (), float(round(20 + 200 * share)))
        for what in ("cpu", "io", "memory"):
            yield self._grow(f"node_pressure_{what}_waiting_seconds_total", passed * share * 0.01)

    def _network(self, passed: float, share: float, devices: tuple[str, ...], rate: float) -> Iterator[Reading]:
        for device in devices:
            for way in ("receive", "transmit"):
                by = passed * rate * share * self._chance.uniform(0.8, 1.2)
                yield self._grow(f"node_network_{way}_bytes_total", float(round(by)), device=device)
                yield self._grow(f"node_network_{way}_errs_total", 0.0, device=device)
                yield self._grow(f"node_network_{way}_drop_total", 0.0, device=device)

    def _storage(self, passed: float, share: float) -> Iterator[Reading]:
        self._filled = min(0.9, self._filled + passed * 1e-9)
        labels = {"device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/"}
        yield _gauge("node_filesystem_size_bytes", self._disk, **labels)
        for name, share_left in (("avail", 1.0), ("free", 1.02)):  # a little is the superuser's alone
            left = math.floor(self._disk * (1 - self._filled) * share_left / 4096) * 4096.0
            yield _gauge(f"node_filesystem_{name}_bytes", min(self._disk, left), **labels)
        yield _gauge("node_filesystem_files", 8e6, **labels)
        yield _gauge("node_filesystem_files_free", 7.1e6, **labels)
        yield _gauge("node_filesystem_readonly", 0.0, **labels)
        yield self._grow("node_disk_io_time_seconds_total", round(passed * share * 0.2, 3), device="sda")
        yield self._grow("node_disk_read_bytes_total", float(round(passed * share * 2e6)), device="sda")
        yield self._grow("node_disk_written_bytes_total", float(round(passed * share * 3e6)), device="sda")

    def _power(self, condition: Condition, now: float) -> Iterator[Reading]:
        left = condition.battery_ratio(self.machine.site, now)
        is_dark, is_low = self.machine.site in condition.dark_sites, condition.is_low(self.machine.site, now)
        flags = ({"OB", "LB"} if is_low else {"OB"}) if is_dark else {"OL"}
        yield _gauge("network_ups_tools_battery_charge", round(100 * left, 1), ups="rack1")
        yield _gauge("network_ups_tools_battery_runtime", round(FULL_SECONDS * left), ups="rack1")
        yield _gauge("network_ups_tools_ups_load", round(35 + self._chance.gauss(0, 1), 1), ups="rack1")
        for flag in UPS_FLAGS:
            yield _gauge("network_ups_tools_ups_status", float(flag in flags), flag=flag, ups="rack1")


def _gauge(name: str, value: float, **labels: str) -> Reading:
    return Reading(name, GAUGE, tuple(sorted(labels.items())), value)
