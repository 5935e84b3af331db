"""A host's plots from its recorded series: which lines, in which unit, on one grid of instants.

Counters become rates here, between neighbouring samples that are at most ``STALE_INTERVALS`` intervals apart and did
not fall. Where there is no such pair there is no value: a gap stays a gap, it is never a zero and never a bridge.

Older history is windows: of a gauge their mean is shown, all through the window; a counter grows from one window's end to
the next's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import STALE_INTERVALS
from collector.history.source import COUNT, TOTAL, SeriesData
from collector.web.site_view import NO_DISK

Values = NDArray[np.float64]
POINTS = 480
"""About as many as a plot has pixels for on a usual screen."""
SHOWN_DEVICES = 4
CPU_MODES = ("user", "system", "iowait", "irq", "softirq", "steal", "nice")
QUIET_DEVICES = ("lo", "veth", "docker", "br-", "loop", "ram", "zram", "dm-", "sr", "fd")


class Grid(NamedTuple):
    """Instants ``start_ms + step_ms * (1 .. steps)``; each stands for the step that ends there."""

    start_ms: int
    step_ms: int
    steps: int
    hold_ms: int
    """For how long a sample counts where no newer one came."""

    @property
    def times_ms(self) -> NDArray[np.int64]:
        return self.start_ms + self.step_ms * np.arange(1, self.steps + 1, dtype=np.int64)


class Line(NamedTuple):
    """``key`` names a text of the catalog's section ``plot`` (with ``device`` in it), or is itself the label."""

    key: str
    device: str
    values: Values
    """On the grid; NaN = no value."""


@dataclass(frozen=True, slots=True)
class Plot:
    id: str
    unit: str
    """``ratio``, ``bytes``, ``bytes_per_second`` or ``count``."""
    is_stacked: bool
    lines: tuple[Line, ...]


def grid(from_ms: int, to_ms: int, interval_ms: int) -> Grid:
    """A grid over ``(from, to]`` of whole intervals, at most ``POINTS`` long."""
    steps = max(1, -(-(to_ms - from_ms) // (POINTS * interval_ms)))
    step_ms = steps * interval_ms
    start_ms = from_ms // step_ms * step_ms
    return Grid(start_ms, step_ms, max(1, (to_ms - start_ms) // step_ms), STALE_INTERVALS * interval_ms)


def place(times: NDArray[np.int64], values: Values, on: Grid, lengths: Values | None = None) -> Values:
    """Samples on a grid: the mean of a step's samples, else the newest before it while that still counts, else the window
    it lies in (``lengths``: how many ms before its instant each sample begins; 0 = it is no window)."""
    bins = -((on.start_ms - times) // on.step_ms) - 1  # a sample on a grid instant belongs to the step that ends there
    inside = (bins >= 0) & (bins < on.steps)
    sums = np.bincount(bins[inside], weights=values[inside], minlength=on.steps)
    counts = np.bincount(bins[inside], minlength=on.steps)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(counts > 0, sums / counts, np.nan)
    if len(times):
        at = np.searchsorted(times, on.times_ms, side="right") - 1
        held = (counts == 0) & (at >= 0) & (on.times_ms - times[at] <= on.hold_ms)
        found[held] = values[at[held]]
        if lengths is not None:
            after = np.minimum(np.searchsorted(times, on.times_ms, side="left"), len(times) - 1)
            within = np.isnan(found) & (times[after] >= on.times_ms) & (times[after] - lengths[after] < on.times_ms)
            found[within] = values[after[within]]
    return found


def rate(
    times: NDArray[np.int64], values: Values, hold_ms: int, lengths: Values | None = None
) -> tuple[NDArray[np.int64], Values]:
    """Growth per second of a counter, each at the later of its two samples; ``lengths`` as in ``place``."""
    span, growth = np.diff(times), np.diff(values)
    reach = hold_ms if lengths is None else hold_ms + lengths[1:]
    good = (span > 0) & (span <= reach) & (growth >= 0)
    return times[1:][good], growth[good] / (span[good] / 1000)


def window_lengths(one: SeriesData, interval_ms: float) -> Values | None:
    """How long before its instant each sample's window began; None where there are no windows."""
    if one.folded is None:
        return None
    lengths: Values = one.folded[COUNT] * interval_ms
    return np.where(one.folded[COUNT] > 1, lengths, 0.0)


def lines_of(series: Iterable[SeriesData], on: Grid, *, is_rate: bool) -> list[tuple[dict[str, str], Values]]:
    """Each series on the grid, with its labels."""
    found = []
    for one in series:
        here = one.present
        times, values = here.times, here.values
        lengths = window_lengths(here, on.hold_ms / STALE_INTERVALS)
        if is_rate:
            spans = None if lengths is None else dict(zip(times.tolist(), lengths.tolist(), strict=True))
            times, values = rate(times, values, on.hold_ms, lengths)
            lengths = None if spans is None else np.array([spans[at] for at in times.tolist()])
        elif here.folded is not None:
            values = here.folded[TOTAL] / np.maximum(here.folded[COUNT], 1)
        found.append((dict(one.labels), place(times, values, on, lengths)))
    return found


Series = dict[str, list[SeriesData]]
"""Series by metric name."""


def _cpu(series: Series, on: Grid) -> list[Line]:
    by_mode: dict[str, list[Values]] = {}
    processors = set()
    for labels, values in lines_of(series.get("node_cpu_seconds_total", ()), on, is_rate=True):
        processors.add(labels.get("cpu"))
        by_mode.setdefault(labels.get("mode", ""), []).append(values)
    lines = [Line(mode, "", np.sum(by_mode[mode], axis=0) / len(processors)) for mode in CPU_MODES if mode in by_mode]
    return [line for line in lines if line.key in ("user", "system") or _weight([line]) > 0]


def _load(series: Series, on: Grid) -> list[Line]:
    return [
        Line(key, "", values) for key in ("load1", "load5", "load15") for values in _first(series, f"node_{key}", on)
    ]


def _memory(series: Series, on: Grid) -> list[Line]:
    parts = [_first(series, f"node_memory_{name}_bytes", on) for name in ("MemTotal", "MemAvailable", "MemFree")]
    if not all(parts):
        return []
    total, available, free = (part[0] for part in parts)
    cached = np.maximum(available - free, 0)
    return [Line("used", "", total - available), Line("cached", "", cached), Line("free", "", available - cached)]


def _filesystem(series: Series, on: Grid) -> list[Line]:
    by_mount: dict[str, dict[str, Values]] = {}
    for name in ("size", "free", "avail"):
        for labels, values in lines_of(series.get(f"node_filesystem_{name}_bytes", ()), on, is_rate=False):
            if labels.get("fstype") not in NO_DISK:
                by_mount.setdefault(labels.get("mountpoint", "?"), {})[name] = values
    lines = []
    for mount, sizes in sorted(by_mount.items()):
        if len(sizes) == 3:
            used = sizes["size"] - sizes["free"]
            with np.errstate(invalid="ignore", divide="ignore"):
                lines.append(Line(mount, "", used / (used + sizes["avail"])))
    return _largest(lines, SHOWN_DEVICES)


def _traffic(series: Series, on: Grid, names: Sequence[tuple[str, str]]) -> list[Line]:
    lines = [
        Line(key, labels.get("device", "?"), values)
        for key, name in names
        for labels, values in lines_of(series.get(name, ()), on, is_rate=True)
        if not labels.get("device", "").startswith(QUIET_DEVICES)
    ]
    devices = sorted({line.device for line in lines if _weight([line])} or {line.device for line in lines})
    kept = sorted(devices, key=lambda name: -_weight([line for line in lines if line.device == name]))[:SHOWN_DEVICES]
    return sorted((line for line in lines if line.device in kept), key=lambda line: (kept.index(line.device), line.key))


def _network(series: Series, on: Grid) -> list[Line]:
    names = (("receive", "node_network_receive_bytes_total"), ("transmit", "node_network_transmit_bytes_total"))
    return _traffic(series, on, names)


def _disk(series: Series, on: Grid) -> list[Line]:
    return _traffic(series, on, (("read", "node_disk_read_bytes_total"), ("write", "node_disk_written_bytes_total")))


def _first(series: Series, name: str, on: Grid) -> list[Values]:
    return [values for _, values in lines_of(series.get(name, ())[:1], on, is_rate=False)]


def _largest(lines: list[Line], count: int) -> list[Line]:
    return sorted(lines, key=lambda line: -_weight([line]))[:count]


def _weight(lines: list[Line]) -> float:
    return float(sum(np.nansum(line.values) for line in lines))


@dataclass(frozen=True, slots=True)
class Kind:
    id: str
    unit: str
    is_stacked: bool
    make: Callable[[Series, Grid], list[Line]]
    of: str
    """A metric it takes: who never reported it has no such plot."""


KINDS = (
    Kind("cpu", "ratio", True, _cpu, "node_cpu_seconds_total"),
    Kind("load", "count", False, _load, "node_load1"),
    Kind("memory", "bytes", True, _memory, "node_memory_MemFree_bytes"),
    Kind("filesystem", "ratio", False, _filesystem, "node_filesystem_free_bytes"),
    Kind("network", "bytes_per_second", False, _network, "node_network_receive_bytes_total"),
    Kind("disk", "bytes_per_second", False, _disk, "node_disk_read_bytes_total"),
)
NAMES = (
    "node_cpu_seconds_total",
    *(f"node_load{minutes}" for minutes in (1, 5, 15)),
    *(f"node_memory_{name}_bytes" for name in ("MemTotal", "MemAvailable", "MemFree")),
    *(f"node_filesystem_{name}_bytes" for name in ("size", "free", "avail")),
    *(f"node_network_{way}_bytes_total" for way in ("receive", "transmit")),
    *(f"node_disk_{way}_bytes_total" for way in ("read", "written")),
)
"""What the plots are made of."""


def make_plots(found: Iterable[SeriesData], on: Grid) -> list[Plot]:
    """Every plot, also those without a line: an empty plot says that there is nothing."""
    by_name: Series = {}
    for series in found:
        by_name.setdefault(dict(series.labels).get("__name__", ""), []).append(series)
    return [Plot(kind.id, kind.unit, kind.is_stacked, tuple(kind.make(by_name, on))) for kind in KINDS]


def last_value(line: Line) -> float | None:
    """The newest value of a line; None where it has none."""
    there = np.flatnonzero(~np.isnan(line.values))
    return float(line.values[there[-1]]) if len(there) else None


def cpu_ratios(found: Iterable[SeriesData], hold_ms: int) -> dict[str, float]:
    """Busy share of each host between its two newest samples, from ``node_cpu_seconds_total``."""
    busy: dict[str, float] = {}
    whole: dict[str, float] = {}
    for series in found:
        labels = dict(series.labels)
        here = series.present
        _, rates = rate(here.times[-2:], here.values[-2:], hold_ms)
        if len(rates):
            host = labels.get("instance", "")
            whole[host] = whole.get(host, 0.0) + float(rates[0])
            if labels.get("mode") not in ("idle", "iowait"):
                busy[host] = busy.get(host, 0.0) + float(rates[0])
    return {host: busy.get(host, 0.0) / total for host, total in whole.items() if total > 0}
