"""What a site's line carries for us: bytes a minute, by what its agents count themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from collector.history.source import SeriesData
from collector.web.plots import rate

SENT, RECEIVED = "agent_link_sent_bytes_total", "agent_link_received_bytes_total"


class LinkBytes(NamedTuple):
    """Bytes a minute, up from the site and down to it: of HTTP, without what TLS and TCP add."""

    sent: float
    received: float


def bytes_per_minute(found: Iterable[SeriesData], hold_ms: int) -> LinkBytes | None:
    """All agents of a site together, each between its two newest samples; None where none has two that are current."""
    sums = {SENT: 0.0, RECEIVED: 0.0}
    is_known = False
    for series in found:
        name = dict(series.labels).get("__name__", "")
        here = series.present
        _, rates = rate(here.times[-2:], here.values[-2:], hold_ms)
        if len(rates) and name in sums:
            is_known = True
            sums[name] += float(rates[0]) * 60
    return LinkBytes(sums[SENT], sums[RECEIVED]) if is_known else None
