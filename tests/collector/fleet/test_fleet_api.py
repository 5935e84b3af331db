"""The JSON API of the fleet, asked by its owner, by a caller limited to a site, and by a stranger."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage
from starlette.testclient import TestClient

from agent.link.keys import new_key
from agent.link.token import proof_message
from collector.store.scope import EVERYTHING, NOTHING, Scope

OWNER = Scope(frozenset({"owner"}))
STRANGER = Scope(frozenset({"stranger"}))
ONE_SITE = Scope(None, frozenset({"there"}))
OWNER_AT_ONE_SITE = Scope(frozenset({"owner"}), frozenset({"here"}))

SEEN: list[tuple[str, Scope, list[str]]] = [
    ("hubs", EVERYTHING, ["mea"]),
    ("hubs", OWNER, ["mea"]),
    ("hubs", STRANGER, []),
    ("hubs", ONE_SITE, []),
    ("sites", EVERYTHING, ["away", "here", "there"]),
    ("sites", OWNER, ["here", "there"]),
    ("sites", STRANGER, ["away"]),
    ("sites", ONE_SITE, ["there"]),
    ("sites", OWNER_AT_ONE_SITE, ["here"]),
    ("sites", NOTHING, []),
    ("hosts", EVERYTHING, ["shared.here", "web.away", "web.here", "web.there"]),
    ("hosts", OWNER, ["web.here", "web.there"]),
    ("hosts", STRANGER, ["shared.here", "web.away"]),
    ("hosts", ONE_SITE, ["web.there"]),
    ("hosts", OWNER_AT_ONE_SITE, ["web.here"]),
    ("hosts", NOTHING, []),
]


@pytest.fixture
def enrolled(stage: Stage) -> Stage:
    for site in ("here", "away"):
        token, key = stage.token(site), new_key()
        proof = key.sign(proof_message(token, key.public)).hex()
        body = {"token": token, "public_key": key.public.hex(), "proof": proof, "host": "web"}
        assert stage.client().post("/v1/enrolments", json=body).status_code == 200
    return stage


def ids(client: TestClient, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_everyone_sees_their_own_and_a_stranger_not_even_that_it_is_there(stage: Stage) -> None:
    whole = {noun: set(seen) for noun, scope, seen in SEEN if scope == EVERYTHING}
    for number, (noun, scope, seen) in enumerate(SEEN):
        client = stage.program(f"p{number}", scope=scope)
        assert ids(client, f"/api/{noun}") == seen, (noun, scope)
        for name in whole[noun]:
            answer = client.get(f"/api/{noun}/{name}")
            assert answer.status_code == (200 if name in seen else 404), (noun, name, scope)
            if name not in seen:
                hidden, absent = answer.json(), client.get(f"/api/{noun}/nowhere").json()
                assert hidden["detail"].replace(repr(name), "") == absent["detail"].replace("'nowhere'", "")


def test_agents_are_seen_by_whoever_owns_their_host(enrolled: Stage) -> None:
    def seen(name: str, scope: Scope) -> list[str]:
        client = enrolled.program(name, scope=scope)
        return sorted(item["host"] for item in client.get("/api/agents").json()["items"])

    assert seen("all", EVERYTHING) == ["web.away", "web.here"]
    assert seen("owner", OWNER) == ["web.here"]
    assert seen("stranger", STRANGER) == ["web.away"]
    assert seen("one-site", ONE_SITE) == []
    client = enrolled.program("p", scope=OWNER)
    other = next(agent for agent in enrolled.registry.fleet.agents.values() if agent.site == "away")
    mine = next(agent for agent in enrolled.registry.fleet.agents.values() if agent.site == "here")
    assert client.get(f"/api/agents/{other.id.hex()}").status_code == 404
    answer = client.get(f"/api/agents/{mine.id.hex()}").json()
    assert answer["hosts"] == ["web.here"]
    assert answer["status"] == "active"
    assert answer["enrolled_at"] == "2026-11-22T08:00:00Z"
    for name in ("zz", "00", mine.id.hex()[:-2]):
        assert client.get(f"/api/agents/{name}").status_code == 404


def test_items_say_everything(stage: Stage) -> None:
    client = stage.program("p")
    assert client.get("/api/sites/here").json() == {
        "id": "here",
        "agency": "owner",
        "hub": "mea",
        "name_ko": "here",
        "name_en": "here",
        "latitude": 9.0765,
        "longitude": 7.3986,
        "timezone": "Africa/Lagos",
        "link_profile": "geo",
        "interval_seconds": 60,
        "state": None,
        "since_ms": None,
        "reason": "",
        "cause": "",
        "last_report_ms": None,
    }
    assert client.get("/api/hosts/shared.here").json() == {
        "id": "shared.here",
        "name": "shared",
        "site": "here",
        "agency": "stranger",
        "shared": True,
        "role": "",
        "managed_by": "file",
        "agent": None,
        "via": "",
        "state": None,
        "since_ms": None,
        "reason": "",
        "cause": "",
        "last_report_ms": None,
    }
    named = {"id": "mea", "name_ko": "중동 거점", "name_en": "중동 거점", "url": ""}
    assert client.get("/api/hubs/mea").json() == named | {"state": None, "contact_at": None, "registry_copy": None}
    assert ids(client, "/api/hosts?site=there") == ["web.there"]


def test_lists_go_on_where_they_ended(enrolled: Stage) -> None:
    client = enrolled.program("p")
    for noun in ("hubs", "sites", "hosts", "agents", "agencies", "systems"):
        whole = ids(client, f"/api/{noun}?limit=1000")
        found: list[str] = []
        after: Any = ""
        while after is not None:
            page = client.get(f"/api/{noun}", params={"limit": 1, "after": after}).json()
            found += [item["id"] for item in page["items"]]
            after = page["next"]
        assert found == whole, noun
        assert whole


def test_what_cannot_be_asked(stage: Stage) -> None:
    client = stage.program("p")
    for path, status in (
        ("/api/sites?limit=0", 422),
        ("/api/sites?limit=1001", 422),
        ("/api/sites?limit=x", 422),
        ("/api/sites?after=%00", 400),
        ("/api/sites/%00", 400),
        ("/api/agents?after=zz", 200),
        ("/api/nothing", 404),
    ):
        answer = client.get(path)
        assert answer.status_code == status, path
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "code"} <= answer.json().keys()
    assert client.delete("/api/sites").status_code == 405


def test_the_api_is_described(stage: Stage) -> None:
    paths = stage.fastapi.openapi()["paths"]
    for noun in ("agencies", "systems", "hubs", "sites", "hosts", "checks", "agents", "tokens"):
        described = paths[f"/api/{noun}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert described["$ref"].startswith("#/components/schemas/Page_")
