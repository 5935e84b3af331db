"""What the collector says on ``/metrics``, taken down over time, so that rules and boards can ask how it was.

The exposition's own text is what is sampled: there is no second place that knows the fleet's families.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from collector.exposition.completeness import completeness_text
from collector.exposition.fleet import fleet_text
from collector.exposition.hubs import hubs_text
from collector.exposition.incidents import incidents_text
from collector.exposition.site import agent_parts, host_states
from collector.exposition.text import family_parts
from collector.fleet.registry import Fleet
from collector.history.own import OwnSeries, Row
from collector.history.source import LabelSet
from collector.live.board import Live
from collector.services import Services
from collector.store.scope import EVERYTHING
from collector.verdicts.reasons import STARTING
from collector.verdicts.standing import Standing

FLEET, HOSTS = "fleet", "hosts"
"""Names of the streams. Sites stand apart from hosts, for what is asked over months is asked of sites."""
SECONDS = 15.0
"""How often: as often as a Prometheus would scrape us."""
STARTING_MS = 300_000
"""For how long after a start nothing is taken down, while anything is not judged yet."""
PREFIXES_KEPT = 200_000
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
UP: Row = ((("__name__", "up"), ("job", "bongsu")), 1.0)
"""That the collector is there at all; a Prometheus that scrapes it would note the same."""


class SampleJob:
    """Samples the fleet's and the collector's own series into history."""

    def __init__(self, services: Services, own: OwnSeries) -> None:
        self._services = services
        self._own = own
        self._labels: dict[bytes, LabelSet] = {}
        self._started_at_ms = services.clock.wall_ms()
        self.is_ready = False
        """Whether everything is judged since the start; before that nobody may draw conclusions from us."""

    def step(self, now: datetime) -> None:
        services = self._services
        standing, now_ms = services.standing, round(now.timestamp() * 1000)
        if not self.is_ready:
            if not standing.at_ms or (is_starting(standing) and now_ms < self._started_at_ms + STARTING_MS):
                return
            self.is_ready = True
        fleet = services.registry.fleet
        text = chain(
            fleet_text(fleet, services.live, standing, EVERYTHING),
            hubs_text(fleet, standing, services.hub_contacts.states(), EVERYTHING),
            completeness_text(fleet, services.completeness, EVERYTHING),
            incidents_text(fleet, services.response.incidents.open_at, EVERYTHING),
            [services.telemetry.text()],
        )
        hosts = self._rows(site_level(fleet, services.live, standing, now_ms))
        noted = [
            self._own.note(FLEET, [UP, *self._rows(text)], now_ms),
            self._own.note(HOSTS, list(hosts), now_ms),
        ]
        with services.store.transaction() as connection:
            self._own.write(connection, noted)

    def _rows(self, text: Iterable[bytes]) -> Iterator[Row]:
        if len(self._labels) > PREFIXES_KEPT:
            self._labels = {}
        for chunk in text:
            for line in chunk.split(b"\n"):
                if not line or line.startswith(b"#"):
                    continue
                prefix, _, value = line.rpartition(b" ")
                labels = self._labels.get(prefix)
                if labels is None:
                    labels = self._labels[prefix] = read_prefix(prefix.decode())
                yield labels, float(value)


def is_starting(standing: Standing) -> bool:
    """Whether there is anything nobody can judge yet, because the collector has only just begun to listen."""
    return any(site.reason == STARTING for site in standing.sites.values())


def site_level(fleet: Fleet, live: Live, standing: Standing, now_ms: int) -> Iterator[bytes]:
    """Hosts' states and agents of every site; what hosts report themselves is in history already."""
    for site in fleet.sites.values():
        hosts = [fleet.hosts[host] for host in fleet.hosts_by_site.get(site.id, ())]
        yield from family_parts("bongsu_host_state", host_states(fleet, standing, hosts))
        yield from agent_parts(fleet, live, standing, site, now_ms)


def read_prefix(text: str) -> LabelSet:
    """``name{label="value"}`` -> labels."""
    name, brace, rest = text.partition("{")
    pairs = [("__name__", name)]
    if brace:
        pairs += [(label, _ESCAPED.sub(_unescaped, value)) for label, value in _LABEL.findall(rest) if value]
    return tuple(sorted(pairs))


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
