"""``/metrics`` of a caller with limits: what is theirs, no name of anybody else's, nothing of the collector itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from stage import PUBLIC, TOPOLOGY, HandClock
from starlette.testclient import TestClient

from agent.link.clock import SystemChance
from collector.access.queries import add_api_token
from collector.app import App, build
from collector.cli.init import initialise
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.settings import Settings
from collector.store.scope import EVERYTHING, NOTHING, Scope

OWNER = Scope(frozenset({"owner"}))
STRANGER = Scope(frozenset({"stranger"}))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    clock, folder = HandClock(), tmp_path_factory.mktemp("scope")
    settings = replace(Settings(data_dir=folder / "data"), server=PUBLIC)
    initialise(settings, clock.now, SystemChance(), password="a rather long password")
    made = build(settings, clock)
    with made.store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
    made.read_back()
    made.telemetry.brought("mea", "fork")
    made.telemetry.job_ran("verdicts", 0.1, clock.wall_ms())
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("scope", "sites", "agencies", "hubs"),
    [
        (EVERYTHING, {"here", "there", "away"}, {"owner", "stranger"}, {"mea"}),
        (OWNER, {"here", "there"}, {"owner"}, {"mea"}),
        (STRANGER, {"away"}, {"stranger"}, set()),
        (Scope(None, frozenset({"there"})), {"there"}, {"owner"}, set()),
        (NOTHING, set(), set(), set()),
    ],
)
def test_each_sees_their_own_names_alone(
    app: App, scope: Scope, sites: set[str], agencies: set[str], hubs: set[str]
) -> None:
    name = "-".join(["of", *sorted(sites), *sorted(hubs)])
    with app.store.transaction() as connection:
        add_api_token(connection, f"secret-{name}", name, "test", app.clock.now, scope=scope)  # type: ignore[attr-defined]
    client = TestClient(app.fastapi, base_url="https://bongsu.test", headers={"Authorization": f"Bearer secret-{name}"})
    text = client.get("/metrics").text
    for label, expected in (("site", sites), ("agency", agencies), ("hub", hubs)):
        assert set(re.findall(rf'\b{label}="([^"]+)"', text)) - {"local"} == expected, label
    is_whole = scope == EVERYTHING
    for family in ("bongsu_collector_build_info", "bongsu_http_requests_total", "bongsu_hub_envelopes_refused_total"):
        assert (family in text) == is_whole, family
    assert ("process_cpu_seconds_total" in text) == is_whole
