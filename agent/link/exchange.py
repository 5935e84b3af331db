"""The network port of the sender: one request, one answer or a failure, over one kept connection.

The TLS context is made on the first https request: loading the authorities is the costly part of TLS for an agent.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 30.0
MAX_ANSWER_BYTES = 8 << 20


class Request(NamedTuple):
    method: str
    base_url: str
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    deadline_seconds: float = 120.0


class Response(NamedTuple):
    """Whatever answered, a collector or a captive portal; ``content_type`` without parameters, lower case."""

    status: int
    content_type: str
    body: bytes
    retry_after_seconds: float = 0.0


class Failure(NamedTuple):
    """Nothing answered. ``text`` says what happened, for people."""

    text: str


class Exchange(Protocol):
    def __call__(self, request: Request) -> Response | Failure: ...


class HttpExchange:
    """One connection, kept between requests and opened anew when it fails or the URL changes. One thread uses it."""

    def __init__(self, monotonic: Callable[[], float], tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        """``tls`` makes the context for https URLs, called once; None = the system's authorities.

        ``bytes_sent`` and ``bytes_received``: of HTTP, heads and bodies, without what TLS and TCP add.
        """
        self.bytes_sent = self.bytes_received = 0
        self._monotonic = monotonic
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._base_url = ""

    def __call__(self, request: Request) -> Response | Failure:
        deadline = self._monotonic() + request.deadline_seconds
        is_reused = self._connection is not None and self._base_url == request.base_url
        try:
            return self._send(request, deadline)
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError) as why:
            self.close()
            if not is_reused:
                return Failure(_say(request, why))
        except (OSError, http.client.HTTPException, ValueError) as why:
            self.close()
            return Failure(_say(request, why))
        try:  # the kept connection had been closed from the other side; records have names, so twice is no harm
            return self._send(request, deadline)
        except (OSError, http.client.HTTPException, ValueError) as why:
            self.close()
            return Failure(_say(request, why))

    def _send(self, request: Request, deadline: float) -> Response:
        connection = self._connect(request, deadline)
        # By hand, because request() adds a header that says nothing, and on a thin line every report pays for it.
        connection.putrequest(request.method, request.path, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.method == "POST":
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        self.bytes_sent += len(request.body) + _head_bytes(request.path, request.headers) + len(request.base_url)
        self._limit(connection, deadline)
        answer = connection.getresponse()
        body = bytearray()
        while chunk := answer.read1(1 << 16):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise http.client.HTTPException(f"answer over {MAX_ANSWER_BYTES} bytes")
            self._limit(connection, deadline)
        self.bytes_received += len(body) + _head_bytes("", answer.getheaders())
        answer.read()  # read1 leaves the answer open at its end, and an open answer blocks the kept connection
        if answer.will_close:
            self.close()
        content_type = (answer.getheader("content-type") or "").split(";")[0].strip().lower()
        return Response(answer.status, content_type, bytes(body), _seconds(answer.getheader("retry-after")))

    def _connect(self, request: Request, deadline: float) -> http.client.HTTPConnection:
        if self._connection is not None and self._base_url == request.base_url:
            self._limit(self._connection, deadline)
            return self._connection
        self.close()
        url = urlsplit(request.base_url)
        host, port = url.hostname or "", url.port
        timeout = min(CONNECT_SECONDS, request.deadline_seconds)
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls_context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection, self._base_url = connection, request.base_url
        self._limit(connection, deadline)
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._context is None:
            if self._tls is not None:
                self._context = self._tls()
            else:
                import ssl

                self._context = ssl.create_default_context()
        return self._context

    def _limit(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        left = deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        if connection.sock is not None:
            connection.sock.settimeout(left)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


HEAD_BYTES = 64
"""Method, version, status line, ``Host``, ``Content-Length`` and line ends, about."""


def _head_bytes(path: str, headers: Iterable[tuple[str, str]]) -> int:
    return HEAD_BYTES + len(path) + sum(len(name) + len(value) + 4 for name, value in headers)


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def _say(request: Request, why: Exception) -> str:
    return f"{request.method} {request.base_url}{request.path}: {type(why).__name__}: {why}"
