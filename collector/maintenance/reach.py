"""What a window covers, beyond what it names.

``hub`` is the hub alone: its collector and its machine may be away, and what lies behind it is not seen meanwhile. ``region``
is the hub with every site behind it. ``link`` is one line: its site is covered only while no other line is left to it, and
that is for the verdict to say.
"""

from __future__ import annotations

from collections.abc import Iterable

from collector.fleet.registry import Fleet

SITE, HOST, SYSTEM, HUB, REGION, LINK = "site", "host", "system", "hub", "region", "link"
Subject = tuple[str, str]


def covered(subjects: Iterable[Subject], fleet: Fleet) -> tuple[Subject, ...]:
    """The same with each region spelled out as its hub and the sites behind it now."""
    found: dict[Subject, None] = {}
    for kind, name in subjects:
        if kind != REGION:
            found[kind, name] = None
            continue
        found[HUB, name] = None
        found |= dict.fromkeys((SITE, site) for site in behind(name, fleet))
    return tuple(found)


def behind(hub: str, fleet: Fleet) -> list[str]:
    return [site.id for site in fleet.sites.values() if site.hub == hub]


def affected_sites(subjects: Iterable[Subject], fleet: Fleet) -> list[str]:
    """Sites named, or of a region, a line or a host named, or at which a system named stands. Not those behind a hub named
    alone: to them nothing is done."""
    found: dict[str, None] = {}
    for kind, name in covered(subjects, fleet):
        if kind == SITE:
            found[name] = None
        elif kind == LINK and name in fleet.links:
            found[fleet.links[name].site] = None
        elif kind == HOST and name in fleet.hosts:
            found[fleet.hosts[name].site] = None
        elif kind == SYSTEM and name in fleet.systems:
            found |= {fleet.hosts[host].site: None for host in fleet.systems[name].hosts if host in fleet.hosts}
    return sorted(site for site in found if site in fleet.sites)


def unseen(subjects: Iterable[Subject], fleet: Fleet) -> dict[str, int]:
    """Hubs named alone -> how many sites behind them are not seen while they are away, those covered as well left out."""
    named = set(covered(subjects, fleet))
    counts = {hub: sum((SITE, site) not in named for site in behind(hub, fleet)) for kind, hub in named if kind == HUB}
    return {hub: counts[hub] for hub in sorted(counts) if counts[hub]}
