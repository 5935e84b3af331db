"""``/api/v1/*`` over HTTP: what Grafana and other Prometheus clients send and what they get."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from archive import HOUR, NOW_MS, Archive
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sender import schema_of

from collector.access.caller import Caller
from collector.history.api import router
from collector.store.scope import EVERYTHING, Scope

START = NOW_MS
AT = START // 1000
HOST = "srv1.abuja"
LABELS = {"agency": "for", "hub": "mea", "instance": HOST, "job": "node", "site": "abuja"}


@pytest.fixture
def http(archive: Archive) -> Iterator[TestClient]:
    """The routes over a small history; header ``agency`` stands for who asks."""
    sender = archive.centre.enrolled()
    schema = schema_of(HOST, ["node_load1", "node_load5"])
    archive.send(sender, schema, [(START + at * 15_000, [at + 0.5, 1.0]) for at in range(5)])
    archive.centre.clock.now_ms = START + 60_000
    services: Any = SimpleNamespace(history=archive.history, clock=archive.centre.clock)
    app = FastAPI()

    @app.middleware("http")
    async def who(request: Request, call_next: Any) -> Any:
        agency = request.headers.get("agency")
        scope = Scope(frozenset({agency})) if agency else EVERYTHING
        request.state.caller = Caller("someone", "viewer", scope)
        return await call_next(request)

    app.include_router(router(services))
    with TestClient(app) as client:
        yield client


def test_instant_query(http: TestClient) -> None:
    answer = http.get("/api/v1/query", params={"query": "node_load1", "time": str(AT + 20)})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [{"metric": {"__name__": "node_load1", **LABELS}, "value": [AT + 20, "1.5"]}],
        },
    }


def test_now_is_the_default_time(http: TestClient) -> None:
    found = http.get("/api/v1/query", params={"query": "node_load1"}).json()
    assert found["data"]["result"][0]["value"] == [AT + 60, "4.5"]


def test_form_post_and_url_together(http: TestClient) -> None:
    form = {"query": "node_load1", "start": str(AT), "end": str(AT + 60)}
    answer = http.post("/api/v1/query_range", params={"step": "30s"}, data=form)
    assert answer.json()["data"] == {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "node_load1", **LABELS},
                "values": [[AT, "0.5"], [AT + 30, "2.5"], [AT + 60, "4.5"]],
            }
        ],
    }


def test_rfc3339_and_fractions(http: TestClient) -> None:
    given = {
        "query": "node_load1",
        "start": "2026-09-21T14:13:20Z",
        "end": "2026-09-21T23:13:20.5+09:00",
        "step": "0.25",
    }
    values = http.get("/api/v1/query_range", params=given).json()["data"]["result"][0]["values"]
    assert values == [[AT, "0.5"], [AT + 0.25, "0.5"], [AT + 0.5, "0.5"]]


def test_range_selector_gives_samples_as_they_are(http: TestClient) -> None:
    data = http.get("/api/v1/query", params={"query": "node_load1[30s]", "time": AT + 35}).json()["data"]
    assert data["resultType"] == "matrix"
    assert data["result"][0]["values"] == [[AT + 15, "1.5"], [AT + 30, "2.5"]]


def test_numbers(http: TestClient) -> None:
    """``1+1`` is how Grafana tests a data source."""
    scalar = http.post("/api/v1/query", data={"query": "1+1", "time": "1"}).json()["data"]
    assert scalar == {"resultType": "scalar", "result": [1, "2"]}
    line = http.get("/api/v1/query_range", params={"query": "2.5", "start": 0, "end": 2, "step": 1}).json()["data"]
    assert line == {"resultType": "matrix", "result": [{"metric": {}, "values": [[0, "2.5"], [1, "2.5"], [2, "2.5"]]}]}


RANGE = {"query": "up", "start": "0", "end": "10", "step": "1"}


REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("query", {"query": "sum(deriv(up[5m]))"}, "not understood here: deriv(up[5m]): "),
    ("query", {"query": "1 + stddev(up)"}, "not understood here: stddev(up): "),
    ("query", {"query": "up{"}, "parse error: "),
    ("query", {}, "no expression found in input"),
    (
        "query",
        {"query": "up", "time": "yesterday"},
        'invalid parameter "time": cannot parse "yesterday" to a valid timestamp',
    ),
    ("query_range", {**RANGE, "start": ""}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
    ("query_range", {**RANGE, "step": "x"}, 'invalid parameter "step": cannot parse "x" to a valid duration'),
    ("query_range", {**RANGE, "step": "0"}, "zero or negative query resolution step widths are not accepted"),
    ("query_range", {**RANGE, "step": "0.0001"}, "zero or negative query resolution step widths are not accepted"),
    ("query_range", {**RANGE, "start": "11"}, "end timestamp must not be before start time"),
    ("query_range", {**RANGE, "end": "11001"}, "exceeded maximum resolution of 11,000 points per timeseries"),
    ("query_range", {**RANGE, "query": "up[5m]"}, 'invalid expression type "range vector" for range query'),
    ("query_range", {**RANGE, "query": '"up"'}, 'invalid expression type "string" for range query'),
    ("series", {}, "no match[] parameter provided"),
    ("series", {"match[]": "1"}, 'invalid parameter "match[]"'),
    ("labels", {"limit": "-1"}, 'invalid parameter "limit"'),
    ("query", {"query": "up", "lookback_delta": "-5m"}, "lookback_delta"),
]


def test_errors_in_prometheus_own_form(http: TestClient) -> None:
    for path, params, said in REFUSED:
        answer = http.get(f"/api/v1/{path}", params=params)
        found = answer.json()
        assert (answer.status_code, found["status"], found["errorType"]) == (400, "error", "bad_data"), params
        assert said in found["error"]


def test_eleven_thousand_points_are_allowed(http: TestClient) -> None:
    assert http.get("/api/v1/query_range", params={**RANGE, "end": "11000"}).status_code == 200


def test_series_labels_and_values(http: TestClient) -> None:
    series = http.get("/api/v1/series", params=[("match[]", "node_load1"), ("match[]", 'up{site="abuja"}')]).json()
    assert series["data"] == [{"__name__": name, **LABELS} for name in ("node_load1", "up")]
    assert http.post("/api/v1/series", data={"match[]": "nothing"}).json()["data"] == []
    assert http.get("/api/v1/labels").json()["data"] == ["__name__", *sorted(LABELS)]
    names = http.get("/api/v1/label/__name__/values").json()["data"]
    assert names == ["node_load1", "node_load5", "up"]
    assert http.get("/api/v1/label/__name__/values", params={"match[]": '{__name__=~"node.*"}', "limit": 1}).json()[
        "data"
    ] == ["node_load1"]
    assert http.get("/api/v1/label/instance/values", params={"match[]": "up"}).json()["data"] == [HOST]
    assert http.get("/api/v1/label/nothing/values").json()["data"] == []


def test_series_of_another_time(http: TestClient, archive: Archive) -> None:
    archive.chunk(START + HOUR)
    window = {"match[]": "node_load1", "start": AT + 86_400, "end": AT + 90_000}
    assert http.get("/api/v1/series", params=window).json()["data"] == []
    assert len(http.get("/api/v1/series", params={**window, "start": AT}).json()["data"]) == 1


def test_a_stranger_sees_nothing(http: TestClient) -> None:
    stranger = {"agency": "other"}
    for path, params in (
        ("query", {"query": "node_load1", "time": str(AT)}),
        ("query", {"query": "up[5m]", "time": str(AT)}),
        ("query_range", {"query": "up", "start": str(AT), "end": str(AT + 60), "step": "15"}),
    ):
        assert http.get(f"/api/v1/{path}", params=params, headers=stranger).json()["data"]["result"] == []
    for path in ("series?match[]=up", "labels", "label/instance/values"):
        assert http.get(f"/api/v1/{path}", headers=stranger).json()["data"] == []
    assert http.get("/api/v1/metadata", headers=stranger).json()["data"] == {}
    assert http.get("/api/v1/query", params={"query": "node_load1"}, headers={"agency": "for"}).json()["data"]["result"]


def test_what_grafana_asks_first(http: TestClient) -> None:
    info = http.get("/api/v1/status/buildinfo").json()
    assert info["status"] == "success"
    assert info["data"]["version"]
    metadata = http.get("/api/v1/metadata").json()["data"]
    assert metadata["node_load1"] == [{"type": "gauge", "help": "", "unit": ""}]
    assert list(http.get("/api/v1/metadata", params={"metric": "node_load5"}).json()["data"]) == ["node_load5"]
    assert len(http.get("/api/v1/metadata", params={"limit": 1}).json()["data"]) == 1
