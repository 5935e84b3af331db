"""Labels of a series as the wire carries them, in order of their names, without encoding any of them twice.

Thousands of hosts share the same few thousand columns, and the four labels of a host fall between a column's own ones at
places that depend on the column alone. So a column is encoded once as five runs and a host once as four labels; a series
is the nine laid together, and nothing is kept for each series.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, zip_longest

from agent.link.model import Labels
from collector.exposition.remote_write.message import TimeSeries

HOST_LABELS = ("agency", "hub", "instance", "site")
"""What the registry stamps, in order."""
HostBytes = tuple[bytes, ...]


class LabelBytes:
    """Encoded columns, kept."""

    def __init__(self) -> None:
        self._columns: dict[Labels, tuple[bytes, ...]] = {}

    def series(self, column: Labels, host: HostBytes) -> bytes:
        """The encoded labels of one series: fields of a ``TimeSeries`` that has no samples yet."""
        runs = self._columns.get(column)
        if runs is None:
            runs = self._columns[column] = column_runs(column)
        return b"".join(chain.from_iterable(zip_longest(runs, host, fillvalue=b"")))


def column_runs(column: Labels) -> tuple[bytes, ...]:
    """A column's own labels, before, between and after those of a host."""
    runs: list[list[tuple[str, str]]] = [[] for _ in range(len(HOST_LABELS) + 1)]
    for pair in sorted(column):
        runs[sum(pair[0] > name for name in HOST_LABELS)].append(pair)
    return tuple(encoded(run) for run in runs)


def host_bytes(labels: Mapping[str, str]) -> HostBytes:
    """A host's labels encoded one by one; empty where a label has no value."""
    return tuple(encoded([(name, labels[name])] if labels.get(name) else []) for name in HOST_LABELS)


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    made = TimeSeries()
    for name, value in pairs:
        made.labels.add(name=name, value=value)
    done: bytes = made.SerializeToString()
    return done


def shown(series: bytes) -> str:
    """A series by its encoded labels as people write it, ``up{site="abuja"}``."""
    pairs = {label.name: label.value for label in TimeSeries.FromString(series).labels}
    name = pairs.pop("__name__", "")
    inside = ", ".join(f'{label}="{value}"' for label, value in pairs.items())
    return f"{name}{{{inside}}}"
