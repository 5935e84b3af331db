"""``/sd/prometheus``: which endpoints a Prometheus is to scrape, one a site, large sites in shards."""

from __future__ import annotations

from collector.fleet.registry import Fleet
from collector.store.scope import Scope

HOSTS_PER_SHARD = 1_000
"""About 300,000 series: what Prometheus takes in well under a second."""


def targets(fleet: Fleet, scope: Scope, address: str, scheme: str) -> list[dict[str, object]]:
    """The whole list in Prometheus' HTTP discovery format, always complete; sites without hosts are left out."""
    found: list[dict[str, object]] = []
    for site in fleet.sites.values():
        hosts = len(fleet.hosts_by_site.get(site.id, ()))
        if not hosts or not scope.allows(site.agency, site.id):
            continue
        labels = {
            "__metrics_path__": f"/metrics/sites/{site.id}",
            "__scheme__": scheme,
            "agency": site.agency,
            "hub": site.hub,
            "site": site.id,
        }
        shards = -(-hosts // HOSTS_PER_SHARD)
        for shard in range(shards):
            part = {"__param_shard": f"{shard}/{shards}", "shard": f"{shard}/{shards}"} if shards > 1 else {}
            found.append({"targets": [address], "labels": {**labels, **part}})
    return found
