"""Lines of one site that are cut at once are one disturbance, told where it shows most: at the hub that fell silent with
them, at the site, or at its first line. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from collector.fleet.registry import Fleet
from collector.incidents.signal import Signal
from collector.verdicts import reasons as r

TOGETHER_MS = 180_000
"""A hub counts as silent a little later than its line as cut."""
PRIMARY = "primary"
OUT_OF_REACH = frozenset({r.HUB_DOWN, r.HUB_SILENT})


def as_one_cut(signals: Sequence[Signal], fleet: Fleet) -> list[Signal]:
    """The same, with every line of a site whose lines are all down under one of them, their site or their hub."""
    cut: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        if signal.subject[0] == "link" and signal.hides:
            cut[signal.site].append(signal)
    if not cut:
        return list(signals)
    lines = Counter(link.site for link in fleet.links.values())
    by_key = {signal.key: signal for signal in signals}
    for site, found in cut.items():
        if len(found) == lines[site]:
            root = _root(site, found, by_key, fleet)
            rest = [one for one in found if one.key != root.key]
            for one in rest:
                del by_key[one.key]
            by_key[root.key] = _with(root, rest)
    return list(by_key.values())


def _root(site: str, found: Sequence[Signal], by_key: Mapping[str, Signal], fleet: Fleet) -> Signal:
    began_ms = min(one.since_ms for one in found)
    hub = by_key.get(f"hub:{fleet.sites[site].hub}")
    # Where a hub stands nobody says. One whose machine answers stands elsewhere.
    if hub is not None and hub.reason not in OUT_OF_REACH:
        hub = None
    for near in (hub, by_key.get(f"site:{site}")):
        if near is not None and abs(near.since_ms - began_ms) <= TOGETHER_MS:
            return near
    return min(found, key=lambda one: (fleet.links[one.subject[1]].role != PRIMARY, one.key))


def _with(root: Signal, rest: Sequence[Signal]) -> Signal:
    things = {thing for one in rest for thing in (one.subject, *one.affected)} - {root.subject}
    down = {system for one in rest for system in one.down}
    return root._replace(affected=tuple(sorted({*root.affected, *things})), down=tuple(sorted({*root.down, *down})))
