"""Signals from verdicts' causes: how grave each is, and how much longer than verdicts' own hold-down one waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from collector.fleet.registry import Fleet
from collector.incidents.one_cut import as_one_cut
from collector.incidents.signal import CRITICAL, INFO, VERDICT, WARNING, Signal
from collector.verdicts import reasons as r
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, Cause, Fact, FailingCheck, Standing

WAITS_MS: Mapping[str, int] = {"host": 0, "agent": 0, "link": 120_000, "interface": 120_000}
"""From its beginning, where that is longer than verdicts' own hold-down."""
DEGRADED_MS = 300_000
CHECK_CRITICAL = 2
CHECK_FACTS = {1: "check_warning", CHECK_CRITICAL: "check_critical"}
MOST_CHECKS = 20
WIDE = frozenset({"hub", "carrier", "cable", "facility", "device", "collector"})
"""One of these is one disturbance however much lies behind it."""
HOSTS_OUT = frozenset({r.HOSTS_SILENT, r.HOSTS_DOWN, r.BUILDING_FAILING})
"""Many hosts of one site at once, or the first of many."""
OF_CHECKS = frozenset({r.CHECKS_FAILING, r.ON_BATTERY})
"""Where what checks say belongs to the evidence: of a site on battery, what its UPS says."""
IN_WINDOW = frozenset({r.UNDER_MAINTENANCE, r.PLANNED_SHUTDOWN})
GRAVE_GRADES = frozenset({1, 2})


class _Weight(NamedTuple):
    severity: str
    wait_ms: int


def verdict_signals(standing: Standing, fleet: Fleet, hold_seconds: int = 0) -> list[Signal]:
    """One for each cause; lines of one site that are cut at once are one. ``hold_seconds``: the least a cause has to stay
    before anybody is told; its own hold-down may be longer."""
    held = [_held(cause, hold_seconds * 1000) for cause in standing.causes.values()]
    return as_one_cut([_signal(cause, standing, fleet) for cause in held], fleet)


def _held(cause: Cause, hold_ms: int) -> Cause:
    if hold_ms <= cause.hold_ms or cause.due_ms is None:
        return cause
    return cause._replace(due_ms=cause.due_ms + hold_ms - cause.hold_ms, hold_ms=hold_ms)


def is_unjudged(standing: Standing) -> bool:
    """Whether nothing can be concluded yet, for this collector has just started."""
    if standing.at_ms >= standing.judged_from_ms > 0:
        return False
    return standing.at_ms == 0 or any(host.reason == r.STARTING for host in standing.hosts.values())


def is_worked_on(standing: Standing, kind: str, name: str) -> bool:
    """Whether it is in an agreed window itself: what it would be without is not known."""
    books: Mapping[str, Mapping[str, Any]] = {
        "site": standing.sites,
        "host": standing.hosts,
        "link": standing.links,
        "hub": standing.hubs,
    }
    found = books.get(kind, {}).get(name)
    return found is not None and found.state == MAINTENANCE and found.reason in IN_WINDOW


def _signal(cause: Cause, standing: Standing, fleet: Fleet) -> Signal:
    kind, _, name = cause.id.partition(":")
    own = ((kind, name), *cause.affected)
    systems = [id_ for what, id_ in own if what == "system" and id_ in standing.systems]
    down = tuple(sorted(id_ for id_ in systems if standing.systems[id_].state in (DOWN, NO_DATA)))
    failing = _failing(cause, kind, name, standing)
    weight = _weight(cause, kind, failing, carries_grave=kind == "link" and _carries_grave(name, fleet))
    grave = [id_ for id_ in systems if id_ in fleet.systems and fleet.systems[id_].grade in GRAVE_GRADES]
    # One silent host may only have lost its agent; a third of a site's hosts have not.
    if any(standing.systems[id_].state == DOWN or cause.reason in HOSTS_OUT for id_ in grave):
        weight = _Weight(CRITICAL, 0)
    site, agency = _place(kind, name, fleet)
    due_ms = None if cause.due_ms is None else max(cause.due_ms, cause.since_ms + weight.wait_ms)
    return Signal(
        key=cause.id,
        source=VERDICT,
        severity=weight.severity,
        subject=(kind, name),
        site=site,
        agency=agency,
        reason=cause.reason,
        since_ms=cause.since_ms,
        due_ms=due_ms,
        affected=cause.affected,
        evidence=(*cause.evidence, *_facts_of(failing if cause.reason in OF_CHECKS else ())),
        labels=(),
        annotations=(),
        is_active=True,
        hides=cause.state in (NO_DATA, DOWN) or kind in WIDE,
        down=down,
        hold_ms=cause.hold_ms,
    )


def _failing(cause: Cause, kind: str, name: str, standing: Standing) -> tuple[FailingCheck, ...]:
    """Checks that fail by it: its own, or those of the hosts behind it."""
    if cause.reason == r.ON_BATTERY:
        behind = (standing.hosts[id_] for what, id_ in cause.affected if what == "host" and id_ in standing.hosts)
        return tuple(check for host in behind for check in host.failing)
    return standing.hosts[name].failing if kind == "host" and name in standing.hosts else ()


def _facts_of(failing: Iterable[FailingCheck]) -> list[Fact]:
    """What fails and what it says, the worst first. What is unknown fails nothing."""
    found = sorted((one for one in failing if one.state in CHECK_FACTS), key=lambda one: (-one.state, one.since_ms))
    return [Fact(CHECK_FACTS[one.state], one.check, one.text, one.since_ms) for one in found[:MOST_CHECKS]]


def _carries_grave(link: str, fleet: Fleet) -> bool:
    """Whether a line leads to hosts of a system of one of the highest grades."""
    hosts = set(fleet.hosts_by_site.get(fleet.links[link].site, ())) if link in fleet.links else set()
    return any(system.grade in GRAVE_GRADES and not hosts.isdisjoint(system.hosts) for system in fleet.systems.values())


def _weight(cause: Cause, kind: str, failing: Iterable[FailingCheck], *, carries_grave: bool) -> _Weight:
    is_gone = cause.state in (DOWN, NO_DATA)
    if kind == "collector":
        return _Weight(CRITICAL, 0)
    if kind in ("host", "agent", "link", "interface"):
        if cause.reason == r.CHECKS_FAILING:
            # How long a check may be in warning, rules say; until then it is only to be seen.
            return _Weight(CRITICAL if any(each.state == CHECK_CRITICAL for each in failing) else INFO, 0)
        # Everything looks green, and nothing of any size passes: nobody would see it by themselves.
        is_grave = carries_grave and cause.reason == r.LARGE_PACKETS_LOST
        return _Weight(CRITICAL if is_grave else WARNING, WAITS_MS[kind])
    if is_gone or (cause.reason == r.ON_BATTERY and any(each.state == CHECK_CRITICAL for each in failing)):
        return _Weight(CRITICAL, 0)
    wait_ms = DEGRADED_MS if cause.state == DEGRADED and cause.reason not in HOSTS_OUT | {r.ON_BATTERY} else 0
    return _Weight(WARNING, wait_ms)


def _place(kind: str, name: str, fleet: Fleet) -> tuple[str, str]:
    """(site, agency); empty where it belongs to no one alone."""
    if kind == "agent":
        agent = next((each for each in fleet.agents.values() if each.id.hex() == name), None)
        kind, name = ("host", agent.host) if agent is not None else ("", "")
    if kind == "host" and name in fleet.hosts:
        host = fleet.hosts[name]
        return host.site, "" if host.is_shared else host.agency
    if kind == "site" and name in fleet.sites:
        return name, fleet.sites[name].agency
    if kind == "system" and name in fleet.systems:
        return "", fleet.systems[name].agency
    if kind == "link" and name in fleet.links:
        site = fleet.links[name].site
        return site, fleet.sites[site].agency if site in fleet.sites else ""
    return "", ""
