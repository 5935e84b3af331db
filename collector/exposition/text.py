"""The Prometheus text format, for the few families we write ourselves."""

from __future__ import annotations

from collections.abc import Iterable

from agent.link.names import FLEET_METRICS
from collector.fleet.registry import Fleet, HostEntry
from collector.live.render import special
from collector.live.shape import escape

Row = tuple[tuple[str, ...], float]
"""Label values in the order of the metric's labels, and the value."""


def family(name: str, rows: Iterable[Row]) -> bytes:
    """One of the fleet's families with HELP and TYPE; nothing where it has no rows."""
    metric = FLEET_METRICS[name]
    lines = [
        "".join(
            (name, "{", ",".join(f'{k}="{escape(v)}"' for k, v in zip(metric.labels, values, strict=True)), "} ")
        ).encode()
        + number(value)
        for values, value in rows
    ]
    if not lines:
        return b""
    head = f"# HELP {name} {metric.help}\n# TYPE {name} {metric.type}\n".encode()
    return head + b"\n".join(lines) + b"\n"


def number(value: float) -> bytes:
    return b"%d" % value if float(value).is_integer() and abs(value) < 1e15 else special(value)


def host_labels(fleet: Fleet, host: HostEntry, job: str = "node") -> bytes:
    """The labels every series of a host carries, from the registry alone."""
    site = fleet.sites[host.site]
    pairs = (("agency", host.agency), ("hub", site.hub), ("site", site.id), ("instance", host.id), ("job", job))
    return ",".join(f'{name}="{escape(value)}"' for name, value in pairs).encode()
