"""A batch as a request to one destination, with its credentials read anew, so that a token may change meanwhile."""

from __future__ import annotations

import base64
from importlib.metadata import version
from pathlib import Path

from agent.link.exchange import Failure, Request
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
    headers = [*_FIXED, *to.headers.items()]
    try:
        if to.bearer_token_file:
            headers.append(("Authorization", f"Bearer {_secret(to.bearer_token_file)}"))
        elif to.username:
            pair = f"{to.username}:{_secret(to.password_file)}".encode()
            headers.append(("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
    except (OSError, ValueError) as why:
        return Failure(f"remote write {to.name}: a secret cannot be read: {why}")
    return Request("POST", base_url, path, body, tuple(headers), float(to.timeout_seconds))


def _secret(path: str) -> str:
    text = Path(path).read_text("ascii").strip()
    if not text.isprintable():
        raise ValueError(f"{path}: expected one line of text")
    return text
