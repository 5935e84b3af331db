"""What helps with a site besides how it is: its lines, its power, the days it is closed, what somebody there can do.
Values only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from collector.fleet.calendar import holiday_name
from collector.fleet.paths import Link
from collector.fleet.registry import Fleet, HostEntry, Site
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, Standing
from collector.web.view import Judged, judged

if TYPE_CHECKING:
    from collector.live.board import Live

CLOSURE_DAYS = 30
MOST_CLOSURES = 6
STEPS = {
    "power": ("power", "on_battery"),
    "line": ("uplink", "unreachable", "on_backup", "link_degraded", "slow", "lossy", "large_packets_lost", "one_path"),
    "hub": ("behind", "hub_affected", "recovering", "common_factor", "collector_blind"),
    "checks": ("checks_failing", "hosts_degraded", "hosts_down", "agent_down"),
}
"""Which steps fit which reason."""


class LinkLine(NamedTuple):
    link: Link
    verdict: Judged


class Ups(NamedTuple):
    """A UPS as a host reads it: ``charge`` in percent, ``runtime_seconds`` that are left; None where it does not say.
    ``read_at_ms`` is when a host that is silent now read it last, which may be all that is known of a power cut."""

    host: str
    name: str
    is_on_battery: bool
    charge: float | None
    runtime_seconds: float | None
    read_at_ms: int | None


class Closure(NamedTuple):
    day: date
    why: str
    """A holiday's name, or ``closure``."""


def links_of(site: Site, fleet: Fleet, standing: Standing) -> tuple[LinkLine, ...]:
    mine = sorted((link for link in fleet.links.values() if link.site == site.id), key=lambda link: (link.role != "primary", link.id))  # fmt: skip
    return tuple(LinkLine(link, judged(standing.links.get(link.id))) for link in mine)


def power_of(hosts: Iterable[HostEntry], live: Live, standing: Standing) -> tuple[Ups, ...]:
    """Every UPS of its hosts, as it was read last."""
    found = []
    for host in hosts:
        known = live.hosts.get(host.id)
        if known is None:
            continue
        is_silent = judged(standing.hosts.get(host.id)).state == NO_DATA
        read_at_ms = known.taken_at_ms if is_silent else None
        read: dict[str, dict[str, float]] = {}
        for name, _, labels, value in known.series():
            if name.startswith("network_ups_tools_"):
                of = dict(labels)
                read.setdefault(of.get("ups", ""), {})[f"{name[18:]}{of.get('flag', '')}"] = value
        for ups, values in sorted(read.items()):
            is_on = values.get("ups_statusOB", 0.0) == 1.0
            found.append(
                Ups(host.id, ups, is_on, values.get("battery_charge"), values.get("battery_runtime"), read_at_ms)
            )
    return tuple(found)


def closures_of(site: Site, today: date) -> tuple[Closure, ...]:
    """Days beyond weekends on which nobody works there, soon."""
    found = []
    for number in range(CLOSURE_DAYS):
        day = today + timedelta(days=number)
        why = holiday_name(site.calendar, day)
        if why and why != "weekend":
            found.append(Closure(day, why))
    return tuple(found[:MOST_CLOSURES])


def steps_for(verdict: Judged) -> str:
    """Which steps somebody at the site can take; empty where there is nothing to do there."""
    if verdict.state not in (NO_DATA, DEGRADED, DOWN):
        return ""
    fitting = (name for name, reasons in STEPS.items() if verdict.reason in reasons)
    return next(fitting, "silent" if verdict.state != DEGRADED else "checks")
