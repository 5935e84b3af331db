"""What sites, and hosts, that are out have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.buildings import find_trouble, lost_after, remembered
from collector.verdicts.factors import WINDOW_MS, common_factors, together
from collector.verdicts.finding import Finding
from collector.verdicts.heard import Hearing
from collector.verdicts.index import Index, factors_of
from collector.verdicts.past import Past, RawSite
from collector.verdicts.sites import Around
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, OK, Fact, Recorded, SiteStanding

LEAST_HOSTS, OF_SITE = 3, 3
"""So many hosts of one site, and at least one of so many that it has, are one disturbance of the site."""
FACTOR_REASONS = frozenset({r.SILENT, r.UNREACHABLE, r.UPLINK, r.HUB_AFFECTED, r.POWER})
"""Of sites that may share a cause with others."""


def share_causes(found: dict[str, Finding], raw: Mapping[str, RawSite], around: Around) -> None:
    """Names what those that are out have in common; a hub that is heard all the while is not it."""
    bad: dict[str, int] = {}
    for site, finding in found.items():
        if finding.reason not in FACTOR_REASONS or (finding.cause and finding.reason != r.HUB_AFFECTED):
            continue
        hub = around.hubs.get(around.fleet.sites[site].hub)
        if finding.reason == r.HUB_AFFECTED and (hub is None or hub.reason != r.HUB_CHILDREN_SILENT):
            continue
        bad[site] = raw[site].last_report_ms or around.now_ms
    if len(bad) < 2:
        return
    without_power = {site: at for site, at in bad.items() if found[site].reason != r.POWER}
    housed = {factor: ids for factor, ids in around.index.sites_by_factor.items() if factor.startswith("facility:")}
    shared = common_factors(bad, housed)
    rest = {site: at for site, at in without_power.items() if site not in shared}
    cleared = {
        (factor, site)
        for site in rest
        for link in around.index.links_by_site.get(site, ())
        if around.links[link.id].state in (OK, DEGRADED) and link.id in around.index.at_link
        for factor in factors_of(link)
    }
    shared |= common_factors(rest, around.index.sites_by_factor, cleared)
    for site, (factor, fact) in shared.items():
        finding = found[site]
        reason = r.COMMON_FACTOR if finding.state == NO_DATA else finding.reason
        if reason == r.UNREACHABLE and factor.startswith(("cable:", "carrier:")):
            reason = r.UPLINK
        found[site] = Finding(finding.state, reason, factor, (fact, *finding.evidence))


def link_to_sites(
    sites: Mapping[str, Finding], links: dict[str, Finding], index: Index, recorded: Mapping[str, Recorded]
) -> dict[str, Finding]:
    """A line that ends in a dead building lies behind that; a site whose line is cut, behind its line. Of a site that had no
    time to report since a start, what is ``recorded`` holds."""
    changed = {}
    for site, found in sites.items():
        held = recorded.get(site) if found.reason == r.STARTING else None
        finding = found if held is None else Finding(held.state, held.reason, held.cause)
        if finding.state != DOWN:
            continue
        out = [link.id for link in index.links_by_site.get(site, ()) if links[link.id].state == DOWN]
        if finding.reason == r.UPLINK and not finding.cause and out:
            changed[site] = finding._replace(cause=links[out[0]].cause or f"link:{out[0]}")
        elif finding.reason != r.UPLINK:
            for link in out:
                links[link] = links[link]._replace(cause=finding.cause or f"site:{site}")
    return changed


def share_devices(index: Index, hearing: Hearing, own: Mapping[str, Finding]) -> dict[str, tuple[str, Fact]]:
    """Hosts that fell silent together behind one shared device, as (factor, fact)."""
    devices = index.hosts_by_device
    if not devices:
        return {}
    bad = {
        host: hearing.hosts[host].last_report_ms or 0
        for hosts in devices.values()
        for host in hosts
        if hearing.hosts[host].reason == r.SILENT and host not in own
    }
    return common_factors(bad, {f"device:{device}": hosts for device, hosts in devices.items()})


def share_sites(
    fleet: Fleet,
    sites: Mapping[str, SiteStanding],
    silent: Mapping[str, int],
    apart: Collection[str],
    own: Mapping[str, Finding],
    past: Past,
) -> dict[str, tuple[str, Fact]]:
    """Hosts that fell silent together at a site that still reports, or after its building began to fail, as
    (``site:ID``, fact).

    ``silent``: last reports by host. ``apart``: hosts with a nearer cause. ``own``: what is known of hosts by themselves: one
    that answers has lost no more than its agent, or starts. Who was lost with others, by ``past``, stays with them until it
    reports again, however few are left of them.
    """
    known, answering = past.books["host"], {host for host, found in own.items() if found.reason == r.AGENT_DOWN}
    by_site: dict[str, list[str]] = {}
    for host in silent:
        if host in fleet.hosts and host not in apart:
            by_site.setdefault(fleet.hosts[host].site, []).append(host)
    found: dict[str, tuple[str, Fact]] = {}
    for site, hosts in by_site.items():
        factor, every = f"site:{site}", len(fleet.hosts_by_site.get(site, ()))
        kept = [host for host in hosts if _fell_with(known.get(host), factor)]
        trouble = remembered(kept, past.memory.facts)
        if kept:
            until_ms = max(silent[host] for host in kept) + WINDOW_MS
            kept += [host for host in hosts if host not in kept and silent[host] <= until_ms]
        else:
            trouble = find_trouble(sites[site].failing)
            kept = lost_after(trouble, hosts, silent) if trouble is not None else []
        if not kept:
            trouble, kept = None, together(hosts, silent)
            if len(kept) < LEAST_HOSTS or len(kept) * OF_SITE < every:
                continue
        kept = [host for host in kept if host not in answering or _fell_with(known.get(host), factor)]
        found |= dict.fromkeys(kept, (factor, trouble or Fact("shared", factor, f"{len(kept)}/{every}")))
    return found


def _fell_with(known: Recorded | None, factor: str) -> bool:
    return known is not None and known.cause == factor and known.reason in (r.COMMON_FACTOR, r.UNREACHABLE)
