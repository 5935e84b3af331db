"""The wall in a real browser: it changes by itself, rings, and never passes an old picture off as how things are."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Site, looking
from playwright.sync_api import Browser, expect
from running import collector
from told_incidents import tell
from world import SITES, make_world, plant, trouble

from agent.link.clock import SystemClock

pytestmark = [pytest.mark.real, pytest.mark.slow]
expect.set_options(timeout=20_000)
SENT_EVERY_SECONDS = 5.0
FITS = "document.documentElement.scrollHeight <= innerHeight"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Site]:
    """190 sites, of which sixty are not well."""
    hubs = ("apac", "nam", "latam", "eur", "mea")
    more = [f"post{at}|{hubs[at % 5]}|주가상{at}대사관|Embassy in Place {at}|Asia/Seoul|leased|1" for at in range(163)]
    world = trouble(plant(make_world(tmp_path, SystemClock()), "\n".join([*SITES.strip().splitlines(), *more])))
    for at in range(54):
        if at % 3 == 0:
            world.down.add(f"post{at}")
        elif at % 3 == 1:
            world.failing[f"srv1.post{at}"] = {"memory": (2, "97 % used")}
        else:
            world.maintained.add(f"post{at}")
    served = Site(tell(world))
    served.start()
    yield served
    served.stop()


def test_the_wall_lives_and_admits_when_it_does_not(browser: Browser, site: Site) -> None:
    with looking(browser, site, "wall") as seen:
        page = seen.open("/wall")
        banner = page.locator("#banner")
        expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")
        assert page.evaluate(FITS), "a wall cannot be scrolled"
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


def test_a_new_critical_incident_rings_where_somebody_turned_the_sound_on(browser: Browser, site: Site) -> None:
    with looking(browser, site) as loud, looking(browser, site) as mute:
        heard, silent = loud.open("/wall"), mute.open("/wall")
        expect(heard.locator("#sound")).to_have_text("경보음 꺼짐 · 켜기 (S)")
        heard.locator("#sound").click()
        expect(heard.locator("#sound")).to_have_text("경보음 켜짐 (S)")
        expect(heard.locator("html")).to_have_attribute("data-rang", "1")
        expect(heard.locator("#pulse")).to_have_text("실시간 갱신 중")
        expect(silent.locator("#pulse")).to_have_text("실시간 갱신 중")
        with site.lock:
            tell(site.world)
        for page in (heard, silent):
            expect(page.locator(".one").first).to_contain_text("거점 중동·아프리카")
            expect(page.locator(".one").first).to_contain_text("확인 대기 중")
        expect(heard.locator("html")).to_have_attribute("data-rang", "2")
        assert silent.locator("html").get_attribute("data-rang") is None, "nobody turned it on here"
        expect(silent.locator("#sound")).to_have_text("경보음 꺼짐 · 켜기 (S)")
        heard.keyboard.press("s")
        expect(heard.locator("#sound")).to_have_text("경보음 꺼짐 · 켜기 (S)")
        assert loud.faults == mute.faults == []


def test_sixty_of_190_that_are_not_well_are_read_without_scrolling(browser: Browser, large: Site) -> None:
    for size, language in (("wall", "ko"), ("wall", "en"), ("desk", "ko")):
        with looking(browser, large, size, language) as seen:
            page = seen.open("/wall")
            expect(page.locator(".crowd [data-site]").nth(48)).to_be_visible(timeout=90_000)
            states = page.eval_on_selector_all(
                ".crowd [data-site]", "all => all.map((one) => Number(one.dataset.state))"
            )
            assert states == sorted(states, key=lambda state: -state), "the worst first"
            assert page.evaluate(FITS), (size, language)
            high = page.evaluate("Math.min(...[...document.querySelectorAll('.lines .name')].map((one) => parseFloat(getComputedStyle(one).fontSize) / innerHeight))")  # fmt: skip
            assert high > (1 / 66 if size == "wall" else 1 / 72), "read from five metres"
            assert seen.faults == []


def test_a_frozen_collector_is_said_within_two_intervals(browser: Browser, tmp_path: Path) -> None:
    with collector(tmp_path / "data") as running:
        context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="ko-KR")
        try:
            page = context.new_page()
            page.goto(running.url + "/wall")
            banner = page.locator("#banner")
            expect(page.locator("#pulse")).to_have_text("실시간 갱신 중")
            page.wait_for_timeout(6_000)  # a beat has come
            os.kill(running.process.pid, signal.SIGSTOP)
            stopped = time.monotonic()
            try:
                expect(banner).to_be_visible()
                assert time.monotonic() - stopped <= 2 * SENT_EVERY_SECONDS + 1.5
                expect(banner).to_contain_text("이 화면은 지금의 상태가 아닙니다")
            finally:
                os.kill(running.process.pid, signal.SIGCONT)
            expect(banner).to_be_hidden(timeout=30_000)
        finally:
            context.close()


def test_a_script_that_hangs_cannot_keep_the_warning_away(browser: Browser, site: Site) -> None:
    with looking(browser, site, script=False) as seen:
        page = seen.open("/wall")
        expect(page.locator("#frozen")).to_be_hidden()
        expect(page.locator(".noscript")).to_contain_text("15초마다")
        assert page.locator("noscript meta, meta[http-equiv=refresh]").count() == 1
