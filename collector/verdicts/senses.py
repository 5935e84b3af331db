"""What hosts saw of each other and of their power, followed from report to report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from collector.fleet.paths import Probe
from collector.fleet.registry import Fleet
from collector.verdicts.evidence import sensed
from collector.verdicts.heard import Hearing
from collector.verdicts.index import Index
from collector.verdicts.memory import Memory
from collector.verdicts.past import Working
from collector.verdicts.path_state import follow
from collector.verdicts.thresholds import limits_of
from collector.verdicts.votes import Tally, mute_sites, tally


class Senses:
    """``touched_links``: lines about which something else is said than before; ``says_anew``: some path says it itself."""

    def __init__(self, fleet: Fleet, index: Index, hearing: Hearing, working: Working, memory: Memory) -> None:
        self._fleet = fleet
        self._index = index
        self.paths = memory.paths
        self.memory = memory
        touched = self._follow(hearing)
        self.says_anew = bool(touched)
        self.current = frozenset(
            host
            for host in index.probes_of_host
            if (heard := hearing.hosts.get(host)) is not None and heard.speaker is not None
        )
        for host in self.current ^ working.current:
            touched.update(index.probes_of_host.get(host, ()))
        self.mute, self.sound = mute_sites(index.anchors, self.paths, self.current)
        for site in self.mute ^ working.mute:
            for host in fleet.hosts_by_site.get(site, ()):
                touched.update(index.probes_of_host.get(host, ()))
        self.touched_links = {probe.link for probe in touched if probe.link}

    def tally(self, probes: Iterable[Probe]) -> Tally:
        return tally(probes, self.paths, self._fleet, self.current, self.mute)

    def tally_of_site(self, site: str, worked: frozenset[str]) -> Tally:
        """Of a silent one. That nobody reaches it over a line that is worked on says nothing about it."""
        probes = self._index.at_site.get(site, ())
        found = self.tally(probes)
        if worked and not found.is_reachable:
            found = self.tally(probe for probe in probes if probe.link not in worked)
        return found

    def _follow(self, hearing: Hearing) -> set[Probe]:
        memory, touched = self.memory, set()
        paths, battery, mains = dict(memory.paths), dict(memory.battery), dict(memory.mains)
        for host in hearing.news:
            report = hearing.reports[host]
            found = sensed(report) if host in self._fleet.hosts else None
            if found is None:
                continue
            at_ms = report.received_at_ms
            if found.is_on_battery is not None:
                (battery if found.is_on_battery else mains)[host] = at_ms
                (mains if found.is_on_battery else battery).pop(host, None)
            for probe in self._index.probes_of_host.get(host, ()):
                probed = found.probes.get(probe.target)
                before = paths.get((host, probe.target))
                if probed is None or (before is not None and at_ms <= before.at_ms):
                    continue
                now = follow(before, probed, limits_of(self._fleet.links.get(probe.link)), at_ms)
                paths[host, probe.target] = now
                if before is None or before.said != now.said:
                    touched.add(probe)
        self.paths = paths
        self.memory = replace(memory, paths=paths, battery=battery, mains=mains)
        return touched
