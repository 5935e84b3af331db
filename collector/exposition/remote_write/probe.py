"""Whether a destination answers as a store: asked with a request that holds no samples."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace

import snappy

from agent.link.exchange import Failure
from collector.exposition.remote_write.job import exchange_for
from collector.exposition.remote_write.reply import Refused, Taken, judge
from collector.exposition.remote_write.request import write_request
from collector.settings_remote_write import Destination

PROBE_SECONDS = 5


def what_is_wrong(to: Destination, monotonic: Callable[[], float]) -> str:
    """What keeps a destination from taking samples; empty where nothing does."""
    asked = replace(to, timeout_seconds=min(to.timeout_seconds, PROBE_SECONDS))
    request = write_request(asked, bytes(snappy.compress(b"")))
    if isinstance(request, Failure):
        return request.text
    exchange = exchange_for(asked, monotonic)
    try:
        verdict = judge(exchange(request))
    except ssl.SSLError as why:  # an authority's file that holds none
        return f"{to.ca_file}: {why}"
    finally:
        exchange.close()
    if isinstance(verdict, Taken):
        return ""
    return f"refused as {verdict.reason}" if isinstance(verdict, Refused) else verdict.text
