"""The wall: what it says without script, and what its own address opens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from test_pages import BROWSER, read
from told_incidents import tell
from world import World

from collector.access.queries import add_api_token
from collector.access.roles import WALL
from collector.fleet.registry import Fleet, Named, Site
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.settings import Server
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, OK, Standing
from collector.web.pages.board import STALE_MS
from collector.web.view import Judged, SiteRow
from collector.web.wall_view import WallHub, crowds, urgent_first, wall_hubs

FAR = "https://noc.example"


@pytest.fixture
def far(world: World) -> TestClient:
    """The same collector, behind a proxy: nobody is trusted for being near."""
    world.settings = replace(world.settings, server=Server(public_url=FAR, behind_proxy=True))
    return TestClient(world.app(), base_url=FAR, follow_redirects=False)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_wall_says_it_all_without_script(client: TestClient, language: str) -> None:
    page = read(client.get(f"/wall?lang={language}", headers=BROWSER).text)
    assert "refresh" in page.values("meta", "http-equiv"), "a browser without script loads it anew"
    assert len(page.values("li", "data-site")) == 27
    assert ("수신두절" if language == "ko" else "No data") in page.text
    assert ("김" if language == "ko" else "Kim") in page.text, "who is on duty"
    assert not any(name in page.text for name in ("010-", "@")), "how to reach people hangs on no wall"
    assert page.values("a", "href") == ["/"]


def test_a_wall_nobody_judges_for_says_so(client: TestClient, world: World) -> None:
    before = client.get("/wall", headers=BROWSER).text
    world.clock.now_ms += STALE_MS + 1_000  # type: ignore[attr-defined]
    after = client.get("/wall", headers=BROWSER).text
    shown = 'id="banner" class="banner" role="alert" hidden'
    assert shown in before
    assert shown not in after
    assert "판정이 갱신되지 않고 있습니다" in read(after).text


def test_its_address_is_good_once_and_opens_nothing_else(far: TestClient, world: World) -> None:
    now = instant(world.clock.wall_ms())
    with world.store.transaction() as connection:
        add_api_token(connection, "w" * 64, "lobby", "test", now, role=WALL)
        add_api_token(connection, "v" * 64, "reader", "test", now)
    assert far.get("/wall", headers=BROWSER).status_code == 303, "to the login"
    assert far.get("/wall/enter?token=" + "v" * 64, headers=BROWSER).status_code == 403, "no wall's token"
    entered = far.get("/wall/enter?token=" + "w" * 64, headers=BROWSER)
    assert (entered.status_code, entered.headers["location"]) == (303, "/wall")
    assert "w" * 64 not in entered.headers["set-cookie"]
    assert far.get("/wall", headers=BROWSER).status_code == 200
    assert far.get("/wall/enter?token=" + "w" * 64).status_code == 303, "a kiosk that starts again has its cookie"
    for path in ("/", "/incidents", "/agents", "/sites/abuja"):
        assert far.get(path).status_code in (303, 401), path
    cookie = far.cookies.get(world.access.wall_cookie_name)
    for secret in ("w" * 64, cookie):
        answer = far.get("/agents", headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code in (401, 403), "as a program it may nothing"
    far.cookies.clear()
    again = far.get("/wall/enter?token=" + "w" * 64, headers=BROWSER)
    assert again.status_code == 403
    assert "이미 한 번 쓰였거나" in again.text


def many(bad: dict[int, int], well: int) -> tuple[WallHub, ...]:
    """Two hubs of sites of one state each: ``bad`` = how many by state code."""
    states = [state for state, count in bad.items() for _ in range(count)] + [OK] * well
    base = Site("", "for", "", "", "", None, None, "Asia/Seoul", "leased")
    hubs = (Named("east", "동", "East"), Named("west", "서", "West"))
    rows = [
        SiteRow(
            replace(base, id=f"s{at}", hub=hubs[at % 2].id), hubs[at % 2], None, Judged(state, at, ""), (0,) * 5, 0, ()
        )
        for at, state in enumerate(states)
    ]
    return wall_hubs(rows, Fleet(), Standing(), EVERYTHING)


def test_a_little_trouble_says_why_and_much_is_a_line_each() -> None:
    assert crowds(many({DOWN: 3, DEGRADED: 5}, 190)) == ()
    down, degraded, silent = crowds(many({DOWN: 20, DEGRADED: 30, NO_DATA: 10}, 130))
    assert [(one.state, one.total, one.left_out) for one in (down, degraded, silent)] == [
        (DOWN, 20, 0), (DEGRADED, 30, 0), (NO_DATA, 10, 0),
    ]  # fmt: skip
    assert [row.site.id for row in down.rows[:2]] == ["s19", "s18"], "the newest first"


def test_what_has_no_room_is_counted_and_is_never_the_worst() -> None:
    down, degraded, silent = crowds(many({DOWN: 40, DEGRADED: 70, NO_DATA: 50}, 30))
    assert (down.left_out, silent.left_out) == (0, 50)
    assert 0 < degraded.left_out < 70
    assert sum(one.total for one in (down, degraded, silent)) == 160


def test_who_has_to_answer_is_read_first(world: World) -> None:
    told = tell(world)
    with told.store.reading() as connection:
        found = list_incidents(connection, EVERYTHING, states=OPEN)
    first = urgent_first(found)[0]
    assert (first.severity, first.state) == ("critical", "triggered")
    assert [one.severity for one in urgent_first(found)][-1] == "info"
