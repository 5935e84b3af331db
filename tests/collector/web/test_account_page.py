"""The page of one's own account: found from every page, works by forms alone, and tells why something was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_incident_pages import Browser
from told_incidents import PASSWORD, tell
from world import World, make_world, plant

NEW = "a staple and a horse"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = tell(plant(make_world(tmp_path)))
    made.app()
    yield made
    made.store.close()


def test_a_password_is_changed_by_a_form_and_a_refusal_says_why(world: World) -> None:
    me, elsewhere = Browser(world, "garam"), Browser(world, "garam")
    page = me.see("/account")
    for status, why, fields in (
        (422, "서로 다릅니다", {"old": PASSWORD, "new": NEW, "again": NEW + "!"}),
        (422, "너무 짧습니다", {"old": PASSWORD, "new": "short", "again": "short"}),
        (422, "지금 것과 같습니다", {"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}),
        (403, "지금 비밀번호가 맞지 않습니다", {"old": "wrong", "new": NEW, "again": NEW}),
    ):
        refused = me.press("/account/password", page, status, **fields)
        assert why in refused
        assert NEW not in refused, "what was typed is not shown"
    page = me.press("/account/password", page, old=PASSWORD, new=NEW, again=NEW)
    assert "비밀번호를 바꾸었습니다" in page
    assert "You are signed out everywhere else" in me.see("/account?said=password&lang=en")
    assert "/login" in str(elsewhere.client.get("/account").url), "the other browser has to sign in anew"
    assert me.press("/account", me.see("/account"), language="ko"), (
        "and this one goes on, with the csrf of its new session"
    )


def test_one_sees_where_one_is_signed_in_and_signs_the_others_out(world: World) -> None:
    me, second, third = (Browser(world, "garam") for _ in range(3))
    page = me.see("/account")
    assert page.count('name="session"') == 2
    assert page.count("지금 이 브라우저") == 1
    session = re.findall(r'name="session" value="(\w+)"', page)[0]
    page = me.press("/account/sessions/end", page, session=session)
    assert page.count('name="session"') == 1
    page = me.press("/account/sessions/end", page)
    assert "다른 곳 모두" not in page
    assert all("/login" in str(each.client.get("/account").url) for each in (second, third))


def test_it_shows_what_the_roster_file_says_of_oneself_and_of_nobody_else(world: World) -> None:
    page = Browser(world, "garam").see("/account")
    assert "+82-2-555-0001" in page
    assert "010-5555-0002" not in page, "another's"
    assert "이어진 사람이 없어" in Browser(world, "tenant").see("/account")
    assert "/login" in str(Browser(world).client.get("/account").url)
