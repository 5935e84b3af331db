"""Agencies and systems, asked by their owner, by callers limited to a site, and by a stranger."""

from __future__ import annotations

from stage import Stage

from collector.store.scope import EVERYTHING, NOTHING, Scope

OWNER = Scope(frozenset({"owner"}))
STRANGER = Scope(frozenset({"stranger"}))
THERE = Scope(None, frozenset({"there"}))
HERE = Scope(None, frozenset({"here"}))
AWAY_BUT_OWNER = Scope(frozenset({"owner"}), frozenset({"away"}))

SEEN: list[tuple[str, Scope, list[str]]] = [
    ("agencies", EVERYTHING, ["owner", "stranger"]),
    ("agencies", OWNER, ["owner"]),
    ("agencies", STRANGER, ["stranger"]),
    ("agencies", THERE, ["owner"]),
    ("agencies", HERE, ["owner", "stranger"]),  # the stranger's shared machine stands here
    ("agencies", AWAY_BUT_OWNER, []),
    ("agencies", NOTHING, []),
    ("systems", EVERYTHING, ["mail", "portal"]),
    ("systems", OWNER, ["portal"]),
    ("systems", STRANGER, ["mail"]),
    ("systems", THERE, ["portal"]),
    ("systems", AWAY_BUT_OWNER, []),
    ("systems", NOTHING, []),
]

UNJUDGED = {"state": None, "since_ms": None, "reason": "", "cause": ""}


def test_everyone_sees_their_own(stage: Stage) -> None:
    whole = {"agencies": {"owner", "stranger"}, "systems": {"mail", "portal"}}
    for number, (noun, scope, seen) in enumerate(SEEN):
        client = stage.program(f"p{number}", scope=scope)
        answer = client.get(f"/api/{noun}")
        assert [item["id"] for item in answer.json()["items"]] == seen, (noun, scope)
        for name in whole[noun]:
            assert client.get(f"/api/{noun}/{name}").status_code == (200 if name in seen else 404), (noun, name, scope)


def test_a_system_shows_only_hosts_of_the_caller(stage: Stage) -> None:
    for name, scope, expected in (
        ("all", EVERYTHING, ["shared.here", "web.here", "web.there"]),
        ("owner", OWNER, ["web.here", "web.there"]),
        ("there", THERE, ["web.there"]),
    ):
        answer = stage.program(name, scope=scope).get("/api/systems/portal")
        assert answer.json() == {
            "id": "portal",
            "agency": "owner",
            "name_ko": "portal",
            "name_en": "portal",
            "grade": 1,
            "hosts": expected,
            **UNJUDGED,
        }
