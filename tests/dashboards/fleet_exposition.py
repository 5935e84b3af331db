"""A stand-in for the collector's Prometheus side: discovery and exposition of a small fleet, every state in it.

Names, types and labels come from the tables the collector itself uses, so that a board which asks for something else
finds nothing. Counters grow by one a second.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import collector_series
from host_series import HOST_SERIES

from agent.link.names import FLEET_METRICS, Metric

SITE_PAGE = frozenset(
    {"bongsu_host_state", "bongsu_check_state"} | {name for name in FLEET_METRICS if name.startswith("bongsu_agent_")}
)
"""Families of a site's own page; the rest stand on ``/metrics``."""
COLLECTORS_OWN = frozenset({"bongsu_incidents_open", "bongsu_pages_total", "bongsu_job_last_success_timestamp_seconds"})
"""Families that are the collector's own registry's to say."""


@dataclass(frozen=True)
class Site:
    agency: str
    hub: str
    site: str
    state: int
    geohash: str


SITES = (
    Site("mofa", "emea", "abuja", 0, "s1v0g"),
    Site("mofa", "emea", "cairo", 4, "stq4s"),
    Site("mofa", "apac", "hanoi", 3, "w7er8"),
    Site("koica", "apac", "lima", 2, "6mc5p"),
    Site("koica", "", "seoul", 1, "wydm9"),
)
"""Codes as people would choose them; the last one reports to the centre directly, so it has no hub."""

OTHER = {
    "link": "lte", "system": "e-consul", "grade": "1", "severity": "critical", "channel": "sms", "task": "judge",
    "target": "gw.example", "timezone": "Africa/Lagos", "link_profile": "leo", "result": "stored", "check": "process:nginx",
}  # fmt: skip


def line(name: str, labels: dict[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value}\n"


def _fleet_value(metric: Metric, site: Site, seconds: float) -> float:
    if metric.type == "counter":
        return 1000 + seconds
    if metric.name.endswith("_state"):
        return site.state
    if metric.name.endswith("_timestamp_seconds"):
        return time.time() - 5
    return 1


def family(metric: Metric, sites: tuple[Site, ...], seconds: float) -> str:
    """A family's HELP, TYPE and lines, one per site (or one for all where it has no site)."""
    lines = dict.fromkeys(
        line(metric.name, {label: _label(label, site) for label in metric.labels}, _fleet_value(metric, site, seconds))
        for site in (sites if "site" in metric.labels else sites[:1])
    )
    return f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.type}\n" + "".join(lines)


def _label(label: str, site: Site) -> str:
    if label in ("instance", "agent"):
        return f"srv1.{site.site}"
    return OTHER.get(label) or str(getattr(site, label))


def host_families(site: Site, seconds: float) -> str:
    stamped = {
        "agency": site.agency,
        "hub": site.hub,
        "site": site.site,
        "instance": f"srv1.{site.site}",
        "job": "node",
    }
    values = {"up": 1.0, "node_time_seconds": time.time(), "node_boot_time_seconds": time.time() - 86400}
    text = ""
    for name, (kind, sets) in HOST_SERIES.items():
        value = 500 + seconds if kind == "counter" else values.get(name, 1 + seconds % 2)
        text += f"# TYPE {name} {kind}\n" + "".join(line(name, stamped | labels, value) for labels in sets)
    return text


def overview(seconds: float) -> str:
    """``/metrics``."""
    fleet = "".join(
        family(metric, SITES, seconds)
        for name, metric in FLEET_METRICS.items()
        if name not in SITE_PAGE and name not in COLLECTORS_OWN
    )
    return fleet + collector_series.text()


def site_page(site: Site, seconds: float) -> str:
    """``/metrics/sites/{site}``."""
    fleet = "".join(family(metric, (site,), seconds) for name, metric in FLEET_METRICS.items() if name in SITE_PAGE)
    return fleet + host_families(site, seconds)


def discovery(address: str) -> str:
    return json.dumps(
        [
            {
                "targets": [address],
                "labels": {
                    "__metrics_path__": f"/metrics/sites/{site.site}",
                    "agency": site.agency,
                    "hub": site.hub,
                    "site": site.site,
                },
            }
            for site in SITES
        ]
    )


@contextmanager
def serving() -> Iterator[str]:
    """The stand-in's ``host:port``."""
    started = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            seconds = time.monotonic() - started
            kind = "text/plain; version=0.0.4; charset=utf-8"
            if self.path == "/sd/prometheus":
                text, kind = discovery(address), "application/json"
            elif self.path == "/metrics":
                text = overview(seconds)
            else:
                text = next((site_page(s, seconds) for s in SITES if self.path == f"/metrics/sites/{s.site}"), "")
            body = text.encode()
            self.send_response(200 if body else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()
