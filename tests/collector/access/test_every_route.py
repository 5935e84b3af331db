"""Walks every route of the real collector: none is reachable by a stranger but the open ones, and every one that writes
asks for a caller who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stage import PUBLIC, HandClock
from starlette.testclient import TestClient

from agent.link.clock import SystemChance
from collector.access.guard import is_open, member
from collector.app import App, build
from collector.cli.init import initialise
from collector.settings import Settings

READS_BY_POST = {"/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels"}
"""Prometheus' own API: clients send long queries as a form."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    clock = HandClock()
    settings = replace(Settings(data_dir=tmp_path / "data"), server=PUBLIC)
    initialise(settings, clock.now, SystemChance(), password="a rather long password")
    made = build(settings, clock)
    yield made
    made.store.close()


def routes(app: App) -> list[tuple[str, str, Any]]:
    """(method, path, route) of everything FastAPI serves; included routers are opened."""
    found: list[tuple[str, str, Any]] = []

    def walk(some: Any) -> None:
        for route in some:
            if hasattr(route, "effective_route_contexts"):
                for context in route.effective_route_contexts():
                    found.extend((method, context.path, context) for method in context.methods or ())
            elif getattr(route, "methods", None):
                found.extend((method, route.path, route) for method in route.methods)

    walk(app.fastapi.routes)
    return found


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path)


def test_the_walk_sees_the_collector(app: App) -> None:
    paths = {path for _, path, _ in routes(app)}
    assert {"/api/sites", "/v1/enrolments", "/login", "/healthz", "/metrics", "/api/openapi.json"} <= paths


def test_nothing_is_reachable_without_a_caller_but_the_open_paths(app: App) -> None:
    client = TestClient(app.fastapi, base_url="https://bongsu.test", follow_redirects=False)
    walked = 0
    for method, path, _ in routes(app):
        if not is_open(concrete(path)):
            answer = client.request(method, concrete(path))
            assert answer.status_code == 401, (method, path, answer.status_code)
            walked += 1
    assert walked > 10


MACHINES = {"/v1/enrolments", "/v1/keys", "/v1/ca", "/v1/policy", "/v1/registry", "/v1/incidents"}
MACHINES |= {"/v1/alerts/{kind}/{key}", "/v1/beats/{key}", "/v1/beats/{key}/{word}", "/v1/replies/{channel}"}
MACHINES |= {"/v1/outbox/{channel}", "/v1/outbox/{channel}/{name}"}
"""Each asks for a proof of its own, or has a secret in its address."""


def test_the_open_paths_are_few(app: App) -> None:
    opened = {path for _, path, _ in routes(app) if is_open(concrete(path)) and not path.startswith("/static/")}
    assert opened <= {
        "/healthz",
        "/readyz",
        "/login",
        "/status/{agency}",
        "/feeds/{secret}.ics",
        "/a/{token}",
        "/wall/enter",
        "/keys",
        "/look",
        *MACHINES,
    }


def test_whatever_writes_asks_who_may(app: App) -> None:
    for method, path, route in routes(app):
        if method in ("GET", "HEAD", "OPTIONS") or is_open(concrete(path)) or path in READS_BY_POST:
            continue
        asked = {dependency.call for dependency in route.dependant.dependencies}
        assert member in asked or any(hasattr(call, "right") for call in asked), (
            f"{method} {path} writes without asking who may"
        )
