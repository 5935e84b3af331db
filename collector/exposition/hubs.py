"""``/metrics``: the hubs of this centre."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collector.exposition.text import family
from collector.fleet.registry import Fleet
from collector.store.scope import EVERYTHING, Scope
from collector.verdicts.standing import Standing


def hubs_text(fleet: Fleet, standing: Standing, heard: Mapping[str, int], scope: Scope) -> Iterator[bytes]:
    """The verdict where there is one, else whether a hub that joined is heard (``heard``: state code by hub)."""
    seen = {site.hub for site in fleet.sites.values() if scope.allows(site.agency, site.id)}
    states = dict(heard) | {hub: found.state for hub, found in standing.hubs.items()}
    shown = [hub for hub in sorted(states) if scope == EVERYTHING or hub in seen]
    yield family("bongsu_hub_state", (((hub,), states[hub]) for hub in shown))
