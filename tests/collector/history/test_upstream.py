"""``[history] upstream``: whoever may see everything is answered by a real Prometheus, everybody else by us."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from archive import NOW_MS, Archive
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sender import schema_of
from told_prometheus import ask, tell, told_prometheus

from collector.access.caller import Caller
from collector.credentials import Login
from collector.fleet.authority import make_authority, make_server_certificate
from collector.fleet.keys import ca_file
from collector.history.api import router
from collector.history.upstream import Upstream
from collector.store.scope import EVERYTHING, Scope

AT = NOW_MS // 1000
QUERY = {"query": "node_load1", "time": str(AT)}


def http(archive: Archive, url: str, login: Login | None = None) -> Iterator[TestClient]:
    sender = archive.centre.enrolled()
    archive.send(sender, schema_of(sender.host), [(NOW_MS, [1.0])])
    archive.history.upstream = Upstream(url, archive.centre.clock.monotonic, login)
    services: Any = SimpleNamespace(history=archive.history, clock=archive.centre.clock)
    app = FastAPI()

    @app.middleware("http")
    async def who(request: Request, call_next: Any) -> Any:
        agency = request.headers.get("agency")
        request.state.caller = Caller("x", "viewer", Scope(frozenset({agency})) if agency else EVERYTHING)
        return await call_next(request)

    app.include_router(router(services))
    with TestClient(app) as client:
        yield client


@pytest.mark.real
def test_queries_are_handed_on_as_they_are(archive: Archive, tmp_path: Path) -> None:
    with told_prometheus(tmp_path) as address:
        tell(address, [({"__name__": "node_load1", "instance": "there"}, [(NOW_MS, 42.0)])])
        for client in http(archive, address, Login(headers={"X-Scope-OrgID": "mofa"})):
            (found,) = client.get("/api/v1/query", params=QUERY).json()["data"]["result"]
            assert (found["metric"]["instance"], found["value"]) == ("there", [AT, "42"])
            posted = client.post("/api/v1/query", data={**QUERY, "query": "deriv(node_load1[5m]) or node_load1 * 2"})
            assert posted.json()["data"]["result"][0]["value"][1] == "84"
            window = {"start": AT, "end": AT + 1, "step": 1}
            ranged = client.get("/api/v1/query_range", params={"query": "node_load1", **window})
            assert (
                ranged.json()
                == ask(address, "query_range", query="node_load1", **{k: str(v) for k, v in window.items()})[1]
            )
            assert client.get("/api/v1/label/instance/values").json()["data"] == ["there"]
            refused = client.get("/api/v1/query", params={"query": "sum("})
            assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")
            (own,) = client.get("/api/v1/query", params=QUERY, headers={"agency": "for"}).json()["data"]["result"]
            assert (own["metric"]["instance"], own["value"][1]) == ("srv1.abuja", "1")


def test_nobody_there_is_said(archive: Archive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for client in http(archive, f"http://127.0.0.1:{port}/prometheus"):
        answer = client.get("/api/v1/query", params=QUERY)
        assert (answer.status_code, answer.json()["errorType"]) == (503, "unavailable")
        assert f"[history] upstream http://127.0.0.1:{port}/prometheus: " in answer.json()["error"]
        assert client.get("/api/v1/query", params=QUERY, headers={"agency": "for"}).status_code == 200


@contextmanager
def guarded(folder: Path) -> Iterator[tuple[str, Path, list[dict[str, str]]]]:
    """A little store over TLS, as a Mimir behind a guard is: (URL, its authority, headers it got). It knows one tenant, one
    token and one user."""
    make_authority(folder, datetime.now(UTC))
    certificate, key = make_server_certificate(folder, ["127.0.0.1"], datetime.now(UTC))
    known = {"Bearer t0ken", f"Basic {base64.b64encode(b'bongsu:passw0rd').decode()}"}
    got: list[dict[str, str]] = []

    class Guard(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append({name.lower(): value for name, value in self.headers.items()})
            is_known = got[-1].get("authorization") in known and got[-1].get("x-scope-orgid") == "mofa"
            body = b'{"status":"success","data":[]}' if is_known else b"who are you"
            status = 200 if is_known else 401
            if is_known and "/elsewhere/" in self.path:
                status, body = 404, b"no such page"
            elif is_known and "/portal/" in self.path:
                body = b"<h1>Log in</h1>\n"
            self.send_response(status)
            if not is_known:
                self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/prometheus", ca_file(folder), got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_we_log_in_there_and_a_token_may_change_meanwhile(archive: Archive, tmp_path: Path) -> None:
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("t0ken\n")
    password.write_text("passw0rd")
    headers = {"X-Scope-OrgID": "mofa"}
    with guarded(tmp_path) as (url, authority, got):
        by_token = Login(str(token), ca_file=str(authority), headers=headers)
        for client in http(archive, url, by_token):
            assert client.get("/api/v1/query", params=QUERY).json() == {"status": "success", "data": []}
            assert "cookie" not in got[0]
            token.write_text("another")
            refused = client.get("/api/v1/query", params=QUERY)
            assert (refused.status_code, "www-authenticate" in refused.headers) == (503, False), (
                "ours, not the caller's"
            )
            assert "refused our log-in (HTTP 401)" in refused.json()["error"]
            token.unlink()
            assert "a secret cannot be read" in client.get("/api/v1/query", params=QUERY).json()["error"]
            archive.history.upstream = Upstream(
                url, archive.centre.clock.monotonic, Login("", "bongsu", str(password), str(authority), headers)
            )
            assert client.get("/api/v1/query", params=QUERY).status_code == 200
            empty = tmp_path / "empty.pem"
            empty.write_text("")
            archive.history.upstream = Upstream(url, archive.centre.clock.monotonic, Login(ca_file=str(empty)))
            assert "SSLError" in client.get("/api/v1/query", params=QUERY).json()["error"]
            archive.history.upstream = Upstream(url, archive.centre.clock.monotonic, Login(headers=headers))
            assert "certificate verify failed" in client.get("/api/v1/query", params=QUERY).json()["error"]
    assert len(got) == 3, "nothing is sent without the secret, nor to a store that is not who it says"


def test_doctor_tries_it_and_says_what_is_wrong(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    with guarded(tmp_path) as (url, authority, _):

        def wrong(url: str, **login: Any) -> str:
            return Upstream(url, lambda: 0.0, Login(ca_file=str(authority), **login)).what_is_wrong()

        known: Any = {"bearer_token_file": str(token), "headers": {"X-Scope-OrgID": "mofa"}}
        assert wrong(url, **known) == ""
        assert "refused our log-in (HTTP 401)" in wrong(url, bearer_token_file=str(token))
        assert "gave no answer of a Prometheus (HTTP 404): no such page" in wrong(f"{url}/elsewhere", **known)
        assert "gave no answer of a Prometheus (HTTP 200): <h1>Log in</h1>" in wrong(f"{url}/portal", **known)
        assert "certificate verify failed" in Upstream(url, lambda: 0.0).what_is_wrong()
    assert url in Upstream(url, lambda: 0.0).what_is_wrong(), "nobody listens there any more"
