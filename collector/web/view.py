"""What the board shows, from fleet, live numbers and verdicts: values only, no words, no markup.

States are the fleet's codes (0 ok, 1 maintenance, 2 no data, 3 degraded, 4 down), so the largest is the worst. What has
not been judged is "no data": nothing here can turn silence into ok.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.fleet.registry import Fleet, HostEntry, Named, Site
from collector.store.scope import Scope
from collector.verdicts.standing import (
    DEGRADED,
    DOWN,
    MAINTENANCE,
    NO_DATA,
    OK,
    AgentStanding,
    Fact,
    FailingCheck,
    HostStanding,
    PlaceStanding,
    SiteStanding,
    Standing,
)

if TYPE_CHECKING:
    from collector.live.board import Live

WORST_FIRST = (DOWN, DEGRADED, NO_DATA, MAINTENANCE, OK)
CHECK_RANK = {2: 0, 1: 1, 3: 2, 0: 3}
"""Check states in the order people want them: critical, warning, unknown, ok."""
UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict as a page needs it."""

    state: int
    since_ms: int | None
    reason: str
    cause: str = ""
    evidence: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site on the board, without what changes on every report."""

    site: Site
    hub: Named | None
    agency: Named | None
    verdict: Judged
    hosts: tuple[int, int, int, int, int]
    """Number of hosts by state code."""
    checks: int
    failing: tuple[FailingCheck, ...]

    @property
    def host_total(self) -> int:
        return sum(self.hosts)


@dataclass(frozen=True, slots=True)
class Group:
    """The sites of a hub, worst first; ``hub`` None = sites that report to the centre directly."""

    hub: Named | None
    rows: tuple[SiteRow, ...]

    @property
    def id(self) -> str:
        return self.hub.id if self.hub else ""

    @property
    def worst(self) -> int:
        return max((row.verdict.state for row in self.rows), default=OK)


def judged(found: SiteStanding | HostStanding | AgentStanding | PlaceStanding | None) -> Judged:
    """A verdict for a page; "no data, not judged" where there is none."""
    if found is None:
        return Judged(NO_DATA, None, UNJUDGED)
    return Judged(found.state, found.since_ms, found.reason, found.cause, found.evidence)


def visible_hosts(fleet: Fleet, site: Site, scope: Scope) -> tuple[HostEntry, ...]:
    """The hosts of a site this scope may see."""
    hosts = (fleet.hosts[host] for host in fleet.hosts_by_site.get(site.id, ()))
    return tuple(host for host in hosts if scope.allows(host.agency, site.id))


def visible_sites(fleet: Fleet, scope: Scope) -> dict[str, Site]:
    """Sites of the scope's agencies, and sites where one of them has a host."""
    return {
        site.id: site
        for site in fleet.sites.values()
        if scope.allows(site.agency, site.id) or visible_hosts(fleet, site, scope)
    }


def check_order(line: FailingCheck) -> tuple[int, int, str, str]:
    return (CHECK_RANK.get(line.state, 2), line.since_ms, line.host, line.check)


def site_rows(fleet: Fleet, live: Live, standing: Standing, scope: Scope) -> dict[str, SiteRow]:
    """A row for every site the scope may see, in the fleet's order."""
    return {site.id: site_row(fleet, live, standing, scope, site) for site in visible_sites(fleet, scope).values()}


def site_row(fleet: Fleet, live: Live, standing: Standing, scope: Scope, site: Site) -> SiteRow:
    counts = [0, 0, 0, 0, 0]
    checks = 0
    failing: list[FailingCheck] = []
    for host in visible_hosts(fleet, site, scope):
        found = standing.hosts.get(host.id)
        counts[found.state if found is not None else NO_DATA] += 1
        known = live.hosts.get(host.id)
        checks += len(known.checks) if known is not None else 0
        if found is not None and found.state != NO_DATA:  # what a silent host said last is not how it is
            failing += found.failing
    verdict = judged(standing.sites.get(site.id))
    if not scope.allows(site.agency, site.id):
        verdict = _of_guest(verdict, counts)
    return SiteRow(
        site,
        fleet.hubs.get(site.hub),
        fleet.agencies.get(site.agency),
        verdict,
        (counts[0], counts[1], counts[2], counts[3], counts[4]),
        checks,
        tuple(sorted(failing, key=check_order)),
    )


def _of_guest(verdict: Judged, counts: list[int]) -> Judged:
    """An agency with hosts at somebody else's site sees the state of its own hosts there, not of its neighbours'."""
    worst = max((state for state, count in enumerate(counts) if count), default=NO_DATA)
    return (
        Judged(verdict.state, verdict.since_ms, verdict.reason) if worst == verdict.state else Judged(worst, None, "")
    )


def groups(rows: Iterable[SiteRow]) -> tuple[Group, ...]:
    """Rows by hub: the hub with the worst site first, in it the worst site first; ties by id, so nothing jumps."""
    by_hub: dict[str, list[SiteRow]] = {}
    for row in rows:
        by_hub.setdefault(row.site.hub, []).append(row)
    made = [
        Group(members[0].hub, tuple(sorted(members, key=lambda row: (-row.verdict.state, row.site.id))))
        for members in by_hub.values()
    ]
    return tuple(sorted(made, key=lambda group: (-group.worst, group.id == "", group.id)))


def counts_by_state(rows: Iterable[SiteRow]) -> tuple[int, int, int, int, int]:
    """Number of sites by state code."""
    counts = [0, 0, 0, 0, 0]
    for row in rows:
        counts[row.verdict.state] += 1
    return (counts[0], counts[1], counts[2], counts[3], counts[4])


def matches(row: SiteRow, query: str, state: int | None) -> bool:
    """Whether a row passes the filter; ``query`` is looked for in id, names, hub and agency, case aside."""
    return (state is None or row.verdict.state == state) and query.casefold() in haystack(row)


def haystack(row: SiteRow) -> str:
    """What the filter searches, here and in the browser."""
    named = [row.site, row.hub, row.agency]
    return " ".join(part for n in named if n is not None for part in (n.id, n.name_ko, n.name_en)).casefold()


def last_report_ms(fleet: Fleet, live: Live, site: str) -> int | None:
    """When anything of a site was last received, by the collector's clock."""
    times = [live.agents[agent].received_at_ms for agent in fleet.agents_by_site.get(site, ()) if agent in live.agents]
    times += [live.hosts[host].received_at_ms for host in fleet.hosts_by_site.get(site, ()) if host in live.hosts]
    return max(times, default=None)
