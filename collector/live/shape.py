"""What a host's columns are called: validated and escaped once, then shared by every host that has the same columns.

A ``Shape`` is a host's part of a schema without the host: names, types and labels in family order. Its ``skeleton`` is
the exposition text with two marker bytes that UTF-8 never contains: ``FAMILY`` where a family begins and ``HOST`` where
the host's own labels go. A thousand machines of one kind share one skeleton.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from agent.link.model import Labels, Schema, Series
from agent.link.names import RESERVED_LABELS, RESERVED_NAME_PREFIXES, RESERVED_NAMES, Limits
from agent.link.wire import WireError
from collector.live.known_types import KNOWN_TYPES

FAMILY = b"\xff"
HOST = b"\xfe"
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


HOST_AND_NUMBER_BYTES = 120
"""Of a line: the host's own labels and the number, as they usually are."""
TYPES_KEPT = 100_000
LABELS_SHARED = 200_000


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Shape:
    """``names[i]``, ``types[i]`` and ``labels[i]`` belong to column i in family order."""

    names: tuple[str, ...]
    types: tuple[int, ...]
    labels: tuple[Labels, ...]
    families: tuple[tuple[str, int], ...]
    skeleton: tuple[bytes, ...]
    """Even places are text, odd places are for the numbers."""
    first: dict[str, int]
    """Metric name -> its first column."""
    family_at: dict[str, int]
    """Metric name -> its place in ``families``."""
    family_bytes: tuple[int, ...]
    """About how much text of one host each family is, known before it is rendered."""


@dataclass(frozen=True, slots=True)
class HostColumns:
    """Where one host's numbers stand in a sample's vector."""

    host: str
    shape: Shape
    columns: NDArray[np.intp]
    """Index into the sample's words, in the shape's order."""
    checks: tuple[str, ...]
    check_columns: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Layout:
    """A schema made ready: one ``HostColumns`` for each host it names."""

    schema_hash: bytes
    width: int
    hosts: tuple[HostColumns, ...]
    refused: int
    """Series left out because their type clashes with the known one."""


def escape(value: str) -> str:
    """A label value as the text format writes it."""
    return value.translate(_ESCAPES)


def check_columns(schema: Schema, limits: Limits, allowed_hosts: frozenset[str]) -> None:
    """Refuse what an agent may not send. Raises WireError: bad_labels or too_large, naming the series."""
    if len(schema.series) > limits.series_per_agent:
        raise WireError(
            "too_large", f"{len(schema.series)} series: expected at most {limits.series_per_agent} per agent"
        )
    if len(schema.checks) > limits.series_per_host:
        raise WireError("too_large", f"{len(schema.checks)} checks: expected at most {limits.series_per_host}")
    for host, count in Counter(series.host for series in schema.series).items():
        if count > limits.series_per_host:
            raise WireError("too_large", f"{count} series of host {host!r}: expected at most {limits.series_per_host}")
    foreign = {s.host for s in schema.series} | {host for host, _ in schema.checks}
    if foreign - allowed_hosts:
        name = min(foreign - allowed_hosts)
        raise WireError("bad_labels", f"host {name!r} is not bound to this agent")
    for series in schema.series:
        _check_series(series, limits)
    for host, check in schema.checks:
        if not is_check_name(check, limits):
            raise WireError(
                "bad_labels", f"check {check[:80]!r} of {host}: expected 1 to {limits.label_value_bytes} bytes, no NUL"
            )
    if len({_identity(s) for s in schema.series}) != len(schema.series) or len(set(schema.checks)) != len(
        schema.checks
    ):
        raise WireError("bad_labels", "the same series or check stands twice in the schema")


def is_check_name(name: str, limits: Limits) -> bool:
    """A check's name is a label value, and stands in the database, whose text holds no NUL."""
    return 0 < len(name.encode()) <= limits.label_value_bytes and "\0" not in name


def _identity(series: Series) -> tuple[str, str, int, Labels]:
    """What makes it one series to whoever reads it: the order of labels and labels without a value say nothing."""
    return series.host, series.name, series.type, tuple(sorted(pair for pair in series.labels if pair[1]))


def _check_series(series: Series, limits: Limits) -> None:
    name = series.name
    if not _METRIC.fullmatch(name) or len(name) > limits.label_value_bytes:
        raise WireError("bad_labels", f"metric name {name[:80]!r}: expected [a-zA-Z_:][a-zA-Z0-9_:]*")
    if name in RESERVED_NAMES or name.startswith(RESERVED_NAME_PREFIXES):
        raise WireError("bad_labels", f"metric name {name!r} is reserved")
    if series.type not in (0, 1, 2):
        raise WireError("bad_labels", f"{name}: type {series.type}, expected 0 gauge, 1 counter or 2 untyped")
    if len(series.labels) > limits.labels:
        raise WireError("bad_labels", f"{name}: {len(series.labels)} labels, expected at most {limits.labels}")
    for label, value in series.labels:
        if not _LABEL.fullmatch(label) or len(label) > limits.label_name_chars:
            raise WireError("bad_labels", f"{name}: label name {label[:80]!r}")
        if label in RESERVED_LABELS or label.startswith("__"):
            raise WireError("bad_labels", f"{name}: label {label!r} is reserved, it comes from the registry")
        if len(value.encode()) > limits.label_value_bytes:
            raise WireError("bad_labels", f"{name}: value of {label!r} is over {limits.label_value_bytes} bytes")
        if "\0" in value:
            raise WireError("bad_labels", f"{name}: value of {label!r} holds a NUL character")


class Shapes:
    """Makes layouts; keeps one copy of equal shapes for as long as anybody uses it, and each metric's first known type."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[tuple[str, int, Labels], ...], Shape] = WeakValueDictionary()
        self._types: dict[str, int] = dict(KNOWN_TYPES)
        self._most_types = TYPES_KEPT
        self._labels: dict[Labels, Labels] = {}

    def layout(self, schema: Schema) -> Layout:
        """The schema's columns by host. A series whose type clashes with the known one is left out, and counted."""
        self._make_room()
        by_host: dict[str, list[tuple[str, int, Labels, int]]] = {}
        refused = 0
        for column, series in enumerate(schema.series):
            if self._types.setdefault(series.name, series.type) != series.type:
                refused += 1
                continue
            labels = self._labels.setdefault(series.labels, series.labels)
            by_host.setdefault(series.host, []).append((series.name, series.type, labels, column))
        checks: dict[str, list[tuple[str, int]]] = {}
        for at, (host, check) in enumerate(schema.checks):
            checks.setdefault(host, []).append((check, len(schema.series) + at))
        return Layout(
            schema.hash,
            schema.width,
            tuple(
                self._host(host, by_host.get(host, []), checks.get(host, []))
                for host in sorted(by_host.keys() | checks.keys())
            ),
            refused,
        )

    def _make_room(self) -> None:
        """Names that nobody sends any more are forgotten, or whoever invents names would grow our memory."""
        if len(self._labels) > LABELS_SHARED:
            self._labels.clear()
        if len(self._types) - len(KNOWN_TYPES) > self._most_types:
            used = {name: kind for shape in self._known.values() for name, kind in shape.families}
            self._types = {**used, **KNOWN_TYPES}
            self._most_types = max(TYPES_KEPT, 2 * len(used))

    def _host(self, host: str, rows: list[tuple[str, int, Labels, int]], checks: list[tuple[str, int]]) -> HostColumns:
        rows.sort(key=lambda row: (row[0], row[2]))  # each agent orders its series by its own numbers
        key = tuple(row[:3] for row in rows)
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = make_shape(key)
        return HostColumns(
            host,
            shape,
            np.array([row[3] for row in rows], dtype=np.intp),
            tuple(check for check, _ in checks),
            np.array([column for _, column in checks], dtype=np.intp),
        )


def make_shape(rows: Sequence[tuple[str, int, Labels]]) -> Shape:
    """A shape from (name, type, labels) rows sorted by name."""
    skeleton: list[bytes] = []
    families: list[tuple[str, int]] = []
    first: dict[str, int] = {}
    sizes: list[int] = []
    for column, (name, kind, labels) in enumerate(rows):
        is_new = name not in first
        if is_new:
            first[name] = column
            families.append((name, kind))
            sizes.append(0)
        own = "".join(f',{label}="{escape(value)}"' for label, value in labels)
        skeleton += ((FAMILY if is_new else b"\n") + name.encode() + b"{" + HOST + own.encode() + b"} ", b"")
        sizes[-1] += len(skeleton[-2]) + HOST_AND_NUMBER_BYTES
    return Shape(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
        tuple(families),
        tuple(skeleton),
        first,
        {name: at for at, (name, _) in enumerate(families)},
        tuple(sizes),
    )
