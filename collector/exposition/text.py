"""The Prometheus text format, for the few families we write ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from agent.link.names import FLEET_METRICS
from collector.fleet.registry import Fleet, HostEntry
from collector.live.render import special
from collector.live.shape import escape

PART_ROWS = 300
PREFIXES_KEPT = 100_000
Row = tuple[tuple[str, ...], float]
"""Label values in the order of the metric's labels, and the value."""


def family(name: str, rows: Iterable[Row | None]) -> bytes:
    """One of the fleet's families with HELP and TYPE; nothing where it has no rows."""
    return b"".join(family_parts(name, rows))


def family_parts(name: str, rows: Iterable[Row | None]) -> Iterator[bytes]:
    """The same in parts of at most ``PART_ROWS`` rows, about half a millisecond of work each. None: one that was looked at
    and has no row; it counts as one, so that a part in which all are is no more work, and is empty."""
    metric = FLEET_METRICS[name]
    head = f"# HELP {name} {metric.help}\n# TYPE {name} {metric.type}\n".encode()
    waiting = iter(rows)
    while part := list(islice(waiting, PART_ROWS)):
        lines = [_prefix(name, values) + number(value) for values, value in filter(None, part)]
        if lines:
            yield head + b"\n".join(lines) + b"\n"
            head = b""
        else:
            yield b""


@lru_cache(PREFIXES_KEPT)
def _prefix(name: str, values: tuple[str, ...]) -> bytes:
    """A line up to its number: the same at each scrape, so it is written and escaped once."""
    labels = zip(FLEET_METRICS[name].labels, values, strict=True)
    inside = ",".join(f'{label}="{escape(value)}"' for label, value in labels)
    return f"{name}{{{inside}}} ".encode()


def number(value: float) -> bytes:
    return b"%d" % value if float(value).is_integer() and abs(value) < 1e15 else special(value)


def host_labels(fleet: Fleet, host: HostEntry, job: str = "node") -> bytes:
    """The labels every series of a host carries, from the registry alone."""
    site = fleet.sites[host.site]
    return _host_labels(host.agency, site.hub, site.id, host.id, job)


@lru_cache(PREFIXES_KEPT)
def _host_labels(agency: str, hub: str, site: str, instance: str, job: str) -> bytes:
    pairs = (("agency", agency), ("hub", hub), ("site", site), ("instance", instance), ("job", job))
    return ",".join(f'{name}="{escape(value)}"' for name, value in pairs).encode()
