"""The fleet's own page, discovery and positions."""

from __future__ import annotations

import pytest
from centre import NOW_MS, Centre
from prometheus_client.parser import text_string_to_metric_families
from sender import request

from agent.link.names import FLEET_METRICS
from collector.exposition.discovery import HOSTS_PER_SHARD, targets
from collector.exposition.fleet import fleet_text
from collector.exposition.geohash import geohash
from collector.exposition.incidents import incidents_text
from collector.fleet.registry import Fleet, HostEntry, Site
from collector.store.scope import EVERYTHING, NOTHING
from collector.verdicts.standing import SiteStanding, Standing


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (57.64911, 10.40744, "u4pruyd"),
        (37.8324, 112.5584, "ww8p1r4"),
        (-25.382708, -49.265506, "6gkzwgj"),
        (0.0, 0.0, "s000000"),
    ],
)
def test_geohash(latitude: float, longitude: float, expected: str) -> None:
    assert geohash(latitude, longitude) == expected


def test_the_fleet_page_says_only_what_it_knows(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS - 2000)))
    standing = Standing(
        sites={"abuja": SiteStanding(3, NOW_MS, "checks_failing", NOW_MS)}, eligible_seconds={"abuja": 60.0}
    )
    text = b"".join(fleet_text(centre.registry.fleet, centre.live, standing, EVERYTHING)).decode()
    found = {m.name: m for m in text_string_to_metric_families(text)}
    assert {name.removesuffix("_total") for name in FLEET_METRICS} >= found.keys()
    assert all(metric.documentation and metric.type in ("gauge", "counter") for metric in found.values())
    place = {"agency": "for", "hub": "mea", "site": "abuja"}
    (state,) = found["bongsu_site_state"].samples
    assert (state.labels, state.value) == (place, 3.0)
    (reports,) = found["bongsu_reports"].samples
    assert (reports.labels, reports.value) == ({**place, "result": "accepted"}, 1.0)
    assert [s.value for s in found["bongsu_ingest_lag_seconds"].samples] == [2.0]
    assert "bongsu_site_downtime_seconds" not in found, "nothing was counted, so nothing is said"
    assert b"".join(fleet_text(centre.registry.fleet, centre.live, standing, NOTHING)) == b""


def test_open_incidents_by_site_and_agency(centre: Centre) -> None:
    counts = {("critical", "for", "abuja"): 2, ("warning", "for", "abuja"): 1, ("critical", "for", ""): 1}
    fleet = centre.registry.fleet
    text = b"".join(incidents_text(fleet, counts, EVERYTHING)).decode()
    found = {family.name: family for family in text_string_to_metric_families(text)}
    by_site = {one.labels["site"]: one.value for one in found["bongsu_site_incidents_open"].samples}
    assert by_site.keys() == fleet.sites.keys()
    assert {site: value for site, value in by_site.items() if value} == {"abuja": 3.0}
    by_agency = {tuple(one.labels.values()): one.value for one in found["bongsu_agency_incidents_open"].samples}
    assert by_agency["for", "critical"] == 3.0
    assert by_agency["for", "info"] == 0.0
    assert b"".join(incidents_text(fleet, counts, NOTHING)) == b"".join(incidents_text(fleet, None, EVERYTHING)) == b""


def fleet_of(hosts: int) -> Fleet:
    site = Site("abuja", "for", "mea", "아부자", "Abuja", None, None, "Africa/Lagos", "lan")
    empty = Site("empty", "for", "", "빈 곳", "Empty", None, None, "UTC", "lan")
    entries = {f"h{n}.abuja": HostEntry(f"h{n}.abuja", f"h{n}", "abuja", "for", False, "", None) for n in range(hosts)}
    return Fleet(sites={"abuja": site, "empty": empty}, hosts=entries, hosts_by_site={"abuja": tuple(entries)})


@pytest.mark.parametrize(("hosts", "shards"), [(1, 1), (HOSTS_PER_SHARD, 1), (HOSTS_PER_SHARD + 1, 2), (3334, 4)])
def test_discovery_lists_sites_with_hosts_in_shards(hosts: int, shards: int) -> None:
    found = targets(fleet_of(hosts), EVERYTHING, "centre:8650", "https")
    assert len(found) == shards
    assert all(target["targets"] == ["centre:8650"] for target in found)
    labels = [target["labels"] for target in found]
    assert all(one["__metrics_path__"] == "/metrics/sites/abuja" for one in labels)  # type: ignore[index]
    assert len({str(one) for one in labels}) == shards
    assert targets(fleet_of(hosts), NOTHING, "centre:8650", "https") == []
