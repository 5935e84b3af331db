"""Incidents in a real browser: a call answered on a phone, a list that changes by itself, forms without script, no fault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Site, looking
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from told_desk import with_desk
from told_incidents import PASSWORD, TOKEN, tell
from world import make_world, plant, serving, trouble

from agent.link.clock import SystemChance, SystemClock
from collector.access.caller import Caller
from collector.access.tables import persons
from collector.alerts.beat import heard
from collector.alerts.beat_asked import NewBeat, agree
from collector.alerts.beat_queries import beat_of_key, write_beat
from collector.incidents import queries
from collector.incidents.ending_queries import resolve
from collector.store.schema import instant
from collector.store.scope import EVERYTHING

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = with_desk(tell(trouble(serving(plant(make_world(tmp_path, SystemClock()))))))
    now = instant(world.clock.wall_ms())
    caller = Caller("garam", "shift_lead", EVERYTHING, way="session")
    asked = NewBeat(id="backup", title="야간 백업", cron="0 3 * * *", host="srv1.abuja")
    _, key = agree(world, caller, asked, now, SystemChance())
    with world.store.transaction() as connection:
        beat = beat_of_key(connection, key)
        assert beat is not None
        write_beat(connection, heard(beat, "success", now - timedelta(days=2)))
    words = (("alertname", "=", "DiskFull"), ("site", "=~", "abuja|lima"))
    world.response.silence_desk.keep(caller, words, now, now + timedelta(minutes=40), "디스크 교체, 문의: 시설팀")
    world.response.silence_desk.keep(caller, (("site", "=", "cairo"),), now, now + timedelta(days=2), "이전 작업")
    with world.store.transaction() as connection:
        connection.execute(update(persons).where(persons.c.username == "garam").values(role="system_admin"))
    served = Site(world)
    served.start()
    yield served
    served.stop()


def sign_in(page: Page, address: str) -> None:
    page.goto(address + "/login")
    page.locator("[name=username]").fill("garam")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator(".go").click()
    page.wait_for_url(address + "/")


@pytest.mark.parametrize("script", [True, False])
def test_a_call_is_answered_by_name_on_a_phone_without_a_login(browser: Browser, site: Site, script: bool) -> None:
    with looking(browser, site, "phone", "ko", script=script) as seen:
        page = seen.open(f"/a/{TOKEN}")
        expect(page.get_by_text("김가람 님께 보낸 호출")).to_be_visible()
        button = page.get_by_role("button", name="확인했습니다")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] < 844, "it is reached without scrolling"
        page.reload()
        expect(button).to_be_visible()
        button.click()
        expect(page.get_by_role("status")).to_contain_text("이제 맡은 것으로 기록됩니다")
        expect(page.get_by_role("button", name="확인했습니다")).to_have_count(0)
        assert seen.faults == []


def test_a_list_changes_by_itself_when_somebody_answers(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        sign_in(seen.page, site.address)
        page = seen.open("/incidents")
        page.evaluate("window.isSamePage = true")
        expect(page.locator(".waiting")).to_have_count(1)
        page.wait_for_timeout(2500)  # the stream has to stand
        with site.lock, site.world.store.transaction() as connection:
            queries.acknowledge(connection, 1, "garam", instant(site.world.clock.wall_ms()))
        expect(page.locator(".waiting")).to_have_count(0, timeout=6_000)
        assert page.evaluate("window.isSamePage")
        page = seen.open("/")
        expect(page.locator("[data-incidents=warning] b")).to_have_text("2")
        page.wait_for_timeout(2500)
        with site.lock, site.world.store.transaction() as connection:
            resolve(connection, 2, "garam", instant(site.world.clock.wall_ms()))
        expect(page.locator("[data-incidents=warning] b")).to_have_text("1", timeout=6_000)
        assert seen.faults == []


def test_an_incident_is_worked_through_without_script(browser: Browser, site: Site) -> None:
    with looking(browser, site, "phone", "ko", script=False) as seen:
        sign_in(seen.page, site.address)
        page = seen.open("/incidents")
        page.get_by_role("link", name="거점 중동").click()
        page.get_by_label("대신 알린 사람 (대리 인지)").select_option("lee")
        page.get_by_role("button", name="확인 (인지)").click()
        expect(page.get_by_role("status")).to_contain_text("반영했습니다")
        expect(page.locator("#now")).to_contain_text("대리 인지: 이나래")
        page.locator("#acts textarea[name=text]").fill("통신사업자에 접수")
        page.get_by_label("조치로 기록").check()
        page.get_by_role("button", name="남기기").click()
        expect(page.locator("#course")).to_contain_text("통신사업자에 접수")
        page.get_by_role("button", name="복구됨으로 처리").click()
        expect(page.locator("#now")).to_contain_text("복구됨")
        page.get_by_role("link", name="결과 보고").click()
        expect(page.locator("h1")).to_contain_text("결과 보고")
        assert seen.faults == []
