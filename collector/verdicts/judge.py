"""From evidence to verdicts: one pure function, so that every situation is a row in a test's table.

The order is the judgement: what was heard; what hosts saw of each other; whether it is us; lines; hubs; sites; hosts and
agents behind them; systems on top. Each step looks only at what moved, and at what is not as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.availability import accumulate
from collector.verdicts.blindness import blindness
from collector.verdicts.causes import gather_causes
from collector.verdicts.conclude import Conclusions
from collector.verdicts.evidence import Evidence
from collector.verdicts.factors import common_factors
from collector.verdicts.finding import Finding
from collector.verdicts.grace import in_grace, make_grace
from collector.verdicts.heard import hear, silent_hosts
from collector.verdicts.hosts import find_agent, find_host, own_findings
from collector.verdicts.index import make_index
from collector.verdicts.links import judge_link
from collector.verdicts.news import news
from collector.verdicts.parents import Parents
from collector.verdicts.past import Judged, Past, RawSite, Working
from collector.verdicts.raw_sites import raw_site
from collector.verdicts.senses import Senses
from collector.verdicts.services import judge_services
from collector.verdicts.sharing import link_to_sites, share_causes, share_devices, share_sites
from collector.verdicts.sites import COLLECTOR, Around, find_site
from collector.verdicts.standing import (
    DEGRADED,
    DOWN,
    MAINTENANCE,
    NO_DATA,
    AgentStanding,
    HostStanding,
    PlaceStanding,
    SiteStanding,
    Standing,
)
from collector.verdicts.votes import Tally
from collector.verdicts.work import cut_off, in_window, worked_links

LINK_FACTOR_REASONS = frozenset({r.UNREACHABLE, r.LARGE_PACKETS_LOST, r.LOSSY, r.SLOW})


def judge(fleet: Fleet, evidence: Evidence, now_ms: int, past: Past, started_at_ms: int) -> Judged:
    """Everything concluded now, and what of it differs from the rows. ``past`` is not changed."""
    return _Judgement(fleet, evidence, now_ms, past, started_at_ms).run()


class _Judgement:
    """One run of ``judge``: what its steps share."""

    def __init__(self, fleet: Fleet, evidence: Evidence, now_ms: int, past: Past, started_at_ms: int) -> None:
        self.fleet, self.now_ms, self.past, self.started_at_ms = fleet, now_ms, past, started_at_ms
        self.windows = evidence.windows
        is_same = past.index is not None and past.index.fleet is fleet
        self.is_anew = not is_same or now_ms < past.standing.at_ms
        self.index = past.index if is_same and past.index is not None else make_index(fleet)
        self.worked = worked_links(self.windows, fleet)
        self.cut_off = cut_off(self.windows, self.worked, self.index)
        self.maintained = frozenset(site for kind, site in self.windows if kind == "site").union(self.cut_off)
        """Sites in agreed work, themselves or all their lines."""
        known = past.memory
        self.hearing = hear(fleet, evidence, now_ms, past.hearing, started_at_ms, known.silent, known.slow)
        self.pace = self.hearing.pace
        self.senses = Senses(fleet, self.index, self.hearing, past.working, past.memory)
        self.memory = replace(
            self.senses.memory,
            hubs={**past.memory.hubs, **evidence.hub_seen_ms},
            silent=silent_hosts(past.memory.silent, self.hearing),
            slow=self.pace.slow,
        )
        self.out = Conclusions(past.books, past.memory.flaps, past.memory.facts, now_ms, started_at_ms)
        self.grace = make_grace(self.index, self.pace, started_at_ms)
        self.fresh_sites: dict[str, int] = {}
        """Sites of which only the time of the last report is new."""

    def run(self) -> Judged:
        past, before = self.past, self.past.standing
        own = own_findings(self.fleet, self.index, self.hearing, self.senses, self.windows)
        raw = self._raw_sites(own)
        was_blind = COLLECTOR in past.memory.suspected
        senses, own_sites = self.senses, self.index.own_sites
        every = self.pace.site_ms
        blind = blindness(self.fleet, own_sites, raw, senses.mute, senses.sound, every, was_blind=was_blind)
        links = self._links(raw)
        began = (self.now_ms, self.started_at_ms)
        parents = Parents(self.fleet, self.index, self.senses, raw, every, self.maintained, self.windows, *began)
        hubs, self.memory = parents.judge(self.memory, blind, before.maintained_sites, past.books["hub"])
        around = Around(
            self.fleet, self.index, self.memory, self.now_ms, blind, hubs, links, self.windows, self.cut_off, every,
            self.now_ms < self.grace.ends_ms,
        )  # fmt: skip
        sites, changed_sites, special = self._sites(raw, around, links)
        hosts, changed_hosts, loose = self._hosts(own, sites, changed_sites)
        systems, interfaces = judge_services(
            self.fleet, self.index, sites, hosts, self.hearing, self.windows, changed_hosts, past.working.systems,
            is_anew=self.is_anew,
        )  # fmt: skip
        standing = Standing(
            self.now_ms,
            self.fleet.version,
            sites,
            hosts,
            self._agents(own, sites, changed_sites, loose),
            *accumulate(before.sites, before.eligible_seconds, before.downtime_seconds, before.at_ms, self.now_ms),
            hubs=self._places("hub", hubs, {}, before.hubs),
            links=self._places("link", links, past.working.links, before.links),
            systems=self._places("system", systems, past.working.systems, before.systems),
            interfaces=self._places("interface", interfaces, {}, before.interfaces),
            maintained_sites=self.maintained,
            judged_from_ms=self.grace.ends_ms,
            started_at_ms=self.started_at_ms,
        )
        sums = (before.system_eligible_seconds, before.system_downtime_seconds)
        counted = accumulate(before.systems, *sums, before.at_ms, self.now_ms)
        standing = replace(standing, system_eligible_seconds=counted[0], system_downtime_seconds=counted[1])
        standing = replace(standing, causes=gather_causes(self.index, standing, self.pace, self.out.flaps))
        memory = replace(self.memory, flaps=self.out.flaps, facts=self.out.facts)
        working = Working(own, raw, special, links, systems, senses.current, senses.mute, loose)
        return Judged(standing, self.out.changes, memory, self.hearing, self.index, working, self.senses.says_anew)

    def _raw_sites(self, own: dict[str, Finding]) -> dict[str, RawSite]:
        before = self.past.working
        moved = {self.fleet.hosts[host].site for host in self.hearing.moved_hosts}
        moved |= {self.fleet.agents[agent].site for agent in self.hearing.moved_agents}
        for host in own.keys() | before.own.keys():
            if own.get(host) != before.own.get(host) and host in self.fleet.hosts:
                moved.add(self.fleet.hosts[host].site)
        self.moved_sites = set(self.fleet.sites) if self.is_anew else moved
        found = {} if self.is_anew else dict(before.raw_sites)
        for site in self.moved_sites:
            found[site] = raw_site(site, self.fleet, self.hearing, own)
        heard, hosts = self.hearing.hosts, self.fleet.hosts
        for host in self.hearing.fresh_hosts:
            site, last_ms = hosts[host].site, heard[host].last_report_ms or 0
            if last_ms > self.fresh_sites.get(site, 0) and site not in self.moved_sites:
                self.fresh_sites[site] = last_ms
        for site, last_ms in self.fresh_sites.items():
            found[site] = found[site]._replace(last_report_ms=last_ms)
        return found

    def _links(self, raw: dict[str, RawSite]) -> dict[str, Finding]:
        before = self.past.working
        turned = {
            site
            for site in self.moved_sites
            if self.is_anew or (before.raw_sites[site].state == NO_DATA) != (raw[site].state == NO_DATA)
        }
        dirty: Iterable[str] = self.fleet.links
        found: dict[str, Finding] = {}
        if not self.is_anew:
            found = dict(before.links)
            asked = {link.id for site in turned for link in self.index.links_by_site.get(site, ())}
            asked |= {link for link in self.senses.touched_links if link in self.fleet.links}
            asked |= {link.id for link in self.fleet.links.values() if link.test_days}
            # What shares a cause with others is asked anew: the others may be well by now.
            asked |= {link for link, finding in before.links.items() if finding.cause}
            asked |= {link.id for site in self.maintained for link in self.index.links_by_site.get(site, ())}
            asked |= self.worked
            dirty = asked
        carried = dict(self.memory.carried)
        for name in dirty:
            link = self.fleet.links[name]
            probes = self.index.at_link.get(name, ())
            tally = self.senses.tally(probes)
            is_alone = len(self.index.links_by_site[link.site]) == 1 and raw[link.site].state != NO_DATA
            if link.test_days and (tally.is_reachable or name not in carried):
                carried[name] = self.now_ms
            window = self.windows.get(("site", link.site)) or self.windows.get(("link", name))
            if window is not None:
                found[name] = in_window(window)
                continue
            found[name] = judge_link(link, probes, tally, self.senses.paths, is_alone, carried.get(name), self.now_ms)
        self.memory = replace(self.memory, carried=carried)
        bad = {
            name: self._began_ms("link", name)
            for name, finding in found.items()
            if finding.state in (DEGRADED, DOWN) and finding.reason in LINK_FACTOR_REASONS
        }
        for name, (factor, fact) in common_factors(bad, self.index.links_by_factor).items():
            found[name] = found[name]._replace(cause=factor, evidence=(fact, *found[name].evidence))
        return found

    def _began_ms(self, kind: str, subject: str) -> int:
        recorded = self.past.books[kind].get(subject)
        return recorded.since_ms if recorded is not None and recorded.state in (DEGRADED, DOWN) else self.now_ms

    def _sites(
        self, raw: dict[str, RawSite], around: Around, links: dict[str, Finding]
    ) -> tuple[dict[str, SiteStanding], set[str], frozenset[str]]:
        """Standings; sites that lie behind something else than before; sites to look at again on the next tick."""
        fleet, past = self.fleet, self.past
        special = {site for site, found in raw.items() if found.state == NO_DATA} | self.maintained
        special |= {fleet.hosts[host].site for host in self.memory.battery if host in fleet.hosts}
        special |= {fleet.links[name].site for name, found in around.links.items() if found.state > NO_DATA}
        special |= {key[1] for key, flap in self.out.flaps.items() if key[0] == "site" and flap.is_flapping}
        special &= fleet.sites.keys()
        todo = self.moved_sites | special | {site for site in past.working.special if site in fleet.sites}
        found = {}
        for site in todo:
            is_silent = raw[site].state == NO_DATA
            tally = self.senses.tally_of_site(site, self.worked) if is_silent else Tally()
            recorded = past.books["site"].get(site)
            found[site] = find_site(fleet.sites[site], raw[site], tally, recorded, around)
        share_causes(found, raw, around)
        found |= link_to_sites(found, links, self.index, past.books["site"])
        sites = {} if self.is_anew else dict(past.standing.sites)
        for site, last_ms in self.fresh_sites.items():
            if site not in todo:
                sites[site] = sites[site]._replace(last_report_ms=last_ms)
        changed = set()
        for site, finding in found.items():
            before = past.standing.sites.get(site)
            (state, reason, cause, evidence), since_ms = self.out.conclude("site", site, finding)
            now = SiteStanding(state, since_ms, reason, *raw[site][2:], cause, evidence)
            if before is None or (before.state, before.reason, before.cause) != (state, reason, cause):
                changed.add(site)
            sites[site] = before if before is not None and before == now else now
        return sites, changed, frozenset(special)

    def _hosts(
        self, own: dict[str, Finding], sites: dict[str, SiteStanding], changed_sites: set[str]
    ) -> tuple[dict[str, HostStanding], frozenset[str], frozenset[str]]:
        """Standings; hosts that stand otherwise than before; hosts with a cause shared among hosts."""
        fleet, past, heard = self.fleet, self.past, self.hearing.hosts
        shared = share_devices(self.index, self.hearing, own)
        apart = shared.keys() | {host for host, finding in own.items() if finding.state == MAINTENANCE}
        dead = {device for device in self.index.hosts_by_device if device in own and own[device].state == DOWN}
        apart |= dead | {host for device in dead for host in self.index.hosts_by_device[device]}
        shared |= share_sites(fleet, sites, self.memory.silent, apart, own, past)
        todo = set(self.hearing.moved_hosts) | own.keys() | past.working.own.keys() | shared.keys()
        todo |= past.working.loose_hosts | {host for kind, host in self.out.stopped if kind == "host"}
        for site in changed_sites:
            todo.update(fleet.hosts_by_site.get(site, ()))
        todo &= fleet.hosts.keys()
        hosts = {} if self.is_anew else dict(past.standing.hosts)
        for host in self.hearing.fresh_hosts:
            hosts[host] = hosts[host]._replace(last_report_ms=heard[host].last_report_ms)
        changed = set()
        for host in todo:
            entry, before = fleet.hosts[host], past.standing.hosts.get(host)
            finding = find_host(entry, heard[host], own.get(host), sites[entry.site], own, shared.get(host))
            (state, reason, cause, evidence), since_ms = self.out.conclude("host", host, finding)
            now = HostStanding(
                state, since_ms, reason, heard[host].last_report_ms, heard[host].failing, cause, evidence
            )
            is_same = before is not None and (before.state, before.cause, before.failing) == (state, cause, now.failing)
            if not is_same or entry.site in changed_sites:  # to its systems a silent host is what its site makes it
                changed.add(host)
            hosts[host] = before if before is not None and before == now else now
        return hosts, frozenset(changed), frozenset(shared)

    def _agents(
        self, own: dict[str, Finding], sites: dict[str, SiteStanding], changed_sites: set[str], shared: frozenset[str]
    ) -> dict[bytes, AgentStanding]:
        fleet, past = self.fleet, self.past
        own = {host: found for host, found in own.items() if found.reason != r.AGENT_DOWN or host not in shared}
        todo = set(self.hearing.moved_agents)
        for site in changed_sites:
            todo.update(fleet.agents_by_site.get(site, ()))
        for host in own.keys() | past.working.own.keys():
            if (
                host in fleet.hosts
                and (agent_id := fleet.hosts[host].agent_id) in fleet.agents
                and agent_id is not None
            ):
                todo.add(agent_id)
        agents = {} if self.is_anew else dict(past.standing.agents)
        for agent_id in todo:
            agent, heard = fleet.agents[agent_id], self.hearing.agents[agent_id]
            finding = find_agent(agent, heard, own.get(agent.host), sites.get(agent.site))
            (state, reason, cause, evidence), since_ms = self.out.conclude("agent", agent_id.hex(), finding)
            agents[agent_id] = AgentStanding(state, since_ms, reason, heard.last_report_ms, cause, evidence)
        return agents

    def _places(
        self, kind: str, found: dict[str, Finding], before: Mapping[str, Finding], known: Mapping[str, PlaceStanding]
    ) -> dict[str, PlaceStanding]:
        """Standings of links, hubs, systems and interfaces; what was found as before is taken over."""
        slow = self.grace.places(kind, self.past.standing.at_ms)
        if self.is_anew or self.past.standing.at_ms < self.grace.ends_ms:
            todo, places = list(found), {}
        else:
            todo = [*news(found, before), *(slow & found.keys())]
            todo += [subject for key, subject in self.out.stopped if key == kind and subject in found]
            places = dict(known)
        for subject in todo:
            ends_ms = self.grace.slow_ends_ms if subject in slow else self.grace.ends_ms
            graced = in_grace(found[subject], self.now_ms, ends_ms, places)
            (state, reason, cause, evidence), since_ms = self.out.conclude(kind, subject, graced)
            now, kept = PlaceStanding(state, since_ms, reason, cause, evidence), known.get(subject)
            places[subject] = kept if kept is not None and kept == now else now
        return places
