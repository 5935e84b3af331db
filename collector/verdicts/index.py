"""The fleet turned the ways a judgement looks at it; made once for each version of the fleet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from collector.fleet.paths import Link, MemberKind, Probe, member_kind
from collector.fleet.registry import Fleet, System

Probes = Mapping[str, tuple[Probe, ...]]


@dataclass(frozen=True, slots=True)
class Index:
    fleet: Fleet
    sites_by_hub: Mapping[str, tuple[str, ...]]
    links_by_site: Mapping[str, tuple[Link, ...]]
    probes_of_host: Probes
    """By the host that probes."""
    at_link: Probes
    at_site: Probes
    """Those of its links included: whoever reaches a line's end reaches the site."""
    at_hub: Probes
    at_host: Probes
    anchors: Probes
    """By the site of the vantage."""
    sites_by_factor: Mapping[str, tuple[str, ...]]
    links_by_factor: Mapping[str, tuple[str, ...]]
    hosts_by_device: Mapping[str, tuple[str, ...]]
    systems_on_host: Mapping[str, tuple[str, ...]]
    systems_in_order: tuple[System, ...]
    """What is stood on comes before what stands on it."""
    own_sites: frozenset[str]
    """Where this collector stands."""


def make_index(fleet: Fleet) -> Index:
    probes = fleet.probes
    links = list(fleet.links.values())
    systems = list(fleet.systems.values())
    own = frozenset(site.id for site in fleet.sites.values() if site.is_collector)
    return Index(
        fleet,
        _group((site.hub, site.id) for site in fleet.sites.values() if site.hub),
        _group((link.site, link) for link in links),
        _group((probe.host, probe) for probe in probes),
        _group((probe.link, probe) for probe in probes if probe.link),
        _group((site, probe) for probe in probes if (site := _site_of(probe, fleet))),
        _group((probe.hub, probe) for probe in probes if probe.hub),
        _group((probe.of_host, probe) for probe in probes if probe.of_host),
        _group(
            (fleet.hosts[probe.host].site, probe) for probe in probes if probe.is_anchor and probe.host in fleet.hosts
        ),
        _group(_site_factors(fleet, links)),
        _group((factor, link.id) for link in links for factor in factors_of(link)),
        _group((device, host.id) for host in fleet.hosts.values() for device in host.behind),
        _group(
            (host, system.id)
            for system in systems
            for host in dict.fromkeys(
                member.partition("/")[0]
                for group in system.groups
                for member in group.members
                if member_kind(member) is not MemberKind.SYSTEM
            )
        ),
        tuple(_in_order(fleet)),
        own,
    )


def factors_of(link: Link) -> tuple[str, ...]:
    return tuple(f"{kind}:{name}" for kind, name in (("cable", link.cable), ("carrier", link.carrier)) if name)


def system_parents(system: System) -> list[str]:
    """Systems it stands on, by whatever way."""
    members = [m for group in system.groups for m in group.members if member_kind(m) is MemberKind.SYSTEM]
    return [*members, *system.depends_on, *system.uses]


def _site_of(probe: Probe, fleet: Fleet) -> str:
    if probe.link:
        link = fleet.links.get(probe.link)
        return link.site if link is not None else ""
    return probe.site


def _site_factors(fleet: Fleet, links: Iterable[Link]) -> Iterable[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for site in fleet.sites.values():
        if site.facility:
            found[f"facility:{site.facility}", site.id] = None
        for device in site.behind:
            found[f"device:{device}", site.id] = None
    for link in links:
        for factor in factors_of(link):
            found[factor, link.site] = None
    return found


def _in_order(fleet: Fleet) -> Iterable[System]:
    """Raises graphlib.CycleError; the topology file was refused where there is one."""
    parents = {
        system.id: [p for p in system_parents(system) if p in fleet.systems] for system in fleet.systems.values()
    }
    return (fleet.systems[system] for system in TopologicalSorter(parents).static_order())


def _group(pairs: Iterable[tuple[str, object]]) -> Mapping[str, tuple]:  # type: ignore[type-arg]
    found: dict[str, list[object]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
