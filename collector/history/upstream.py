"""``[history] upstream``: a real Prometheus (or VictoriaMetrics, Mimir) answers queries instead of us.

Only for callers who may see everything: nobody there knows our scopes, so whoever is limited to an agency or a site is
answered from our own history. The answer is handed on as it is, errors too, but for a refused log-in: that is ours, not the
caller's, whose browser would ask them for a password of a store they do not know.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from fastapi.responses import Response

from agent.link.exchange import Failure, HttpExchange, Request
from agent.link.tls import context_for
from collector.credentials import Credentials, Login, SecretUnreadable, headers_of
from collector.store.scope import EVERYTHING, Scope

SECONDS = 60.0
TRIED_SECONDS = 5.0
"""For a question asked only to see whether anybody answers."""
TRIED = "query=1"
SAID_BYTES = 120
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
        self._named = f"[history] upstream {self._base}{self._path}"
        self._login = login or Login()
        self._monotonic = monotonic

    def answers(self, scope: Scope) -> bool:
        """Whether this caller's questions are handed on."""
        return scope == EVERYTHING

    def what_is_wrong(self) -> str:
        """What keeps it from answering queries; empty where nothing does."""
        try:
            found = self.ask("GET", "/api/v1/query", TRIED, b"", TRIED_SECONDS)
        except Unreachable as why:
            return str(why)
        said = bytes(found.body)
        try:
            if found.status_code == 200 and orjson.loads(said)["status"] == "success":
                return ""
        except (ValueError, KeyError, TypeError):
            pass  # a page of a portal, or of another program: said below
        begins = " ".join(said[:SAID_BYTES].decode("utf-8", "replace").split())
        return f"{self._named} gave no answer of a Prometheus (HTTP {found.status_code}): {begins or 'nothing'}"

    def ask(self, method: str, path: str, query: str, form: bytes, seconds: float = SECONDS) -> Response:
        """The upstream's own answer to ``/api/v1/…``. Raises Unreachable."""
        try:
            headers = (*((FORM,) if method == "POST" else ()), *headers_of(self._login))
        except SecretUnreadable as why:
            raise Unreachable(f"{self._named}: {why}") from why
        target = f"{self._path}{path}" + (f"?{query}" if query else "")
        ca_file = Path(self._login.ca_file) if self._login.ca_file else None
        exchange = HttpExchange(self._monotonic, lambda: context_for(ca_file))
        try:
            found = exchange(Request(method, self._base, target, form, headers, seconds))
        finally:
            exchange.close()
        if isinstance(found, Failure):
            raise Unreachable(f"{self._named}: {found.text}")
        if found.status in REFUSED:
            raise Unreachable(f"{self._named}: refused our log-in (HTTP {found.status})")
        return Response(found.body, found.status, media_type=found.content_type or "application/json")
