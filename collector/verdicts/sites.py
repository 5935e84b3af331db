"""Why a site stands as it does: the order of the questions is the judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.link.names import STALE_INTERVALS
from collector.fleet.paths import PRIMARY
from collector.fleet.registry import Fleet, Site
from collector.verdicts import reasons as r
from collector.verdicts.evidence import Window
from collector.verdicts.finding import Finding
from collector.verdicts.index import Index
from collector.verdicts.memory import Memory
from collector.verdicts.past import RawSite
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, OK, STATES, Fact, Recorded
from collector.verdicts.votes import Tally
from collector.verdicts.work import behind_work, in_window

COLLECTOR = "collector:self"
TOGETHER_MS_PER_INTERVAL = 2
LOST_HOSTS = frozenset({(DEGRADED, r.HOSTS_SILENT), (DEGRADED, r.HOSTS_DOWN)})


@dataclass(frozen=True, slots=True)
class Around:
    """What a site's verdict needs to know of everything else."""

    fleet: Fleet
    index: Index
    memory: Memory
    now_ms: int
    blind: tuple[Fact, ...]
    hubs: Mapping[str, Finding]
    links: Mapping[str, Finding]
    windows: Mapping[tuple[str, str], Window]
    cut_off: Mapping[str, Window]
    """Sites all of whose lines are in agreed work."""
    interval_ms: Mapping[str, int]
    """Between the reports of a site."""
    is_starting: bool
    """Whether who is silent may only have had no time to report since the collector started."""


def find_site(site: Site, raw: RawSite, tally: Tally, recorded: Recorded | None, around: Around) -> Finding:
    window = around.windows.get(("site", site.id))
    if window is not None:
        return in_window(window)
    if raw.state != NO_DATA:
        found = _current(site, raw, around)
        is_awaited = around.is_starting and found.reason == r.CHECKS_FAILING and raw.hosts[NO_DATA] > 0
        if is_awaited and recorded is not None and (recorded.state, recorded.reason) in LOST_HOSTS:
            return Finding(DEGRADED, recorded.reason, recorded.cause)
        return found
    if raw.reason in r.SELF_EXPLAINED:
        return Finding(raw.state, raw.reason)
    return _silent(site, raw, tally, recorded, around)


def _silent(site: Site, raw: RawSite, tally: Tally, recorded: Recorded | None, around: Around) -> Finding:
    """Nothing of it is current."""
    last_ms = raw.last_report_ms or 0
    facts = (Fact("last_report", site.id, "", raw.last_report_ms), *tally.facts(f"site:{site.id}"))
    if around.blind:
        return Finding(NO_DATA, r.COLLECTOR_BLIND, COLLECTOR, (*around.blind, facts[0]))
    power = _battery_facts(site, last_ms, around)
    cut_off = around.cut_off.get(site.id)
    if cut_off is not None and not power and not _was_out_before(site, last_ms, cut_off, recorded, around):
        lines = around.index.links_by_site[site.id]
        worked = tuple(Fact("link_state", link.id, STATES[MAINTENANCE]) for link in lines)
        return behind_work(f"maintenance:{cut_off.id}", (*worked, facts[0]))
    was_down = recorded is not None and recorded.state == DOWN
    if was_down and recorded is not None and not tally.is_reachable and not tally.is_confirmed_down:
        # Confirmed once; that nobody can look any more is no evidence that it came back.
        return Finding(DOWN, recorded.reason, recorded.cause, _kept(site, around) or facts)
    hub = _hub_cause(site, last_ms, around)
    if tally.is_confirmed_down or (power and not hub and not tally.is_reachable):
        return Finding(DOWN, _why_down(site, last_ms, power, around), "", (*power, *facts))
    if hub:
        found = around.hubs[site.hub]
        if found.state == MAINTENANCE:
            return behind_work(found.cause, (*found.evidence[1:3], facts[0]))
        return Finding(NO_DATA, r.HUB_AFFECTED, hub, (*found.evidence[:3], facts[0]))
    parent = _recovering_parent(site, last_ms, around)
    if parent:
        recovered = Fact("recovered", parent, "", around.memory.recovered[parent])
        return Finding(NO_DATA, r.RECOVERING, parent, (recovered, facts[0]))
    if tally.is_reachable:
        return Finding(NO_DATA, r.AGENT_DOWN, "", facts)
    return Finding(NO_DATA, r.SILENT, "", facts)


def _was_out_before(site: Site, last_ms: int, window: Window, recorded: Recorded | None, around: Around) -> bool:
    """Whether it was silent before the work on its lines began, and not because of these lines."""
    if recorded is None or recorded.state not in (NO_DATA, DOWN):
        return False
    if recorded.cause in {f"link:{link.id}" for link in around.index.links_by_site.get(site.id, ())}:
        return False
    return last_ms < window.began_ms - TOGETHER_MS_PER_INTERVAL * around.interval_ms[site.id]


def _current(site: Site, raw: RawSite, around: Around) -> Finding:
    power = _battery_facts(site, raw.last_report_ms or 0, around)
    if power:
        return Finding(DEGRADED, r.ON_BATTERY, "", power)
    for link in around.index.links_by_site.get(site.id, ()):
        found = around.links.get(link.id)
        if found is not None and link.role == PRIMARY and found.state == DOWN:
            cause = found.cause or f"link:{link.id}"
            return Finding(DEGRADED, r.ON_BACKUP, cause, (Fact("link_state", link.id, "down"), *found.evidence))
    if raw.state == OK:
        for link in around.index.links_by_site.get(site.id, ()):
            found = around.links.get(link.id)
            if (
                found is not None
                and found.state == DEGRADED
                and found.reason not in (r.ONE_PATH, r.BACKUP_UNTESTED, r.FLAPPING)
            ):
                return Finding(DEGRADED, r.LINK_DEGRADED, found.cause or f"link:{link.id}", found.evidence)
    return Finding(raw.state, raw.reason)


def _why_down(site: Site, last_ms: int, power: tuple[Fact, ...], around: Around) -> str:
    """Power by the UPS' last word; the line where the UPS said that the mains were well, or the line was failing before."""
    if power:
        return r.POWER
    hosts = around.fleet.hosts_by_site.get(site.id, ())
    recent_ms = last_ms - STALE_INTERVALS * around.interval_ms[site.id]
    had_mains = any(around.memory.mains.get(host, -1) >= recent_ms for host in hosts)
    links = around.index.links_by_site.get(site.id, ())
    is_cut = any((found := around.links.get(link.id)) is not None and found.state == DOWN for link in links)
    return r.UPLINK if is_cut and had_mains else r.UNREACHABLE


def _battery_facts(site: Site, last_ms: int, around: Around) -> tuple[Fact, ...]:
    """UPSes that were the site's last word about its power."""
    slack_ms = STALE_INTERVALS * around.interval_ms[site.id]
    return tuple(
        Fact("on_battery", host, "", at_ms)
        for host in around.fleet.hosts_by_site.get(site.id, ())
        if (at_ms := around.memory.battery.get(host)) is not None and at_ms >= last_ms - slack_ms
    )


def _hub_cause(site: Site, last_ms: int, around: Around) -> str:
    """The site's hub where that is out and the site fell silent no earlier than with it."""
    since_ms = around.memory.suspected.get(site.hub) if site.hub else None
    if since_ms is None:
        return ""
    slack_ms = TOGETHER_MS_PER_INTERVAL * around.interval_ms[site.id]
    return f"hub:{site.hub}" if last_ms >= since_ms - slack_ms else ""


def _recovering_parent(site: Site, last_ms: int, around: Around) -> str:
    """A parent that came back so recently that the site had no time to report anew."""
    patience_ms = STALE_INTERVALS * around.interval_ms[site.id]
    for parent in (f"hub:{site.hub}", COLLECTOR, f"site:{site.id}"):
        at_ms = around.memory.recovered.get(parent)
        if at_ms is not None and last_ms < at_ms and around.now_ms < at_ms + patience_ms:
            return parent
    return ""


def _kept(site: Site, around: Around) -> tuple[Fact, ...]:
    return around.memory.facts.get(("site", site.id), ())
