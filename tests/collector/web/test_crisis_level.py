"""The crisis alert level: who may say it, where it shows, and what is kept of it."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from test_pages import BROWSER, read
from world import World

from collector.access.passwords import hash_password
from collector.access.queries import add_person
from collector.access.tables import audit_log
from collector.agencies import api as agencies_api
from collector.store.schema import instant
from collector.store.scope import EVERYTHING

BOARD = "/systems?view=recovery"
ORIGIN = {"origin": "http://127.0.0.1:8650"}


def signed_in(app: FastAPI, world: World, name: str, role: str) -> tuple[TestClient, str]:
    """A browser and its CSRF token."""
    with world.store.transaction() as connection:
        at = instant(world.clock.wall_ms())
        add_person(connection, name, hash_password("correct horse battery"), at, role=role, scope=EVERYTHING)
    client = TestClient(app, base_url="http://127.0.0.1:8650", follow_redirects=False)
    client.post("/login", data={"username": name, "password": "correct horse battery", "next": "/"}, headers=ORIGIN)
    page = read(client.get("/admin", headers=BROWSER).text)
    return client, next(tag["value"] or "" for kind, tag in page.tags if kind == "input" and tag.get("name") == "csrf")


def test_a_shift_lead_declares_it_and_everybody_sees_it_big(client: TestClient, world: World) -> None:
    assert "발령 없음" in client.get(BOARD, headers=BROWSER).text
    assert "crisischip" not in client.get("/", headers=BROWSER).text
    world.fastapi.include_router(agencies_api.router(world))  # type: ignore[arg-type]
    lead, csrf = signed_in(world.fastapi, world, "lead", "shift_lead")
    operator, theirs = signed_in(world.fastapi, world, "operator", "noc_operator")
    sent = {"level": "serious", "note": "행정안전부 상황전파"}
    assert operator.post("/systems/crisis-level", data=sent | {"csrf": theirs}, headers=ORIGIN).status_code == 403
    assert lead.post("/systems/crisis-level", data=sent | {"csrf": "x"}, headers=ORIGIN).status_code == 403
    assert (
        lead.post("/systems/crisis-level", data=sent | {"csrf": csrf, "level": "red"}, headers=ORIGIN).status_code
        == 422
    )
    assert lead.post("/systems/crisis-level", data=sent | {"csrf": csrf}, headers=ORIGIN).status_code == 303
    text = read(client.get(BOARD, headers=BROWSER).text).text
    assert "심각" in text
    assert "행정안전부 상황전파" in text
    assert "lead" in text
    assert "2026-07-31 14:05 KST" in text
    assert 'class="crisischip l4"' in client.get("/", headers=BROWSER).text
    assert "crisissum l4" in client.get("/wall", headers=BROWSER).text
    assert lead.get("/api/crisis").json() == {
        "level": "serious", "since": "2026-07-31T05:05:09Z", "by": "lead", "note": "행정안전부 상황전파",
    }  # fmt: skip
    lead.post("/systems/crisis-level", data=sent | {"csrf": csrf}, headers=ORIGIN)
    lifted = lead.put("/api/crisis", json={"level": "none"}, headers=ORIGIN | {"x-csrf-token": csrf})
    assert lifted.json()["level"] == "none"
    assert "crisischip" not in client.get("/", headers=BROWSER).text
    with world.store.reading() as connection:
        kept = [row.action for row in connection.execute(select(audit_log)) if row.action == "crisis.set"]
    assert len(kept) == 2, "saying the same again is no change"
