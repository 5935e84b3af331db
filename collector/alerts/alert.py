"""An alert of any origin, and where it belongs: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from collector.fleet.registry import Fleet
from collector.history.source import LabelSet
from collector.rules.alert import FIRING, RESOLVED
from collector.rules.alert import Alert as RuleAlert
from collector.rules.queries import fingerprint

RULE, ALERTMANAGER, WEBHOOK, INTAKE, BEAT, DUTY, MONITOR = (
    "rule",
    "alertmanager",
    "webhook",
    "intake",
    "beat",
    "duty",
    "monitor",
)
OWN_SOURCES = frozenset({RULE, BEAT, DUTY, MONITOR})
"""What this collector found out itself, and tells other Alertmanagers."""
CRITICAL, WARNING, INFO = "critical", "warning", "info"
SEVERITIES = (CRITICAL, WARNING, INFO)
_SAME = {
    CRITICAL: ("critical", "crit", "page", "fatal", "emergency", "disaster", "alert", "high", "p1", "sev1"),
    INFO: ("info", "information", "informational", "notice", "none", "debug", "ok", "low", "p4", "p5", "sev4", "sev5"),
}
_SEVERITY = {word: severity for severity, words in _SAME.items() for word in words}


class FiringAlert(NamedTuple):
    """``fingerprint`` is of the labels as they were sent, 16 bytes; ``labels`` are those with what the registry knows.

    ``ended_at_ms`` None while it fires. ``is_backfilled``: it began and ended before anyone here heard of it, so nobody
    is to be woken.
    """

    fingerprint: bytes
    source: str
    labels: LabelSet
    annotations: LabelSet
    severity: str
    started_at_ms: int
    ended_at_ms: int | None
    subject: tuple[str, str]
    site: str
    agency: str
    system: str
    is_backfilled: bool = False
    generator_url: str = ""
    updated_at_ms: int = 0
    is_vote: bool = False
    """A host says it of what a probe of the topology looks at: verdicts ask every such host, and know better."""

    @property
    def name(self) -> str:
        return dict(self.labels).get("alertname", "")


class Place(NamedTuple):
    """Where labels point: ``subject`` is (kind, id), the rest empty where unknown."""

    subject: tuple[str, str]
    hub: str
    site: str
    agency: str
    system: str
    is_vote: bool = False


def severity_of(text: str) -> str:
    """What others call it, in our three words; warning where nobody knows."""
    return _SEVERITY.get(text.strip().lower(), WARNING)


def place_of(labels: Mapping[str, str], fleet: Fleet) -> Place:
    """Where an alert belongs, by what the registry knows: a host says its site and agency, whatever else was claimed.

    What a host sees of something else, by a probe of the topology, is about that; what a UPS says, about its building.
    """
    name = labels.get("instance") or labels.get("host") or labels.get("agent", "")
    host = fleet.hosts.get(name) or fleet.hosts.get(name.rpartition(":")[0])
    seen = _seen(host.id, labels["target"], fleet) if host is not None and labels.get("target") else None
    if seen is not None:
        return seen
    system = fleet.systems.get(labels.get("system", ""))
    claimed = labels.get("agency", "")
    if host is not None:
        site, agency, subject = fleet.sites.get(host.site), host.agency, ("host", host.id)
        if system is not None and host.id not in system.hosts:
            system = None
        if labels.get("ups") and site is not None:
            agency, subject = site.agency, ("site", site.id)
    else:
        site = fleet.sites.get(labels.get("site", ""))
        link = fleet.links.get(f"{labels.get('site', '')}/{labels['link']}") if labels.get("link") else None
        agency = claimed if claimed in fleet.agencies else ""
        subject = ("alert", labels.get("alertname", ""))
        if system is not None:
            agency, subject = system.agency, ("system", system.id)
        elif site is not None:
            agency, subject = agency or site.agency, ("site", site.id) if link is None else ("link", link.id)
    hub = site.hub if site is not None else labels.get("hub", "")
    if host is None and site is None and system is None and hub in fleet.hubs:
        subject = ("hub", hub)
    where = site.id if site is not None else ""
    return Place(subject, hub if hub in fleet.hubs else "", where, agency, system.id if system is not None else "")


def _seen(host: str, target: str, fleet: Fleet) -> Place | None:
    """Where what a host sees of a target belongs; None where the topology says nothing of it. An anchor that stands for
    nothing else tells of the host that looks."""
    probe = fleet.probe_of.get((host, target))
    if probe is None:
        return None
    if probe.hub:
        return Place(("hub", probe.hub), probe.hub, "", "", "", is_vote=True) if probe.hub in fleet.hubs else None
    link, of_host = fleet.links.get(probe.link), fleet.hosts.get(probe.of_host or host)
    if link is not None:
        subject, where = ("link", link.id), link.site
    elif probe.site:
        subject, where = ("site", probe.site), probe.site
    else:
        subject, where = ("host", of_host.id if of_host else ""), of_host.site if of_host else ""
    site = fleet.sites.get(where)
    if site is None:
        return None
    agency = of_host.agency if subject[0] == "host" and of_host is not None else site.agency
    return Place(subject, site.hub if site.hub in fleet.hubs else "", site.id, agency, "", is_vote=True)


def stamped(labels: LabelSet, place: Place) -> LabelSet:
    """The labels with what the registry knows in place of what the sender claimed."""
    known = {"hub": place.hub, "site": place.site, "agency": place.agency}
    said = dict(labels).get("instance", "")
    if place.subject[0] == "host" and (not said or place.subject[1] in (said, said.rpartition(":")[0])):
        known["instance"] = place.subject[1]
    return tuple(sorted((dict(labels) | {name: value for name, value in known.items() if value}).items()))


def firing(
    source: str,
    labels: LabelSet,
    annotations: LabelSet,
    fleet: Fleet,
    started_at_ms: int,
    ended_at_ms: int | None,
    *,
    is_backfilled: bool = False,
    generator_url: str = "",
    updated_at_ms: int = 0,
) -> FiringAlert:
    """An alert with its place, by the labels it was sent with."""
    said = dict(labels)
    place = place_of(said, fleet)
    return FiringAlert(
        fingerprint(labels),
        source,
        stamped(labels, place),
        annotations,
        severity_of(said.get("severity", "")),
        started_at_ms,
        ended_at_ms,
        place.subject,
        place.site,
        place.agency,
        place.system,
        is_backfilled,
        generator_url,
        updated_at_ms,
        place.is_vote,
    )


def from_rule(alert: RuleAlert, fleet: Fleet) -> FiringAlert | None:
    """None while it is pending, and where it never fired."""
    if alert.state not in (FIRING, RESOLVED) or alert.fired_at_ms is None:
        return None
    ended = alert.resolved_at_ms if alert.state == RESOLVED else None
    return firing(RULE, alert.labels, alert.annotations, fleet, alert.active_at_ms, ended)
