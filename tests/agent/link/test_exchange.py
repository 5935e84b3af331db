"""The network port against real little servers: one kept connection, deadlines, and failures as values."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from agent.link.exchange import Failure, HttpExchange, Request, Response


class Server:
    """Counts connections; ``behaviour`` is a function (handler) called for each request."""

    def __init__(self) -> None:
        self.connections = 0
        self.bodies: list[bytes] = []
        self.behaviour = lambda handler: answer(handler, b"hello")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
                outer.behaviour(self)

            do_GET = do_POST

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler, body: bytes, status: int = 200, close: bool = False, chunked: bool = False) -> None:
    handler.send_response(status)
    handler.send_header("content-type", "Text/Plain; charset=utf-8")
    handler.send_header("retry-after", "7")
    if chunked:
        handler.send_header("transfer-encoding", "chunked")
    else:
        handler.send_header("content-length", str(len(body)))
    if close:
        handler.send_header("connection", "close")
        handler.close_connection = True
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def exchange() -> Iterator[HttpExchange]:
    made = HttpExchange(time.monotonic)
    yield made
    made.close()


def post(server: Server, body: bytes = b"x", deadline: float = 5.0) -> Request:
    return Request("POST", server.url, "/v1/envelopes", body, (("content-type", "a/b"),), deadline)


@pytest.mark.parametrize("chunked", [False, True])
def test_many_requests_use_one_connection(server, exchange, chunked):
    server.behaviour = lambda handler: answer(handler, b"hello", chunked=chunked)
    for n in range(5):
        assert exchange(post(server, b"%d" % n)) == Response(200, "text/plain", b"hello", 7.0)
    assert server.connections == 1
    assert server.bodies == [b"%d" % n for n in range(5)]


def test_a_connection_closed_from_the_other_side_is_opened_again(server, exchange):
    server.behaviour = lambda handler: answer(handler, b"hello", close=True)
    assert isinstance(exchange(post(server)), Response)
    assert isinstance(exchange(post(server)), Response)
    server.behaviour = lambda handler: (answer(handler, b"bye"), setattr(handler, "close_connection", True))
    assert isinstance(exchange(post(server)), Response)
    assert isinstance(exchange(post(server)), Response), "closed silently while idle"


def test_nobody_there_is_a_failure_in_words(exchange):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    failure = exchange(Request("POST", f"http://127.0.0.1:{port}", "/v1/envelopes", b""))
    assert isinstance(failure, Failure)
    assert f"127.0.0.1:{port}" in failure.text
    assert "refused" in failure.text


def test_a_server_that_hangs_or_trickles_ends_with_the_deadline(server, exchange):
    release = threading.Event()

    def trickle(handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        while not release.wait(0.02):
            handler.wfile.write(b".")
            handler.wfile.flush()
        handler.close_connection = True

    for behaviour in (lambda handler: release.wait(5), trickle):
        server.behaviour = behaviour
        began = time.monotonic()
        assert isinstance(exchange(post(server, deadline=0.3)), Failure)
        assert time.monotonic() - began < 2.0
    release.set()


def test_garbage_is_a_failure(server, exchange):
    server.behaviour = lambda handler: handler.wfile.write(b"\x00\x01\x02 garbage\r\n\r\n")
    assert isinstance(exchange(post(server, deadline=1.0)), Failure)
