"""Trust by authority: learnt once by the token's fingerprint, then verified; a stranger's server is refused."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.link.exchange import Failure, HttpExchange, Request, Response
from agent.link.tls import TlsError, context_for, fetch_ca
from collector.fleet.authority import make_authority, make_server_certificate
from collector.fleet.keys import ca_file, ca_fingerprint

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class SecureServer:
    """Serves its authority's certificate and a greeting, for the name given."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        self.folder = folder
        make_authority(folder, datetime.now(UTC))
        certificate, key = make_server_certificate(folder, [name], datetime.now(UTC))
        pem = ca_file(folder).read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = pem if self.path == "/v1/ca" else b"hello"
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *args: None  # a client that refuses us is what is tested
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def fingerprint(self) -> bytes:
        return ca_fingerprint(self.folder)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(tmp_path) -> Iterator[SecureServer]:
    made = SecureServer(tmp_path / "good")
    yield made
    made.close()


def ask(url: str, ca: Path | None) -> Response | Failure:
    exchange = HttpExchange(time.monotonic, lambda: context_for(ca))
    try:
        return exchange(Request("GET", url, "/hello", b"", (), 5.0))
    finally:
        exchange.close()


def test_the_authority_is_learnt_by_its_fingerprint_and_then_verifies(server, tmp_path):
    pem = fetch_ca(server.url, server.fingerprint, time.monotonic)
    (tmp_path / "ca.pem").write_text(pem)
    answer = ask(server.url, tmp_path / "ca.pem")
    assert isinstance(answer, Response)
    assert answer.body == b"hello"


def test_another_fingerprint_is_refused_with_both(server):
    with pytest.raises(TlsError) as refused:
        fetch_ca(server.url, b"\x01" * 32, time.monotonic)
    assert server.fingerprint.hex() in str(refused.value)
    assert "01" * 32 in str(refused.value)


def test_a_strangers_server_and_a_wrong_name_are_refused(server, tmp_path):
    stranger = SecureServer(tmp_path / "stranger")
    misnamed = SecureServer(tmp_path / "misnamed", "elsewhere.example")
    try:
        for url, ca in (
            (stranger.url, ca_file(server.folder)),
            (server.url, None),
            (misnamed.url, ca_file(misnamed.folder)),
        ):
            failure = ask(url, ca)
            assert isinstance(failure, Failure)
            assert "CERTIFICATE_VERIFY_FAILED" in failure.text
    finally:
        stranger.close()
        misnamed.close()
