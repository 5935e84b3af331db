"""What sites, and hosts, that are out have in common."""

from __future__ import annotations

from collections.abc import Mapping

from collector.verdicts import reasons as r
from collector.verdicts.factors import common_factors
from collector.verdicts.finding import Finding
from collector.verdicts.heard import Hearing
from collector.verdicts.index import Index
from collector.verdicts.past import RawSite
from collector.verdicts.sites import Around
from collector.verdicts.standing import NO_DATA, Fact

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
    shared |= common_factors(rest, around.index.sites_by_factor)
    for site, (factor, fact) in shared.items():
        finding = found[site]
        reason = r.COMMON_FACTOR if finding.state == NO_DATA else finding.reason
        if reason == r.UNREACHABLE and factor.startswith(("cable:", "carrier:")):
            reason = r.UPLINK
        found[site] = Finding(finding.state, reason, factor, (fact, *finding.evidence))


def share_devices(index: Index, hearing: Hearing, own: Mapping[str, Finding]) -> dict[str, tuple[str, Fact]]:
    """Hosts that fell silent together behind one shared device, as (factor, fact)."""
    devices = index.hosts_by_device
    if not devices:
        return {}
    bad = {
        host: hearing.hosts[host].last_report_ms or 0
        for hosts in devices.values()
        for host in hosts
        if host not in hearing.hosts_until and host not in own and hearing.hosts[host].reason == r.SILENT
    }
    return common_factors(bad, {f"device:{device}": hosts for device, hosts in devices.items()})
