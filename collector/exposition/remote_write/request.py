"""A batch as a request to one destination, with its credentials read anew, so that a token may change meanwhile."""

from __future__ import annotations

from importlib.metadata import version

from agent.link.exchange import Failure, Request
from collector.credentials import SecretUnreadable, headers_of
from collector.settings_remote_write import Destination

_FIXED = (
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "snappy"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
    ("User-Agent", f"bongsu/{version('bongsu')}"),
)


def write_request(to: Destination, body: bytes) -> Request | Failure:
    """A Failure where a file with a secret cannot be read."""
    base_url, path = to.address
    try:
        headers = (*_FIXED, *headers_of(to))
    except SecretUnreadable as why:
        return Failure(f"remote write {to.name}: {why}")
    return Request("POST", base_url, path, body, headers, float(to.timeout_seconds))
