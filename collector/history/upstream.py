"""``[history] upstream``: a real Prometheus (or VictoriaMetrics, Mimir) answers queries instead of us.

Only for callers who may see everything: nobody there knows our scopes, so whoever is limited to an agency or a site is
answered from our own history. The answer is handed on as it is, errors too.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi.responses import Response

from agent.link.exchange import Failure, HttpExchange, Request
from collector.store.scope import EVERYTHING, Scope

SECONDS = 60.0
FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Unreachable(Exception):
    """The upstream gave no answer; the message says which, and why."""


class Upstream:
    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        """``url`` may have a path, such as ``http://mimir:8080/prometheus``."""
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._monotonic = monotonic

    def answers(self, scope: Scope) -> bool:
        """Whether this caller's questions are handed on."""
        return scope == EVERYTHING

    def ask(self, method: str, path: str, query: str, form: bytes) -> Response:
        """The upstream's own answer to ``/api/v1/…``. Raises Unreachable."""
        exchange = HttpExchange(self._monotonic)
        target = f"{self._path}{path}" + (f"?{query}" if query else "")
        headers = (FORM,) if method == "POST" else ()
        try:
            found = exchange(Request(method, self._base, target, form, headers, SECONDS))
        finally:
            exchange.close()
        if isinstance(found, Failure):
            raise Unreachable(f"[history] upstream {self._base}{self._path}: {found.text}")
        return Response(found.body, found.status, media_type=found.content_type or "application/json")
