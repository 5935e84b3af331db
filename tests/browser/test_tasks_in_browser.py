"""The ten answers of docs/tasks.md, walked in a real browser: from the board, by what is written on the pages, and by clicks only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from conftest import Site, looking
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from told_desk import with_desk
from told_incidents import PASSWORD, tell
from world import make_world, plant, serving, trouble

from agent.link.clock import SystemClock
from collector.access.tables import persons
from collector.store.schema import instant
from collector.web import stage
from collector.web.stage import Offer, Playing, Wish

pytestmark = [pytest.mark.real, pytest.mark.slow]
ABUJA = "Embassy in Abuja"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("world")
    world = with_desk(tell(trouble(serving(plant(make_world(folder, SystemClock()))))))
    with world.store.transaction() as connection:
        connection.execute(update(persons).where(persons.c.username == "garam").values(role="system_admin"))
    served = Site(world)
    served.start()
    served.step()
    yield served
    served.stop()


@contextmanager
def on_the_board(browser: Browser, site: Site, size: str = "desk") -> Iterator[Page]:
    with looking(browser, site, size, "en") as seen:
        page = seen.open("/login")
        page.get_by_label("User name").fill("garam")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(site.address + "/")
        yield page
        assert seen.faults == []


def go(page: Page, name: str) -> None:
    """By the head of the page; a phone's is behind a button."""
    menu = page.get_by_role("button", name="Menu", exact=True)
    if menu.is_visible():
        menu.click()
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()


def test_why_a_site_is_silent_and_since_when(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        row = page.locator("[data-site=abuja]")
        expect(row.locator(".reason")).to_contain_text("since")
        row.get_by_role("link", name=ABUJA).first.click()
        expect(page.locator(".verdict")).to_contain_text("Africa/Lagos")


def test_who_would_be_called(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        go(page, "On duty")
        who = page.locator("#who")
        who.locator("[name=site]").select_option(label="Embassy in Cairo")
        who.get_by_label("Time (local time of the site; empty = now)").fill("2030-03-03T03:00")
        who.get_by_role("button", name="Show").click()
        expect(page.locator("#who")).to_contain_text("2030-03-03 03:00:00 Africa/Cairo")


def test_a_call_is_answered_on_a_phone(browser: Browser, site: Site) -> None:
    """Signed in; by the link in the message, test_incidents_in_browser.py does it."""
    with on_the_board(browser, site, "phone") as page:
        go(page, "Incidents")
        page.locator("a[href='/incidents/1']").first.click()
        page.get_by_role("button", name="Acknowledge").first.click()
        expect(page.get_by_role("status").first).to_be_visible()
        expect(page.locator("#now")).to_contain_text("Acknowledged")


def test_a_shutdown_is_announced_for_tomorrow(browser: Browser, site: Site) -> None:
    tomorrow = (instant(site.world.clock.wall_ms()) + timedelta(days=1)).strftime("%Y-%m-%dT10:00")
    with on_the_board(browser, site) as page:
        page.get_by_role("link", name="Embassy in Lima").first.click()
        page.get_by_text("Announce a planned shutdown").click()
        page.get_by_label("Begins (empty = now)").fill(tomorrow)
        page.get_by_label("Minutes of shutdown").fill("120")
        page.get_by_role("button", name="Announce", exact=True).click()
        page.wait_for_url("**/maintenance")
        expect(page.locator("#all")).to_contain_text(f"{tomorrow.replace('T', ' ')}:00 America/Lima")
        page.get_by_role("button", name="End", exact=True).first.click()
        expect(page.locator("#all")).to_contain_text("No work is agreed")


def test_which_systems_of_grade_1_are_down(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        go(page, "Systems")
        expect(page.get_by_role("heading", name="Grade 1")).to_be_visible()
        expect(page.locator("main")).to_contain_text("KST")


def test_whose_data_is_late_or_incomplete(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        page.get_by_role("link", name="Late or incomplete data").click()
        row = page.get_by_role("row").filter(has_text=ABUJA)
        expect(row).to_contain_text("No data")
        expect(page.get_by_role("columnheader", name="Overdue now")).to_be_visible()


def test_how_an_agent_is_added(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        go(page, "Agents")
        page.get_by_role("link", name="Add an agent").click()
        page.locator("#add [name=site]").select_option(label=f"{ABUJA} (abuja)")
        page.locator("#add [name=host]").fill("srv9")
        page.get_by_role("button", name="Make a token").click()
        command = page.locator("#made .command")
        expect(command).to_contain_text("bongsu-agent enroll --data ./agent --token bongsu1.")
        command.click()
        marked = page.evaluate("getSelection().toString()")
        assert marked == command.inner_text() != "", "one click marks the whole command"
        page.locator("#add").get_by_role("button", name="Make worthless").click()
        expect(page.get_by_role("status").filter(has_text="worthless now")).to_be_visible()


def test_an_alert_is_silenced_for_two_hours(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        go(page, "Incidents")
        page.get_by_role("link", name="Silences", exact=True).click()
        new = page.locator("#new")
        new.locator("[name=site]").select_option(label=ABUJA)
        new.get_by_role("button", name="See what it would hide").click()
        expect(new.locator("[name=minutes]")).to_have_value("120")
        new.get_by_label("Reason").fill("Disks are being exchanged")
        new.get_by_role("button", name="Silence", exact=True).click()
        expect(page.locator("#all")).to_contain_text("Disks are being exchanged")


def test_the_final_report(browser: Browser, site: Site) -> None:
    with on_the_board(browser, site) as page:
        go(page, "Incidents")
        page.locator("a[href='/incidents/1']").first.click()
        page.get_by_role("link", name="Final report").click()
        page.get_by_text("Text to paste").click()
        expect(page.locator("pre")).to_contain_text("#1")


def test_a_disaster_is_played_and_stopped(browser: Browser, site: Site) -> None:
    folder, now_ms = site.world.settings.data_dir.parent, site.world.clock.wall_ms()
    stage.offer(folder, [Offer(5, "power_cut", 2400.0)])
    try:
        with on_the_board(browser, site) as page:
            page.get_by_role("link", name="Demo", exact=True).click()
            page.get_by_role("button", name="Play: Power cut in Abuja").click()
            page.wait_for_url("**/demo?played=5")
            assert stage.take_wishes(folder) == [Wish(False, 5)]
            stage.tell(folder, [Playing(5, now_ms, now_ms + 2_400_000)])
            expect(page.locator("#playing")).to_contain_text("Power cut in Abuja", timeout=15_000)
            page.get_by_role("button", name="Stop all").click()
            page.wait_for_url("**/demo")
            assert stage.take_wishes(folder) == [Wish(True, None)]
    finally:
        (folder / stage.OFFERED).unlink()
