"""Where an alert belongs, and which alerts only repeat what verdicts conclude: tables."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from collector.alerts.alert import ALERTMANAGER, RULE, firing, place_of
from collector.fleet.paths import Link, Probe
from collector.fleet.registry import Fleet, HostEntry, Named, Site, System
from collector.incidents.from_alerts import REPEATED, REPEATED_VOTES, alert_signals

RULES = Path(__file__).parents[3] / "configs" / "rules"
SITES = {n: Site(n, f"of-{n}", "mea", n, n, None, None, "Asia/Seoul", "lan") for n in ("abuja", "dubai")}
HOSTS = {
    f"{host}.{site}": HostEntry(f"{host}.{site}", host, site, agency, False, "", None)
    for host, site, agency in (("srv1", "abuja", "of-abuja"), ("srv1", "dubai", "of-dubai"), ("db1", "dubai", "guest"))
}
PROBES = (
    Probe("srv1.dubai", "gw.abuja", link="abuja/main"),
    Probe("srv1.dubai", "abuja", site="abuja"),
    Probe("srv1.abuja", "hub", hub="mea"),
    Probe("srv1.dubai", "10.0.0.9", of_host="db1.dubai"),
    Probe("srv1.dubai", "gw.seoul", is_anchor=True),
)
FLEET = Fleet(
    version=1,
    agencies={n: Named(n, n, n) for n in ("of-abuja", "of-dubai", "guest")},
    hubs={"mea": Named("mea", "", "")},
    sites=SITES,
    hosts=HOSTS,
    links={"abuja/main": Link("abuja/main", "abuja", "main", "primary", "vpn")},
    probes=PROBES,
    probe_of={(probe.host, probe.target): probe for probe in PROBES},
    systems={"visa": System("visa", "guest", "", "", 1, ("db1.dubai",))},
)
PLACES = {
    "a probe of a line": ("instance=srv1.dubai target=gw.abuja site=dubai", "link abuja/main", "abuja", "of-abuja", True),
    "a probe of a site": ("instance=srv1.dubai target=abuja", "site abuja", "abuja", "of-abuja", True),
    "a probe of a hub": ("instance=srv1.abuja target=hub", "hub mea", "", "", True),
    "a probe of a host": ("instance=srv1.dubai target=10.0.0.9", "host db1.dubai", "dubai", "guest", True),
    "an anchor tells of who looks": ("instance=srv1.dubai target=gw.seoul", "host srv1.dubai", "dubai", "of-dubai", True),
    "a target nobody knows": ("instance=srv1.dubai target=example.org", "host srv1.dubai", "dubai", "of-dubai", False),
    "seen by another host": ("instance=srv1.abuja target=gw.abuja", "host srv1.abuja", "abuja", "of-abuja", False),
    "a line by name": ("site=abuja link=main", "link abuja/main", "abuja", "of-abuja", False),
    "a line nobody knows": ("site=abuja link=third", "site abuja", "abuja", "of-abuja", False),
    "an agent is its host": ("agent=srv1.abuja site=abuja", "host srv1.abuja", "abuja", "of-abuja", False),
    "a UPS speaks of its building": ("instance=srv1.abuja ups=rack1", "site abuja", "abuja", "of-abuja", False),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_where_an_alert_belongs(name: str) -> None:
    said, subject, site, agency, is_vote = PLACES[name]
    found = place_of(dict(pair.split("=") for pair in said.split()), FLEET)
    assert (" ".join(found.subject), found.site, found.agency, found.is_vote) == (subject, site, agency, is_vote)


QUIET = {
    "our heartbeat": (RULE, "alertname=Watchdog severity=none", True),
    "anybody's heartbeat": (ALERTMANAGER, "alertname=Watchdog severity=none", True),
    "a site, by our rule": (RULE, "alertname=SiteDown severity=critical site=abuja", True),
    "a site, by somebody else": (ALERTMANAGER, "alertname=SiteDown severity=critical site=abuja", False),
    "one vantage": (RULE, "alertname=ProbeFailed severity=critical instance=srv1.dubai target=gw.abuja", True),
    "an anchor": (RULE, "alertname=ProbeFailed severity=critical instance=srv1.dubai target=gw.seoul", True),
    "a target that nobody else looks at": (RULE, "alertname=ProbeFailed instance=srv1.dubai target=example.org", False),
    "a UPS runs on its battery": (RULE, "alertname=UpsOnBattery instance=srv1.abuja ups=rack1", True),
    "its battery is nearly empty": (RULE, "alertname=UpsBatteryLow instance=srv1.abuja ups=rack1", False),
    "a check": (RULE, "alertname=HostCheckCritical instance=srv1.abuja check=disk", False),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_only_repeats_a_verdict_opens_nothing(name: str) -> None:
    source, said, is_quiet = QUIET[name]
    labels = tuple(sorted((pair.split("=")[0], pair.split("=")[1]) for pair in said.split()))
    alert = firing(source, labels, (), FLEET, 0, None)
    assert (alert_signals([alert], 30) == []) == is_quiet


def test_every_shipped_rule_on_a_verdicts_state_is_known_to_repeat_it() -> None:
    rules = {
        rule["alert"]: rule["expr"]
        for file in RULES.glob("*.yaml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    }
    repeated = {name for names in REPEATED.values() for name in names}
    assert rules.keys() >= repeated | REPEATED_VOTES
    states = {f"bongsu_{kind}_state ==" for kind in REPEATED}
    assert {name for name, expr in rules.items() if any(state in expr.split(" unless")[0] for state in states)} == (
        repeated - {"UpsOnBattery"}
    )
