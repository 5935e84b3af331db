"""Is it us? A collector whose own uplink is dead hears nobody, and must not say that everybody else is out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collector.fleet.registry import Fleet
from collector.verdicts.hubs import TOGETHER_INTERVALS, TOGETHER_LEAST
from collector.verdicts.past import RawSite
from collector.verdicts.reasons import STARTING
from collector.verdicts.standing import NO_DATA, Fact


def blindness(
    fleet: Fleet,
    own_sites: Collection[str],
    raw: Mapping[str, RawSite],
    mute: Collection[str],
    sound: Collection[str],
    interval_ms: Mapping[str, int],
    *,
    was_blind: bool,
) -> tuple[Fact, ...]:
    """Evidence that the collector hears nobody; empty where it can judge.

    ``interval_ms``: between the reports of a site. Its own site's anchors tell. Where there are none: all others fell silent together, whatever way they report.
    """
    if any(site in sound for site in own_sites):
        return ()
    lost = tuple(site for site in own_sites if site in mute)
    if lost:
        return (Fact("anchors_lost", "collector", ", ".join(lost)),)
    silent: list[tuple[int, int]] = []
    ways: set[str] = set()
    for site, found in raw.items():
        if site in own_sites or found.last_report_ms is None or site not in fleet.sites:
            continue
        if found.state != NO_DATA:
            return ()
        if found.reason == STARTING and not was_blind:
            return ()  # nobody had the time to be heard yet
        silent.append((found.last_report_ms, interval_ms[site]))
        ways.add(fleet.sites[site].hub or site)
    if len(silent) < TOGETHER_LEAST or len(ways) < 2:
        return ()
    last = [at_ms for at_ms, _ in silent]
    if max(last) - min(last) > TOGETHER_INTERVALS * max(pace_ms for _, pace_ms in silent):
        return ()
    return (Fact("all_silent", "collector", str(len(silent))),)
