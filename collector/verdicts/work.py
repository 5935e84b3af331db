"""Agreed work as verdicts take it: what is worked on, and what is only silent because of that."""

from __future__ import annotations

from collections.abc import Mapping

from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.evidence import Window
from collector.verdicts.finding import Finding
from collector.verdicts.index import Index
from collector.verdicts.standing import MAINTENANCE, Fact

Windows = Mapping[tuple[str, str], Window]


def in_window(window: Window, facts: tuple[Fact, ...] = ()) -> Finding:
    """``facts``: what is seen of it all the same."""
    reason = r.PLANNED_SHUTDOWN if window.is_shutdown else r.UNDER_MAINTENANCE
    return Finding(MAINTENANCE, reason, f"maintenance:{window.id}", (Fact("window", window.id), *facts))


def behind_work(cause: str, facts: tuple[Fact, ...]) -> Finding:
    """Of what cannot be heard while something else is worked on: ``cause`` of that one."""
    return Finding(MAINTENANCE, r.BEHIND_WORK, cause, (Fact("window", cause.partition(":")[2]), *facts))


def worked_links(windows: Windows, fleet: Fleet) -> frozenset[str]:
    return frozenset(name for kind, name in windows if kind == "link" and name in fleet.links)


def cut_off(windows: Windows, worked: frozenset[str], index: Index) -> dict[str, Window]:
    """Sites to which no line is left that is not worked on -> the window that began last."""
    found = {}
    for site in {index.fleet.links[link].site for link in worked}:
        lines = index.links_by_site[site]
        if all(line.id in worked for line in lines):
            found[site] = max((windows["link", line.id] for line in lines), key=lambda each: each.began_ms)
    return found
