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

from agent.link.token import read_token
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


def test_a_join_token_is_made_on_the_page_of_agents(world: World) -> None:
    """As on the command line: shown once, written down, for what its maker may see, and cancelled while nobody used it."""
    lead = Browser(world, "garam")
    page = lead.see("/agents")
    assert "bongsu token create --site SITE" in page, "who may not make one is told whom it takes"
    lead.press("/agents", page, 403, site="abuja")
    chief = become(world, "garam", "system_admin")
    page = chief.see("/agents?q=abuja")
    assert '<option value="abuja" selected>' in page
    for fields, status in (({"site": "nowhere"}, 404), ({"site": "abuja", "host": "a b"}, 422), ({"site": "abuja", "hours": "9999"}, 422)):  # fmt: skip
        chief.press("/agents", page, status, **fields)
    made = chief.press("/agents", page, site="abuja", host="SRV9", hours="72")
    (text,) = set(re.findall(r"--token (bongsu1\.[\w.-]+)", made))
    token = read_token(text)
    assert (token.site, token.host, token.centre_key) == ("abuja", "srv9", world.centre_key.public)
    assert token.collectors == ["http://127.0.0.1:8650"]
    assert "이 장비 자신만 닿는" in made
    page = chief.see("/agents")
    assert text not in page
    assert token.token_id.hex() in page
    with world.store.transaction() as connection:
        connection.execute(update(persons).where(persons.c.username == "garam").values(sites=["lima"]))
    limited = Browser(world, "garam")
    assert token.token_id.hex() not in limited.see("/agents")
    limited.press("/agents", limited.see("/agents"), 404, site="abuja")
    limited.press(f"/agents/tokens/{token.token_id.hex()}/cancel", limited.see("/agents"), 404)
    with world.store.transaction() as connection:
        connection.execute(update(persons).where(persons.c.username == "garam").values(sites=None))
    chief = Browser(world, "garam")
    page = chief.press(f"/agents/tokens/{token.token_id.hex()}/cancel", chief.see("/agents"))
    assert "토큰을 무효로 했습니다" in page
    assert token.token_id.hex() not in page
    with world.store.reading() as connection:
        done = [(row.action, row.actor, row.subject) for row in read_log(connection) if row.action.startswith("token")]
    assert sorted(done) == [("token.cancel", "garam", token.token_id.hex()), ("token.create", "garam", "abuja")]


def test_an_own_zone_shows_beside_koreas_and_another_language_without_asking_each_time(world: World) -> None:
    me = Browser(world, "garam")
    page = me.see("/account")
    assert 'href="/account"' in me.see("/")
    assert "data-own" not in page, "Korea's clock is enough for whoever lives by it"
    me.press("/account", page, 422, timezone="Europe/Berlim")
    page = me.press("/account", page, timezone="Europe/Berlin", language="en")
    assert '<html lang="en">' in page
    assert 'data-own="Europe/Berlin"' in page
    assert re.search(r'title="[^"]* KST · [^"]* Europe/Berlin"', me.see("/incidents")), "titles of times say it too"
    page = me.press("/account", page, timezone="Asia/Tokyo", language="ko")
    assert "data-own" not in page, "which is as late as in Korea"
    with world.store.reading() as connection:
        assert [row.actor for row in read_log(connection, action="user.look")] == ["garam"] * 2
