"""``/api/tokens``: for administrators, of sites that are theirs, and never a token's text but to whoever made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stage import Stage

from agent.link.keys import new_key
from agent.link.token import proof_message, read_token
from collector.access.roles import ROLES
from collector.store.scope import EVERYTHING, NOTHING, Scope

OWNER = Scope(frozenset({"owner"}))


@pytest.fixture
def invited(stage: Stage) -> Stage:
    """One used, one expired, two that may be used."""
    stage.token("away", hours=1)
    stage.clock.move(timedelta(hours=2))
    token, key = stage.token("here", "gate"), new_key()
    proof = key.sign(proof_message(token, key.public)).hex()
    body = {"token": token, "public_key": key.public.hex(), "proof": proof, "host": "web"}
    assert stage.client().post("/v1/enrolments", json=body).status_code == 200
    stage.token("there")
    stage.token("away")
    return stage


def listed(stage: Stage, name: str, scope: Scope, query: str = "") -> list[dict[str, Any]]:
    answer = stage.program(name, role="system_admin", scope=scope).get(f"/api/tokens{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    assert [one["id"] for one in found] == sorted(one["id"] for one in found)
    return found


@pytest.mark.parametrize(
    ("scope", "query", "seen"),
    [
        (EVERYTHING, "", {("away", "expired"), ("here", "used"), ("there", "unused"), ("away", "unused")}),
        (EVERYTHING, "?state=unused", {("there", "unused"), ("away", "unused")}),
        (EVERYTHING, "?site=away", {("away", "expired"), ("away", "unused")}),
        (OWNER, "", {("here", "used"), ("there", "unused")}),
        (OWNER, "?site=away", set()),
        (Scope(None, frozenset({"there"})), "", {("there", "unused")}),
        (NOTHING, "", set()),
    ],
)
def test_each_administrator_sees_the_tokens_of_their_sites(
    invited: Stage, scope: Scope, query: str, seen: set[tuple[str, str]]
) -> None:
    assert {(one["site"], one["state"]) for one in listed(invited, "p", scope, query)} == seen


def test_a_token_says_what_became_of_it_and_never_itself(invited: Stage) -> None:
    used = next(one for one in listed(invited, "p", EVERYTHING) if one["state"] == "used")
    agent = next(iter(invited.registry.fleet.agents))
    assert used | {"id": ""} == {
        "id": "", "site": "here", "host": "gate", "hub": "", "state": "used", "created_at": "2026-11-22T10:00:00Z",
        "created_by": "test", "expires_at": "2026-11-23T10:00:00Z", "agent": agent.hex(),
    }  # fmt: skip


def test_only_administrators_see_make_or_end_them(invited: Stage) -> None:
    unused = next(one["id"] for one in listed(invited, "all", EVERYTHING) if one["state"] == "unused")
    for role in ROLES:
        client = invited.program(f"a-{role}", role=role, scope=Scope(frozenset({"owner"}), frozenset({"here"})))
        is_admin = role in ("admin", "system_admin")
        assert client.get("/api/tokens").status_code == (200 if is_admin else 403), role
        assert client.post("/api/tokens", json={"site": "here"}).status_code == (201 if is_admin else 403), role
        assert client.post(f"/api/tokens/{unused}/cancel").status_code == (404 if is_admin else 403), role
    stranger = invited.client()
    assert stranger.get("/api/tokens").status_code == 401
    assert stranger.post("/api/tokens", json={"site": "here"}).status_code == 401


def test_a_token_is_made_told_once_and_ended(stage: Stage) -> None:
    client = stage.program("p", role="system_admin", scope=OWNER)
    answer = client.post("/api/tokens", json={"site": "here", "host": "Gate", "hours": 2})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    token = read_token(made["token"])
    assert (token.site, token.host, made["expires_at"]) == ("here", "gate", "2026-11-22T10:00:00Z")
    assert made["command"] == f"bongsu-agent enroll --token {made['token']}"
    listing = client.get("/api/tokens")
    assert made["token"] not in listing.text
    name = listing.json()["items"][0]["id"]
    assert (name, listing.json()["items"][0]["created_by"]) == (token.token_id.hex(), "token:p")
    for status in (204, 204):
        assert client.post(f"/api/tokens/{name}/cancel").status_code == status, "ended is ended"
    assert client.get("/api/tokens").json()["items"][0]["state"] == "cancelled"
    for wanted, status in (
        ({"site": "away"}, 404),
        ({"site": "nowhere"}, 404),
        ({"site": "here", "host": "a.b"}, 422),
        ({"site": "here", "hours": 0}, 422),
        ({}, 422),
    ):
        assert client.post("/api/tokens", json=wanted).status_code == status, wanted
    assert client.post("/api/tokens/zz/cancel").status_code == 404


def test_who_used_one_is_not_undone_by_ending_it(invited: Stage) -> None:
    used = next(one["id"] for one in listed(invited, "p", EVERYTHING) if one["state"] == "used")
    answer = invited.program("q", role="system_admin").post(f"/api/tokens/{used}/cancel")
    assert answer.status_code == 409
    assert "bongsu agent revoke" in answer.json()["detail"]
