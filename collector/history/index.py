"""Which column of which schema is which series.

Thousands of hosts have the same few thousand (name, labels) pairs, so those are kept once, as *columns*, and a schema
is an array of their numbers: about a kilobyte for a host of 300 series. A selector is tried against the columns once,
not against every host's series. Labels of host, site, hub and agency are not here: they come from the registry when
asked, and no agent may send them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.model import Labels
from agent.link.names import COUNTER
from agent.link.wire import open_schema
from collector.history.matchers import Matcher, Matchers, accept

HOST_LABELS = frozenset({"agency", "hub", "site", "instance"})
JOB = ("job", "node")
UP = 0
"""Number of the column ``up``, which every host has: its value is that there was a sample at all."""
PRESENCE = -1
"""Its place in a schema."""


class Column(NamedTuple):
    """A series without its host: own labels, ``__name__`` and ``job`` among them, in order of their names."""

    labels: Labels


class HostPart(NamedTuple):
    """A host's columns of one schema: ``ids[i]`` is the column at place ``places[i]`` of a sample."""

    schema_hash: bytes
    host: str
    ids: NDArray[np.int32]
    places: NDArray[np.intp]


class Index:
    """Every schema the log has seen. One thread adds, any may ask: what is published is replaced, not edited."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self._ids: dict[Labels, int] = {}
        self._asked: dict[tuple[str, Labels], int] = {}
        """By name and labels as schemas have them: hosts of a kind write the same."""
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._named: dict[str, set[int]] = {}
        """Name of a metric -> its columns."""
        self.by_host: dict[str, tuple[HostPart, ...]] = {}
        self.types: dict[str, int] = {}
        self.widths: dict[bytes, int] = {}
        self.first_host: dict[bytes, str] = {}
        self.hosts_of: dict[bytes, frozenset[str]] = {}
        self.counters: dict[bytes, NDArray[np.bool_]] = {}
        """Which columns of a schema are counters; checks are none."""
        assert self._column("up", ()) == UP

    def add(self, schema_hash: bytes, packed: bytes) -> None:
        """Take a schema. Raises WireError where it is none."""
        if schema_hash in self.widths:
            return
        schema = open_schema(packed)
        places: dict[str, tuple[list[int], list[int]]] = {}
        for place, series in enumerate(schema.series):
            ids, at = places.setdefault(series.host, ([], []))
            asked = (series.name, series.labels)
            known = self._asked.get(asked)
            if known is None:
                known = self._asked[asked] = self._column(*asked)
            ids.append(known)
            self.types.setdefault(series.name, series.type)
            at.append(place)
        for place, (host, check) in enumerate(schema.checks, len(schema.series)):
            ids, at = places.setdefault(host, ([], []))
            ids.append(self._column("bongsu_check_state", (("check", check),), with_job=False))
            at.append(place)
        for host, (ids, at) in places.items():
            part = HostPart(schema_hash, host, np.array(ids, np.int32), np.array(at, np.intp))
            self.by_host[host] = (*self.by_host.get(host, ()), part)
        self.first_host[schema_hash] = min(places, default="")
        self.hosts_of[schema_hash] = frozenset(places)
        kinds = [series.type == COUNTER for series in schema.series]
        self.counters[schema_hash] = np.array(kinds + [False] * len(schema.checks), np.bool_)
        self.widths[schema_hash] = schema.width  # last: a schema that has a width is complete

    def place_of(self, schema_hash: bytes, name: str) -> int | None:
        """Where the first series of a name stands in a schema's samples."""
        known = self._named.get(name)
        if known is None:
            return None
        for host in self.hosts_of.get(schema_hash, ()):
            for part in self.by_host[host]:
                if part.schema_hash == schema_hash:
                    at = np.flatnonzero(np.isin(part.ids, list(known)))
                    if len(at):
                        return int(part.places[at[0]])
        return None

    def matching(self, matchers: Matchers) -> NDArray[np.int32]:
        """Numbers of the columns that pass the matchers, those on host labels left aside."""
        own = [one for one in matchers if one.label not in HOST_LABELS]
        names = [one.value for one in own if one.label == "__name__" and one.op == "="]
        columns = self.columns
        asked = sorted(list(self._named.get(names[0], ()))) if names else range(len(columns))  # noqa: C414 - it may grow
        return np.array([at for at in asked if _passes(own, columns[at])], np.int32)

    def _column(self, name: str, labels: Iterable[tuple[str, str]], with_job: bool = True) -> int:
        named = [("__name__", name), *((label, value) for label, value in labels if value)]
        key = tuple(self._pairs.setdefault(p, p) for p in sorted([*named, JOB] if with_job else named))
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = len(self.columns)
            self.columns.append(Column(key))
            self._named.setdefault(name, set()).add(known)
        return known


def _passes(own: list[Matcher], column: Column) -> bool:
    return accept(own, dict(column.labels))


def host_labels(agency: str, hub: str, site: str, instance: str) -> Mapping[str, str]:
    """Labels a host's series get from the registry; a label with no value does not stand there."""
    pairs = {"agency": agency, "hub": hub, "site": site, "instance": instance}
    return {label: value for label, value in pairs.items() if value}
