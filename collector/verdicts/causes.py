"""One disturbance, one entry: everything that is not well, gathered under what it lies behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.link.names import CRITICAL, QUICK_CHECKS, STALE_INTERVALS
from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.buildings import WENT_BEFORE
from collector.verdicts.flapping import Flap
from collector.verdicts.hubs import HEARTBEAT_MS, TOGETHER_LEAST
from collector.verdicts.index import Index
from collector.verdicts.pace import Pace
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, OK, Cause, Fact, Standing

HOLD_DOWN_MS = 30_000
"""Before anybody is told: a restart of a few seconds wakes nobody."""
LATE_MS = 15_000
"""So much later than its interval a report may come and be judged."""
PARENT_INTERVALS = 2
NEIGHBOURS_MS = 90_000
"""A silent host waits so much longer at most while others of its site follow: they may be one disturbance."""
OF_HOSTS = frozenset({r.CHECKS_FAILING, r.HOSTS_SILENT, r.HOSTS_DOWN, r.AGENTS_SILENT})
"""Reasons of a site that are its hosts' own."""
_QUIET = r.SELF_EXPLAINED | {r.BACKUP_UNTESTED, r.ONE_PATH}
"""To be seen on a page, and no disturbance."""

Flaps = Mapping[tuple[str, str], Flap]
"""By (kind, id)."""


class _Part:
    """One thing that is not well."""

    __slots__ = ("cause", "evidence", "id", "kind", "reason", "since_ms", "state")

    def __init__(
        self, kind: str, subject: str, found: tuple[int, int, str], cause: str, evidence: tuple[Fact, ...]
    ) -> None:
        self.kind, self.id = kind, subject
        self.state, self.since_ms, self.reason = found
        self.cause, self.evidence = cause, evidence


def gather_causes(index: Index, standing: Standing, pace: Pace, flaps: Flaps) -> Mapping[str, Cause]:
    """By the cause's id."""
    parts: dict[str, list[_Part]] = {}
    for part in _parts(standing):
        root = part.cause or f"{part.kind}:{part.id}"
        if part.kind == "site" and not part.cause and part.reason in OF_HOSTS:
            continue
        parts.setdefault(root, []).append(part)
    causes = {
        root: _cause(root, found, index, standing, pace, flaps)
        for root, found in parts.items()
        if not _is_awaited(root, standing)
    }
    return _waiting_for_neighbours(causes, index.fleet)


def _waiting_for_neighbours(causes: dict[str, Cause], fleet: Fleet) -> dict[str, Cause]:
    """Of silent hosts of one site nobody is told before it is clear whether more of them follow."""
    by_site: dict[str, list[Cause]] = {}
    for root, cause in causes.items():
        host = fleet.hosts.get(root.removeprefix("host:")) if root.startswith("host:") else None
        if host is not None and cause.reason in (r.SILENT, r.UNREACHABLE) and cause.due_ms is not None:
            by_site.setdefault(host.site, []).append(cause)
    for few in by_site.values():
        dues = sorted(cause.due_ms or 0 for cause in few)
        for cause in few:
            due_ms = cause.due_ms or 0
            if any(0 < abs(other - due_ms) <= 2 * HOLD_DOWN_MS for other in dues) or dues.count(due_ms) > 1:
                causes[cause.id] = cause._replace(due_ms=min(dues[-1] + HOLD_DOWN_MS, due_ms + NEIGHBOURS_MS))
    return causes


def _is_awaited(root: str, standing: Standing) -> bool:
    """Whether what others lie behind has only had no time to report since the collector started."""
    kind, _, subject = root.partition(":")
    own = _root_of(kind, subject, standing)
    return own is not None and own.reason == r.STARTING


def _parts(standing: Standing) -> Iterator[_Part]:
    for kind, found in (
        ("hub", standing.hubs),
        ("link", standing.links),
        ("site", standing.sites),
        ("host", standing.hosts),
        ("system", standing.systems),
        ("interface", standing.interfaces),
    ):
        for subject, each in [item for item in found.items() if item[1][0] > MAINTENANCE]:
            if each.reason not in _QUIET and not (kind == "link" and each.state == NO_DATA):
                yield _Part(kind, subject, each[:3], each.cause, each.evidence)
    for agent, one in standing.agents.items():
        if one.state == DOWN:
            yield _Part("agent", agent.hex(), one[:3], one.cause, one.evidence)


def _cause(root: str, parts: list[_Part], index: Index, standing: Standing, pace: Pace, flaps: Flaps) -> Cause:
    kind, _, subject = root.partition(":")
    own = next((part for part in parts if part.kind == kind and part.id == subject), None)
    affected = {(part.kind, part.id): None for part in parts if part is not own}
    for part in parts:
        if (
            part.kind == "host"
            and (site := index.fleet.hosts[part.id].site)
            and standing.sites[site].reason in OF_HOSTS
        ):
            affected["site", site] = None
    if own is None:
        own = _root_of(kind, subject, standing)
    if own is not None and kind == "site" and own.state == DEGRADED:
        own = _by_its_hosts(own, parts)
    affected.pop((kind, subject), None)
    evidence = own.evidence if own is not None else parts[0].evidence
    last = [
        fact.at_ms for part in parts for fact in part.evidence if fact.code == "last_report" and fact.at_ms is not None
    ]
    seen_ms = min([own.since_ms] if own is not None else [part.since_ms for part in parts])
    reason = own.reason if own is not None else ""
    hold_ms = _hold_ms(kind, subject, reason, index, standing, pace)
    return Cause(
        root,
        own.state if own is not None else max(part.state for part in parts),
        min([seen_ms, *last]),
        own.reason if own is not None else r.COMMON_FACTOR if kind != "collector" else r.COLLECTOR_BLIND,
        evidence,
        tuple(sorted(affected)),
        None if reason in (r.FLAPPING, r.RECOVERING) else _bad_since_ms(seen_ms, flaps.get((kind, subject))) + hold_ms,
        hold_ms,
    )


def _bad_since_ms(seen_ms: int, flap: Flap | None) -> int:
    """What flaps is shown as not well all the while: to be told of, it must have stayed bad since it last was well."""
    return max(seen_ms, flap.at_ms) if flap is not None and flap.is_flapping and flap.is_bad else seen_ms


def _by_its_hosts(site: _Part, parts: list[_Part]) -> _Part:
    """A site whose hosts fell silent together, or were lost after its building began to fail."""
    lost = next((part for part in parts if any(fact.code == WENT_BEFORE for fact in part.evidence)), None)
    if lost is None and site.reason not in OF_HOSTS:
        return site
    since_ms = min(part.since_ms for part in parts)
    if lost is not None:
        evidence = (*lost.evidence, *(fact for fact in site.evidence if fact not in lost.evidence))
        return _Part("site", site.id, (site.state, since_ms, r.BUILDING_FAILING), "", evidence)
    reason = r.HOSTS_DOWN if site.reason == r.HOSTS_DOWN else r.HOSTS_SILENT
    return _Part("site", site.id, (site.state, since_ms, reason), "", parts[0].evidence)


def _root_of(kind: str, subject: str, standing: Standing) -> _Part | None:
    """The root where it stands well by itself, or is told elsewhere."""
    books: Mapping[str, Mapping[str, Any]] = {
        "site": standing.sites,
        "host": standing.hosts,
        "link": standing.links,
        "hub": standing.hubs,
        "system": standing.systems,
    }
    found = books.get(kind, {}).get(subject)
    if found is None or found.state == OK:
        return None
    return _Part(kind, subject, found[:3], found.cause, found.evidence)


def _hold_ms(kind: str, subject: str, reason: str, index: Index, standing: Standing, pace: Pace) -> int:
    """A host that says itself what fails has no parent to wait for, but where that is looked at with each report only, one
    look is no proof of half a minute: the next one must have had the time to come."""
    fleet = index.fleet
    entry = fleet.hosts.get(subject) if kind == "host" else None
    if entry is not None and reason == r.CHECKS_FAILING:
        failing = standing.hosts[subject].failing
        is_quick = any(each.state == CRITICAL and each.check.startswith(QUICK_CHECKS) for each in failing)
        return HOLD_DOWN_MS if is_quick else max(HOLD_DOWN_MS, pace.of_host(entry) + LATE_MS)
    place = fleet.sites.get(subject if kind == "site" else entry.site if entry is not None else "")
    if place is None or not place.hub:
        return HOLD_DOWN_MS
    every_ms = pace.of_host(entry) if entry is not None else pace.site_ms[place.id]
    hold_ms = max(HOLD_DOWN_MS, PARENT_INTERVALS * every_ms)
    # Too few behind it for their common silence to tell of their hub: it has to be missed itself first.
    is_hub_of_few = len(index.sites_by_hub.get(place.hub, ())) < TOGETHER_LEAST
    if kind == "site" and reason in (r.SILENT, r.AGENT_DOWN) and is_hub_of_few:
        return max(hold_ms, HEARTBEAT_MS + LATE_MS - (STALE_INTERVALS - 1) * every_ms)
    return hold_ms
