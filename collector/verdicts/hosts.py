"""Why a host or an agent stands as it does."""

from __future__ import annotations

from collections.abc import Mapping

from agent.link.names import CRITICAL, WARNING
from collector.fleet.registry import Agent, Fleet, HostEntry
from collector.verdicts import reasons as r
from collector.verdicts.evidence import Window
from collector.verdicts.finding import Finding
from collector.verdicts.heard import HeardAgent, HeardHost, Hearing
from collector.verdicts.index import Index
from collector.verdicts.senses import Senses
from collector.verdicts.standing import DOWN, MAINTENANCE, NO_DATA, Fact, SiteStanding
from collector.verdicts.votes import Tally
from collector.verdicts.work import in_window

UPS_CHECKS = "ups:"


def own_findings(
    fleet: Fleet, index: Index, hearing: Hearing, senses: Senses, windows: Mapping[tuple[str, str], Window]
) -> dict[str, Finding]:
    """Of hosts in agreed work, and of silent ones that somebody looks at."""
    asked = {host for kind, host in windows if kind == "host"}
    asked |= {host for host in index.at_host if hearing.hosts[host].speaker is None}
    found = {}
    for host in asked:
        entry = fleet.hosts.get(host)
        if entry is not None:
            tally = senses.tally(index.at_host.get(host, ()))
            finding = own_finding(entry, hearing.hosts[host], tally, windows.get(("host", host)))
            if finding is not None:
                found[host] = finding
    return found


def own_finding(entry: HostEntry, heard: HeardHost, tally: Tally, window: Window | None) -> Finding | None:
    """What is known of a host beyond its reports; None where that is nothing.

    One neighbour at the same site is enough to call it down: the way there is short, and the agent next door is heard.
    """
    if window is not None:
        return in_window(window)
    if heard.speaker is not None or heard.reason != r.SILENT:
        return None
    facts = (Fact("last_report", entry.id, "", heard.last_report_ms), *tally.facts(f"host:{entry.id}"))
    if tally.is_confirmed_down or (entry.site in tally.failed and not tally.reached):
        return Finding(DOWN, r.UNREACHABLE, "", facts)
    if tally.is_reachable:
        return Finding(NO_DATA, r.AGENT_DOWN, f"agent:{entry.agent_id.hex()}" if entry.agent_id else "", facts)
    return None


def find_host(
    entry: HostEntry,
    heard: HeardHost,
    own: Finding | None,
    site: SiteStanding,
    owns: Mapping[str, Finding],
    factor: tuple[str, Fact] | None,
) -> Finding:
    """``owns``: what is known of other hosts, for the devices it is behind; ``factor``: what it shares with others."""
    if own is not None and own.state == MAINTENANCE:
        return own
    if site.state == MAINTENANCE:
        return Finding(MAINTENANCE, site.reason, site.cause, site.evidence)
    if heard.speaker is not None or heard.reason in r.SELF_EXPLAINED:
        is_by_power = site.reason == r.ON_BATTERY and _fails_by_power(heard)
        return Finding(heard.state, heard.reason, f"site:{entry.site}" if is_by_power else "")
    last = Fact("last_report", entry.id, "", heard.last_report_ms)
    if site.state == DOWN or (site.state == NO_DATA and site.cause):
        return Finding(NO_DATA, r.BEHIND, site.cause or f"site:{entry.site}", (last,))
    if site.state == NO_DATA and site.reason not in r.SELF_EXPLAINED and own is None:
        return Finding(heard.state, heard.reason, f"site:{entry.site}", (last,))
    for device in entry.behind:
        found = owns.get(device)
        if found is not None and found.state == DOWN:
            return Finding(NO_DATA, r.BEHIND, f"host:{device}", (last, *found.evidence))
    if own is not None and factor is not None:
        state, reason = (own.state, own.reason) if own.state == DOWN else (NO_DATA, r.COMMON_FACTOR)
        return Finding(state, reason, factor[0], (factor[1], *own.evidence))
    if own is not None:
        return own
    if factor is not None:
        return Finding(NO_DATA, r.COMMON_FACTOR, factor[0], (factor[1], last))
    return Finding(heard.state, heard.reason, "", (last,))


def _fails_by_power(heard: HeardHost) -> bool:
    """Whether nothing of it fails but the UPS that its site runs on."""
    failing = [each.check for each in heard.failing if each.state in (WARNING, CRITICAL)]
    return heard.reason == r.CHECKS_FAILING and all(check.startswith(UPS_CHECKS) for check in failing)


def find_agent(agent: Agent, heard: HeardAgent, own: Finding | None, site: SiteStanding | None) -> Finding:
    """``own``: what is known of the host it runs on."""
    if heard.reason not in (r.SILENT, r.LATE) or site is None:
        return Finding(heard.state, heard.reason)
    if site.state == DOWN or (site.state == NO_DATA and site.cause):
        return Finding(heard.state, heard.reason, site.cause or f"site:{agent.site}")
    if own is not None and own.reason == r.AGENT_DOWN:
        return Finding(DOWN, r.AGENT_DOWN, "", own.evidence)
    if own is not None and own.state == DOWN:
        return Finding(heard.state, heard.reason, f"host:{agent.host}")
    return Finding(heard.state, heard.reason, f"site:{agent.site}" if site.state == NO_DATA else "")
