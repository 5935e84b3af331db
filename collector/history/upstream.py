"""``[history] upstream``: a real Prometheus (or VictoriaMetrics, Mimir) answers queries instead of us.

Only for callers who may see everything: nobody there knows our scopes, so whoever is limited to an agency or a site is
answered from our own history. The answer is handed on as it is, errors too, but for a refused log-in: that is ours, not the
caller's, whose browser would ask them for a password of a store they do not know.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi.responses import Response

from agent.link.exchange import Failure, HttpExchange, Request
from agent.link.tls import context_for
from collector.credentials import Credentials, Login, SecretUnreadable, headers_of
from collector.store.scope import EVERYTHING, Scope

SECONDS = 60.0
REFUSED = (401, 403, 407)
FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Unreachable(Exception):
    """The upstream gave no answer of its own; the message says which, and why."""


class Upstream:
    def __init__(self, url: str, monotonic: Callable[[], float], login: Credentials | None = None) -> None:
        """``url`` may have a path, such as ``http://mimir:8080/prometheus``."""
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._login = login or Login()
        self._monotonic = monotonic

    def answers(self, scope: Scope) -> bool:
        """Whether this caller's questions are handed on."""
        return scope == EVERYTHING

    def ask(self, method: str, path: str, query: str, form: bytes) -> Response:
        """The upstream's own answer to ``/api/v1/…``. Raises Unreachable."""
        try:
            headers = (*((FORM,) if method == "POST" else ()), *headers_of(self._login))
        except SecretUnreadable as why:
            raise Unreachable(f"[history] upstream {self._base}{self._path}: {why}") from why
        target = f"{self._path}{path}" + (f"?{query}" if query else "")
        ca_file = Path(self._login.ca_file) if self._login.ca_file else None
        exchange = HttpExchange(self._monotonic, lambda: context_for(ca_file))
        try:
            found = exchange(Request(method, self._base, target, form, headers, SECONDS))
        finally:
            exchange.close()
        if isinstance(found, Failure):
            raise Unreachable(f"[history] upstream {self._base}{self._path}: {found.text}")
        if found.status in REFUSED:
            raise Unreachable(f"[history] upstream {self._base}{self._path}: refused our log-in (HTTP {found.status})")
        return Response(found.body, found.status, media_type=found.content_type or "application/json")
