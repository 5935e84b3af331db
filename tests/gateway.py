"""A messaging service as a real little HTTP server: it keeps every request byte for byte and answers as the test says."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from collector.pages.senders.base import Message

DROP, HANG, HALF = b"drop", b"hang", b"half"
"""Instead of an answer: end the connection, say nothing until the test is over, promise more bytes than come."""


def answer(status: int, body: Any = None, **headers: str) -> bytes:
    """``Retry_After="3"`` becomes a header."""
    data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n{lines}\r\n".encode() + data


@dataclass
class Gateway:
    answers: list[bytes] = field(default_factory=list)
    """Used up one by one; then every answer is ``then``."""
    then: bytes = field(default_factory=lambda: answer(200, {}))
    heard: list[bytes] = field(default_factory=list)
    context: ssl.SSLContext | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    @property
    def last(self) -> Request:
        return Request(self.heard[-1])

    def serve(self, connection: socket.socket, stop: threading.Event) -> None:
        with suppress(OSError), connection:
            connection.settimeout(5)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self.heard.append(_read(connection))
                said = self.answers.pop(0) if self.answers else self.then
                if said == HANG:
                    stop.wait(10)
                elif said == HALF:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                elif said != DROP:
                    connection.sendall(said)


class Request:
    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.line, *lines = head.decode("latin-1").split("\r\n")
        self.headers: Mapping[str, str] = dict(line.split(": ", 1) for line in lines)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def _read(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        if not (more := connection.recv(65536)):
            return raw
        raw += more
    length = int(Request(raw).headers.get("Content-Length", 0))
    while len(raw.partition(b"\r\n\r\n")[2]) < length:
        if not (more := connection.recv(65536)):
            break
        raw += more
    return raw


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Gateway]:
    gateway, stop = Gateway(context=context), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        gateway.port = server.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while not stop.is_set():
                    connection, _ = server.accept()
                    threading.Thread(target=gateway.serve, args=(connection, stop), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield gateway
        finally:
            stop.set()
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()


def a_message(**changed: Any) -> Message:
    """A page as the pipeline hands it over."""
    given: dict[str, Any] = {
        "key": "0f3a9c1e-7-1-kim-sms",
        "kind": "trigger",
        "severity": "critical",
        "incident": 418,
        "address": "+82 10-1234-5678",
        "person": "kim",
        "language": "ko",
        "subject": "[긴급] 아부자 전원 장애 #418",
        "text": "아부자 공관의 전원이 끊겼습니다.\n시작 01:42",
        "short": "[긴급] 아부자 전원 장애 #418 회신 1",
        "link": "https://bongsu.example.org/a/tok3n",
        "fields": {"site": "아부자", "since": "01:42"},
    }
    return Message(**{**given, **changed})
