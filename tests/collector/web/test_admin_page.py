"""The page of people and rights: what each role sees of it, and what only an administrator may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from test_incident_pages import Browser
from told_incidents import PASSWORD, tell
from world import World, make_world, plant

from collector.access.audit import read_log
from collector.access.queries import list_persons
from collector.access.tables import persons


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = tell(plant(make_world(tmp_path)))
    made.app()
    yield made
    made.store.close()


def become(world: World, username: str, role: str) -> Browser:
    with world.store.transaction() as connection:
        connection.execute(update(persons).where(persons.c.username == username).values(role=role))
    return Browser(world, username)


def test_each_sees_what_is_theirs_to_see(world: World) -> None:
    seen = {
        role: become(world, "garam", role).see("/admin")
        for role in ("auditor", "tenant_viewer", "noc_operator", "system_admin")
    }
    for role, page in seen.items():
        assert ("010-5555-0002" in page) == (role in ("noc_operator", "system_admin")), role
        assert ('id="audit"' in page) == (role in ("auditor", "system_admin")), role
        assert ('id="users"' in page) == (role == "system_admin"), role
        assert "+82-2-555-0001" in page, "one's own"
    tenant = Browser(world, "tenant").see("/admin")
    assert "555" not in tenant
    with world.store.reading() as connection:
        views = read_log(connection, action="people.view")
    assert [row.data for row in views] == [{"people": ("lee",)}] * 2, "of others, by those who saw them"


def test_an_administrator_decides_and_nobody_else(world: World) -> None:
    lead = Browser(world, "garam")
    page = lead.see("/admin")
    for path in ("/admin/users", "/admin/users/tenant", "/admin/users/tenant/remove", "/admin/tokens"):
        lead.press(path, page, 403, username="x", role="system_admin", name="x")
    chief = become(world, "garam", "system_admin")
    page = chief.see("/admin")
    made = chief.press("/admin/users", page, username="choi", role="site_admin", sites="abuja")
    secret = re.search(r"<code>(\w{20})</code>", made)
    assert secret
    signed_in = chief.client.post("/login", data={"username": "choi", "password": secret[1]})
    assert signed_in.status_code == 200
    chief = Browser(world, "garam")
    page = chief.see("/admin")
    assert "expected whose" in chief.press("/admin/users/choi", page, 422, role="site_admin")
    assert "no such site" in chief.press("/admin/users/choi", page, 422, role="site_admin", sites="abja")
    assert "ask another administrator" in chief.press("/admin/users/garam/remove", page, 422)
    chief.press("/admin/users/choi", page, role="auditor")
    chief.press("/admin/users/tenant/remove", page)
    token = re.search(r"<code>(bongsu_\w{64})</code>", chief.press("/admin/tokens", page, name="wall", role="viewer"))
    assert token
    chief.client.headers["Authorization"] = f"Bearer {token[1]}"
    assert chief.client.get("/api/me").json()["name"] == "token:wall"
    del chief.client.headers["Authorization"]
    chief.press("/admin/tokens/wall/revoke", page)
    with world.store.reading() as connection:
        assert [(p.username, p.role) for p in list_persons(connection)] == [
            ("choi", "auditor"),
            ("garam", "system_admin"),
        ]
        rows = [row for name in ("user", "api_token") for row in reversed(read_log(connection, action=name))]
        assert [row.action for row in rows] == ["user.add", "user.change", "user.remove", "api_token.create", "api_token.revoke"]  # fmt: skip
        assert secret[1] not in str(rows)
    assert PASSWORD not in page
