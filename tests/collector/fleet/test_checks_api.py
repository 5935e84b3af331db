"""``/api/checks`` and how ``/api/hosts`` stand: as the newest reports say, each to whoever may see the host."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sender import schema_of
from stage import Stage
from starlette.testclient import TestClient

from collector.live.shape import Shapes
from collector.store.scope import EVERYTHING, NOTHING, Scope
from collector.verdicts.standing import HostStanding, SiteStanding, Standing

OWNER = Scope(frozenset({"owner"}))
ALL = ["shared.here/disk", "web.away/disk", "web.away/load", "web.here/disk", "web.here/load", "web.there/disk"]
SEEN: list[tuple[Scope, list[str]]] = [
    (EVERYTHING, ALL),
    (OWNER, ["web.here/disk", "web.here/load", "web.there/disk"]),
    (Scope(frozenset({"stranger"})), ["shared.here/disk", "web.away/disk", "web.away/load"]),
    (Scope(None, frozenset({"there"})), ["web.there/disk"]),
    (Scope(frozenset({"owner"}), frozenset({"here"})), ["web.here/disk", "web.here/load"]),
    (NOTHING, []),
]


def report(stage: Stage, host: str, **states: float) -> None:
    at_ms, schema = stage.clock.wall_ms(), schema_of(host, checks=tuple(states))
    words = np.array([1.0, *states.values()]).view(np.uint64)
    layout = Shapes().layout(schema)
    assert stage.live.sample(b"a" * 16, b"e" * 8, layout, 1, at_ms, 0, words, at_ms, 60_000) == "accepted"


@pytest.fixture
def reported(stage: Stage) -> Stage:
    report(stage, "web.there", disk=2.0)
    stage.clock.move(timedelta(hours=1))
    at_ms = stage.clock.wall_ms()
    report(stage, "shared.here", disk=0.0)
    report(stage, "web.away", disk=1.0, load=0.0)
    report(stage, "web.here", disk=3.0, load=0.0)
    stage.live.state(b"a" * 16, b"e" * 8, 2, at_ms, "web.here", "load", 2, "load 98.0 above 4", at_ms, 60_000)
    stage.standing = Standing(
        sites={"here": SiteStanding(3, 5, "checks_failing", 7)},
        hosts={"web.here": HostStanding(3, 5, "checks_failing", 7, cause="hub:mea")},
    )
    return stage


def asked(client: TestClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(client: TestClient, query: str = "") -> list[str]:
    return [f"{one['host']}/{one['check']}" for one in asked(client, f"/api/checks{query}")["items"]]


def test_everyone_sees_the_checks_of_their_own_hosts_alone(reported: Stage) -> None:
    for number, (scope, seen) in enumerate(SEEN):
        client = reported.program(f"p{number}", scope=scope)
        assert names(client) == seen, scope
        assert names(client, "?host=web.away") == [name for name in seen if name.startswith("web.away/")], scope
        assert names(client, "?site=there") == [name for name in seen if ".there/" in name], scope


def test_what_is_asked_for_is_found_page_by_page(reported: Stage) -> None:
    client = reported.program("p")
    assert names(client, "?state=warning&state=unknown") == ["web.away/disk", "web.here/disk"]
    assert names(client, "?state=critical") == ["web.here/load"]
    assert names(client, "?state=no_data") == ["web.there/disk"]
    assert names(client, "?state=ok&site=here") == ["shared.here/disk"]
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = client.get("/api/checks", params={"limit": 2, "after": after}).json()
        found += [f"{one['host']}/{one['check']}" for one in page["items"]]
        after = page["next"]
    assert found == ALL
    assert client.get("/api/checks?state=red").status_code == 422


def test_a_check_says_everything_and_of_a_silent_host_only_what_it_said_last(reported: Stage) -> None:
    client, at_ms = reported.program("p"), reported.clock.wall_ms()
    assert asked(client, "/api/checks?host=web.here&state=critical")["items"] == [
        {
            "host": "web.here", "check": "load", "site": "here", "agency": "owner", "state": 2, "state_name": "critical",
            "last_state": 2, "since_ms": at_ms, "text": "load 98.0 above 4",
        }
    ]  # fmt: skip
    silent = asked(client, "/api/checks?host=web.there")["items"][0]
    assert (silent["state"], silent["state_name"], silent["last_state"]) == (None, "no_data", 2)
    assert silent["since_ms"] == at_ms - 3_600_000


def test_hosts_say_how_they_stand_as_sites_do(reported: Stage) -> None:
    client = reported.program("p")
    stands = {"state": 3, "since_ms": 5, "reason": "checks_failing", "last_report_ms": 7}
    for path, cause in (("/api/sites/here", ""), ("/api/hosts/web.here", "hub:mea")):
        assert asked(client, path).items() >= {**stands, "cause": cause}.items(), path
    listed = {one["id"]: one["state"] for one in asked(client, "/api/hosts")["items"]}
    assert (listed["web.here"], listed["web.away"]) == (3, None), "null: nothing is concluded yet, which is not ok"
