"""Every page, as somebody who may do everything: in both languages, light and dark, on a desk, a phone and a wall. No fault, no
other host asked, nothing axe finds, nothing wider than the screen. A picture of each is kept in ``var/pictures`` (or where
``BONGSU_PICTURES`` says), to be looked at."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Site, Watched, looking
from playwright.sync_api import Browser, Page
from running import collector
from sqlalchemy import update
from told_desk import with_desk
from told_incidents import PASSWORD, TOKEN, tell
from world import make_world, plant, serving, trouble

from agent.link.clock import SystemClock
from collector.access.tables import persons
from collector.agencies.crisis import CrisisLevel, declare
from collector.fleet.registry import bump_version
from collector.fleet.tables import sites
from collector.maintenance.occurrence import Repeat, Schedule
from collector.maintenance.queries import PLANNED, add_window
from collector.store.schema import instant

pytestmark = [pytest.mark.real, pytest.mark.slow]
PICTURES = Path(os.environ.get("BONGSU_PICTURES") or Path(__file__).parents[2] / "var/pictures")
PAGES = (
    "/", "/?state=4", "/?q=nowhere", "/map", "/wall", "/hubs/mea", "/sites/dc-djn", "/sites/abuja",
    "/hosts/srv2.dc-djn", "/hosts/srv2.dc-djn?range=30d", "/hosts/srv1.abuja", "/systems", "/systems/portal", "/systems?view=recovery",
    "/agents", "/agents?q=nowhere", "/maintenance", "/maintenance?view=week&at=new-york", "/maintenance?view=month",
    "/oncall", "/oncall?site=abuja", "/search", "/search?q=a", "/status/for", "/keys", "/login", "/nope",
    "/incidents", "/incidents?state=all", "/incidents/1", "/incidents/2", "/incidents/5", "/incidents/1/report/final", "/situation",
    "/silences", "/beats", "/paging", "/admin", "/account", "/completeness", f"/a/{TOKEN}",
)  # fmt: skip
AXE = """async () => {
  const found = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`);
}"""
EMPTY = (
    "/", "/map", "/wall", "/systems", "/systems?view=recovery", "/agents", "/oncall", "/maintenance?view=week", "/incidents", "/situation",
    "/silences", "/beats", "/paging", "/completeness",
)  # fmt: skip
PLACES = {
    "dc-djn": (36.35, 127.38), "dc-gwj": (35.16, 126.85), "dc-dgu": (35.87, 128.6), "tokyo": (35.68, 139.65), "abuja": (9.08, 7.4),
    "nairobi": (-1.29, 36.82), "lima": (-12.05, -77.04), "new-york": (40.71, -74.01), "warsaw": (52.23, 21.01), "beirut": (33.89, 35.5),
}  # fmt: skip
LOOKS = [
    ("desk", "ko", "light"),
    ("desk", "en", "dark"),
    ("phone", "ko", "dark"),
    ("phone", "en", "light"),
    ("wall", "ko", "dark"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    world = with_desk(tell(trouble(serving(plant(make_world(tmp_path_factory.mktemp("world"), SystemClock()))))))
    access = replace(world.settings.access, status_pages="for")
    world.settings = replace(world.settings, access=access)
    now_ms = world.clock.wall_ms()
    now = instant(now_ms)
    world.remember("srv2.dc-djn", now_ms - 2 * 3_600_000, now_ms, (now_ms - 3_000_000, now_ms - 2_500_000))
    with world.store.transaction() as connection:
        connection.execute(update(persons).where(persons.c.username == "garam").values(role="system_admin"))
        for name, (latitude, longitude) in PLACES.items():
            place = {"latitude": latitude, "longitude": longitude}
            connection.execute(update(sites).where(sites.c.id == name).values(place))
        bump_version(connection)
        declare(connection, CrisisLevel("alert", now, "garam", "행정안전부 상황전파"))
        evening = (now + timedelta(hours=9)).replace(tzinfo=None, hour=22, minute=0, second=0, microsecond=0)
        weekly = Schedule("Asia/Seoul", evening, 300, Repeat("week", ("tue", "sat")))
        add_window(
            connection, "라우터 교체", PLANNED, [("site", "new-york"), ("site", "tokyo")], weekly, None, now, "garam"
        )
    world.registry.refresh()
    served = Site(world)
    served.start()
    served.step()
    yield served
    served.stop()


def sign_in(page: Page, address: str) -> None:
    page.goto(address + "/login")
    page.locator("[name=username]").fill("garam")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator(".go").click()
    page.wait_for_url(address + "/")


@pytest.mark.parametrize(("size", "language", "scheme"), LOOKS)
def test_no_page_has_a_fault(browser: Browser, site: Site, axe: str, size: str, language: str, scheme: str) -> None:
    with looking(browser, site, size, language, scheme) as seen:
        sign_in(seen.page, site.address)
        found = look_at(seen, PAGES, axe, PICTURES / f"{size}-{language}-{scheme}", full_page=size != "wall")
        assert found == []
        assert [fault for fault in seen.faults if "404" not in fault] == []


@pytest.mark.parametrize(("size", "language", "scheme"), [("desk", "ko", "dark"), ("phone", "en", "light")])
def test_a_collector_with_nothing_in_it_has_no_fault_either(
    browser: Browser, axe: str, tmp_path: Path, size: str, language: str, scheme: str
) -> None:
    """A whole collector of its own, just installed: what is empty says what to do."""
    with collector(tmp_path / "data") as running, looking(browser, running, size, language, scheme) as seen:
        folder = PICTURES / f"empty-{size}-{language}-{scheme}"
        assert look_at(seen, EMPTY, axe, folder, full_page=True) == []
        assert seen.faults == []


def look_at(seen: Watched, paths: Iterable[str], axe: str, folder: Path, *, full_page: bool) -> list[tuple[str, str]]:
    """(path, fault) of what is too wide or what axe finds; a picture of each page into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for path in paths:
        page = seen.open(path)
        page.wait_for_load_state("load")
        page.evaluate("() => document.fonts.ready.then(() => 0)")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append((path, f"{wide} px too wide"))
        page.evaluate(axe)
        found += [(path, fault) for fault in page.evaluate(AXE)]
        name = re.sub(r"[^a-z0-9.]+", "-", path.removesuffix(TOKEN)).strip("-") or "board"
        page.screenshot(path=folder / f"{name}.png", full_page=full_page)
    return found


def test_everything_that_acts_is_reached_by_keyboard(browser: Browser, site: Site) -> None:
    """From page to page: what a pointer can use Tab reaches too, in the order of the page, and it is seen to be there."""
    with looking(browser, site) as seen:
        sign_in(seen.page, site.address)
        for path in (
            "/agents",
            "/maintenance?view=month",
            "/systems?view=recovery",
            "/hosts/srv2.dc-djn",
            "/incidents/1",
        ):
            page = seen.open(path)
            wanted = page.evaluate(REACHABLE)
            reached = set()
            for _ in range(wanted + 12):
                page.keyboard.press("Tab")
                here = page.evaluate("document.activeElement.dataset.wanted ?? ''")
                if here:
                    reached.add(here)
                    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                    assert outline != "none", (path, page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
            missing = page.evaluate(MISSING, sorted(reached))
            assert missing == [], path


REACHABLE = """() => {
  let count = 0;
  for (const each of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    if (!each.checkVisibility() || each.disabled) continue;
    if (each.type === "radio" && !each.checked) continue;
    each.dataset.wanted = String(++count);
  }
  return count;
}"""
MISSING = """(reached) => [...document.querySelectorAll("[data-wanted]")].filter((one) => one.checkVisibility() && !reached.includes(one.dataset.wanted)).map((one) => one.outerHTML.slice(0, 120))"""


def test_keys_lead_and_are_listed_over_the_page(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/")
        page.keyboard.press("g")
        page.keyboard.press("a")
        page.wait_for_url(site.address + "/agents")
        page.keyboard.press("?")
        dialog = page.locator("dialog.keydialog")
        dialog.wait_for()
        assert "현황판" in (dialog.text_content() or "")
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("?g")
        assert page.locator("dialog").count() == 0, "what is typed into a field is text"
        page.get_by_role("link", name="단축키").click()
        dialog.wait_for()
        dialog.get_by_role("button", name="단축키 끄기").click()
        page.wait_for_url(site.address + "/keys")
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_timeout(300)
        assert page.url == site.address + "/keys", "they are off"
        assert seen.faults == []


@pytest.mark.parametrize("script", [True, False])
def test_dark_is_chosen_and_stays(browser: Browser, site: Site, script: bool) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with looking(browser, site, scheme="light", script=script) as seen:
        page = seen.open("/agents?q=lima")
        page.get_by_role("button", name="어두운 화면").click()
        assert page.url == site.address + "/agents?q=lima"
        assert page.evaluate(ground) == "rgb(13, 17, 22)"
        assert seen.open("/wall").evaluate(ground) == "rgb(13, 17, 22)"
        page = seen.open("/")
        page.get_by_role("button", name="시스템 설정에 따름").click()
        assert page.evaluate(ground) == "rgb(243, 245, 248)"
        assert seen.faults == []


def test_drawing_over_a_plot_shows_that_stretch(browser: Browser, site: Site) -> None:
    with looking(browser, site) as seen:
        page = seen.open("/hosts/srv2.dc-djn?range=6h")
        page.locator("#plot-cpu .u-over").wait_for()
        box = page.locator("#plot-cpu .u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40, steps=5)
        page.mouse.up()
        page.wait_for_url(re.compile(r"\?from=\d+&to=\d+$"))
        page.locator("#plot-cpu .u-over").wait_for()
        assert page.locator(".chosen").is_visible()
        assert page.locator(".course").count() > 0
        page.get_by_role("link", name="축소").click()
        page.locator("#plot-cpu .u-over").wait_for()
        page.get_by_role("link", name="최근으로 돌아가기").click()
        page.wait_for_url(re.compile("range=1h"))
        assert seen.faults == []
