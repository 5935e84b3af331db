"""The wall in a real browser: it changes by itself, rings, and never passes an old picture off as how things are."""

from __future__ import annotations

import pytest
from conftest import Site, looking
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.real, pytest.mark.slow]
expect.set_options(timeout=20_000)


def test_the_wall_lives_and_admits_when_it_does_not(browser: Browser, site: Site) -> None:
    with looking(browser, site, "wall") as seen:
        page = seen.open("/wall")
        banner = page.locator("#banner")
        expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "a wall cannot be scrolled"
        with site.lock:
            site.world.failing["srv1.lima"] = {"memory": (2, "97 % used")}
            site.world.last_due.pop("srv1.lima")
        expect(page.locator("[data-site=lima]")).to_contain_text("성능저하")
        page.keyboard.press("p")
        expect(banner).to_contain_text("갱신을 멈춘 화면입니다")
        page.keyboard.press("p")
        expect(banner).to_be_hidden()
        site.is_judging = False
        expect(banner).to_contain_text("판정이 갱신되지 않고 있습니다")
        site.is_judging = True
        expect(banner).to_be_hidden()
        assert seen.faults == []
        site.stop_serving()
        expect(banner).to_contain_text("이 화면은 지금의 상태가 아닙니다", timeout=30_000)


def test_whoever_turns_the_sound_on_hears_it(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/wall")
        expect(page.locator("#sound")).to_have_text("경보음 켜기 (S)")
        page.keyboard.press("s")
        expect(page.locator("#sound")).to_have_text("경보음 켜짐 (S)")
        expect(page.locator("html")).to_have_attribute("data-rang", "1")
        page.keyboard.press("s")
        expect(page.locator("#sound")).to_have_text("경보음 켜기 (S)")


def test_a_script_that_hangs_cannot_keep_the_warning_away(browser: Browser, site: Site) -> None:
    with looking(browser, site, script=False) as seen:
        page = seen.open("/wall")
        expect(page.locator("#frozen")).to_be_hidden()
        expect(page.locator(".noscript")).to_contain_text("15초마다")
        assert page.locator("noscript meta, meta[http-equiv=refresh]").count() == 1
