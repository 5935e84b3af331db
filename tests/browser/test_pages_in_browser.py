"""The pages in a real browser: nothing breaks, nothing leaves the host, everyone can use them, and they stay honest."""

from __future__ import annotations

import json

import pytest
from conftest import Site, looking
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from collector.access.passwords import hash_password
from collector.access.queries import add_person
from collector.fleet.registry import bump_version
from collector.fleet.tables import sites
from collector.store.schema import instant
from collector.store.scope import Scope

pytestmark = pytest.mark.real
expect.set_options(timeout=20_000)


def test_a_change_arrives_without_reloading(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        page.evaluate("window.isSamePage = true")
        expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")
        expect(page.locator("#site-lima")).to_have_class("site s0")
        with site.lock:
            site.world.failing["srv1.lima"] = {"memory": (2, "97 % used")}
            site.world.last_due.pop("srv1.lima")
        expect(page.locator("#site-lima")).to_contain_text("97 % used")
        expect(page.locator("#site-lima")).to_contain_text("성능저하")
        expect(page.locator("[data-count='3']")).to_have_text("4")
        first = page.locator("[data-hub='latam'] .site").first
        expect(first).to_have_attribute("data-site", "lima")
        hubs = page.eval_on_selector_all(".hub", "hubs => hubs.map((hub) => hub.dataset.hub)")
        assert hubs.index("latam") < hubs.index("nam")
        assert page.evaluate("window.isSamePage")
        assert seen.faults == []


@pytest.mark.slow
def test_ages_count_and_new_reports_reset_them(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        age = page.locator("#site-abuja .c-age time")
        expect(age).to_have_text("9시간 전")
        before = int(page.locator("#site-dc-gwj .c-age time").get_attribute("data-at") or 0)
        page.wait_for_function(
            "before => Number(document.querySelector('#site-dc-gwj .c-age time').dataset.at) > before", arg=before
        )


def test_a_new_fleet_is_loaded_anew(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")
        with site.lock, site.world.store.transaction() as connection:
            connection.execute(update(sites).where(sites.c.id == "lima").values(name_ko="리마 새 이름"))
            bump_version(connection)
        site.world.registry.refresh()
        expect(page.locator("#site-lima")).to_contain_text("리마 새 이름")


@pytest.mark.slow
def test_a_lost_line_and_stopped_verdicts_are_said(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        banner = page.locator("#banner")
        expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")
        expect(banner).to_be_hidden()
        site.is_judging = False
        expect(banner).to_contain_text("판정이 갱신되지 않고 있습니다")
        expect(page.locator("#pulse")).not_to_have_text("실시간 갱신 중")
        site.is_judging = True
        expect(banner).to_be_hidden()
        site.stop_serving()
        expect(banner).to_contain_text("현황판이 갱신되지 않고 있습니다")


def test_updates_can_be_paused(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        page.get_by_role("button", name="갱신 멈춤").click()
        expect(page.locator("#pulse")).to_have_text("갱신 일시 정지")
        page.get_by_role("button", name="갱신 계속").click()
        expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")


@pytest.mark.slow
def test_tables_renew_themselves_and_keep_what_is_unfolded(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/sites/dc-djn")
        page.locator("#checks summary").click()
        page.evaluate("document.activeElement.blur()")
        with site.lock:
            site.world.failing["srv4.dc-djn"] = {"memory": (2, "97 % used")}
            site.world.last_due.pop("srv4.dc-djn")
        expect(page.locator("#checks")).to_contain_text("97 % used", timeout=40_000)
        expect(page.locator("#checks details")).to_have_attribute("open", "")
        site.stop_serving()
        expect(page.locator("#banner")).to_contain_text("이 화면이 갱신되지 않고 있습니다", timeout=40_000)


def test_the_filter_narrows_as_one_types(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        page.locator("#q").fill("중남미")
        expect(page.locator(".site:visible")).to_have_count(4)
        expect(page.locator("#shown")).to_have_text("사이트 4/27")
        page.locator("#q").fill("")
        page.locator(".count.s4").click()
        expect(page.locator(".site:visible")).to_have_count(1)
        assert page.url.endswith("/?state=4")
        page.reload()
        expect(page.locator(".site:visible")).to_have_count(1)


def test_everything_can_be_reached_by_keyboard(browser: Browser, site: Site) -> None:
    with looking(browser, site, language="en") as seen:
        page = seen.open("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        reached = []
        for _ in range(16):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth")  # fmt: skip
            assert outline == "solid3px", reached
        apart = ["/systems#unmonitored", "/systems#unregistered", "/completeness"]
        assert reached[:10] == ["/?state=4", "/?state=3", "/?state=2", "/?state=1", "/?state=0", *apart, "q", "pause"]
        assert "/sites/nairobi" in reached


def test_all_is_there_without_script(browser: Browser, site: Site) -> None:
    with looking(browser, site, script=False) as seen:
        page = seen.open("/")
        expect(page.locator(".site")).to_have_count(27)
        expect(page.locator("#site-dc-djn")).to_contain_text("96.3 % used")
        page.locator("#q").fill("lima")
        page.get_by_role("button", name="찾기").click()
        expect(page.locator(".site")).to_have_count(1)
        page = seen.open("/hosts/srv2.dc-djn")
        expect(page.locator("#plot-memory")).to_contain_text("GiB")
        expect(page.locator("#plot-network")).to_contain_text("eth0 수신")


def test_plots_show_gaps_and_follow_the_cursor(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/hosts/srv2.dc-djn")
        expect(page.locator(".plot.drawn")).to_have_count(6)
        answer = page.request.get(f"{site.address}/hosts/srv2.dc-djn/series")
        cpu = json.loads(answer.body())["plots"][0]["lines"][0]["values"]
        assert None in cpu
        before = page.locator("#plot-cpu .last td").first.text_content()
        box = page.locator("#plot-cpu .u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        expect(page.locator("#plot-cpu .last td").first).not_to_have_text(before or "")
        assert seen.faults == []


def test_a_site_admin_announces_a_shutdown_in_two_clicks(browser: Browser, site: Site) -> None:
    with site.world.store.transaction() as connection:
        at = instant(site.world.clock.wall_ms())
        limits = Scope(frozenset({"for"}), frozenset({"lima"}))
        add_person(connection, "post", hash_password("correct horse battery"), at, role="site_admin", scope=limits)
    with looking(browser, site) as seen:
        page = seen.open("/login")
        page.get_by_label("사용자 이름").fill("post")
        page.get_by_label("비밀번호").fill("correct horse battery")
        page.locator("main button[type=submit]").click()
        page = seen.open("/sites/lima")
        page.locator("summary", has_text="계획 정지 알리기").click()
        page.locator("#shutdown button").click()
        expect(page).to_have_url(f"{site.address}/sites/lima")
        site.step()
        page.reload()
        expect(page.locator(".verdict")).to_contain_text("점검 중")
        page = seen.open("/maintenance")
        row = page.locator("tr", has=page.locator("a[href='/sites/lima']"))
        expect(row).to_have_count(1)
        row.get_by_role("button").last.click()
        expect(row).to_have_count(0)
        page.locator("input[name=title]").fill("라우터 교체")
        page.locator("input[name=subjects]").fill("lima")
        page.locator("input[name=starts_local]").fill("2030-01-07T18:00")
        page.locator("#agree button").click()
        expect(page.locator("tr", has_text="라우터 교체")).to_have_count(1)
        assert seen.faults == []
