"""``[history] upstream``: whoever may see everything is answered by a real Prometheus, everybody else by us."""

from __future__ import annotations

import socket
from collections.abc import Iterator
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
from collector.history.api import router
from collector.history.upstream import Upstream
from collector.store.scope import EVERYTHING, Scope

AT = NOW_MS // 1000
QUERY = {"query": "node_load1", "time": str(AT)}


def http(archive: Archive, url: str) -> Iterator[TestClient]:
    sender = archive.centre.enrolled()
    archive.send(sender, schema_of(sender.host), [(NOW_MS, [1.0])])
    archive.history.upstream = Upstream(url, archive.centre.clock.monotonic)
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
        for client in http(archive, address):
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
