"""The site page's strip of completeness: marks, words and the same as a table, in both languages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient
from world import NOW_MS, World

from collector.completeness.hours import HOUR_MS, SiteHour
from collector.completeness.missing import MissingRange
from collector.completeness.tables import completeness_mark, gaps, host_hours, lost_hours
from collector.web.arrivals_view import overdue_of
from collector.web.completeness_view import SHOWN_GAPS, SHOWN_HOURS, strip

THIS = NOW_MS // HOUR_MS * HOUR_MS
HERE = "http://127.0.0.1:8650"
DAY = {"host": "x", "site": "abuja", "interval_ms": 60_000, "eligible_ms": HOUR_MS}


def test_every_hour_of_the_window_is_there_oldest_first() -> None:
    full = SiteHour(THIS - 2 * HOUR_MS, 60, 60, 0, 60)
    found = strip([full], [], NOW_MS)
    assert len(found.marks) == SHOWN_HOURS
    assert found.marks[-1].hour.hour_ms == THIS
    assert [mark.mark for mark in found.marks[-3:]] == [0, None, None]
    assert (found.counts, found.ratio) == ((("complete", 1),), 1.0)


def test_very_many_gaps_are_counted_not_shown() -> None:
    many = [MissingRange(b"a" * 16, "h.s", b"e" * 8, 2 * n, 2 * n, 0) for n in range(1, SHOWN_GAPS + 4)]
    found = strip([], many, NOW_MS)
    assert (len(found.missing), found.missing_more, found.ratio) == (SHOWN_GAPS, 3, None)


@pytest.fixture
def page(world: World) -> World:
    fleet = world.registry.fleet
    agent = next(agent for agent in fleet.agents.values() if agent.site == "abuja")
    of = {"agent_id": agent.id, "epoch": b"epoch-01"}
    hours = [(5, 60, 0), (4, 60, 60), (3, 20, 0), (2, 0, 0), (1, 59, 0)]
    with world.store.transaction() as connection:
        rows = [{**DAY, "hour_ms": THIS - ago * HOUR_MS, "received": r, "late": late} for ago, r, late in hours]
        connection.execute(insert(host_hours), rows)
        connection.execute(insert(completeness_mark), {"id": 1, "settled_ms": THIS})
        lost = {"site": "abuja", "hour_ms": THIS - HOUR_MS, "kind": "missing", "numbers": 3}
        connection.execute(insert(lost_hours), {**of, **lost})
        gap = {"first_seq": 101, "last_seq": 103, "since_ms": NOW_MS - HOUR_MS}
        connection.execute(insert(gaps), {**of, **gap})
    return world


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ko", ["수신 현황", "모두 수신", "지연 수신", "일부 수신", "수신 없음", "유실 있음", "빠진 번호", "빠짐 3"]),
        ("en", ["Reports received", "all received", "received late", "received in part", "nothing received", "some lost",
                "Missing numbers", "missing 3"]),
    ],
)  # fmt: skip
def test_the_page_says_it_in_shapes_words_and_a_table(page: World, language: str, words: list[str]) -> None:
    text = TestClient(page.app(), base_url=HERE).get(f"/sites/abuja?lang={language}").text
    card = re.search(r'<section class="card" id="completeness">.*?</section>', text, re.S)
    assert card is not None
    said = card[0]
    assert [word for word in words if word not in said] == []
    marks = re.search(r'<ol class="strip".*?</ol>', said, re.S)
    assert marks is not None
    assert marks[0].count("<li") == SHOWN_HOURS
    for code in range(5):
        assert f"#mark-{code}" in marks[0]
    table = said[said.index("<details>") :]
    assert table.count("<tr>") == SHOWN_HOURS + 1
    assert "101–103" in said
    assert b"epoch-01".hex() in said


def test_a_site_without_any_hour_says_so(world: World) -> None:
    text = TestClient(world.app(), base_url=HERE).get("/sites/tokyo?lang=en").text
    assert "No hour was judged yet." in text


def test_all_sites_together_the_gravest_first(page: World) -> None:
    text = TestClient(page.app(), base_url=HERE).get("/completeness?lang=en").text
    rows = re.findall(r'<tr><td class="n">.*?</tr>', text, re.DOTALL)
    assert "/sites/abuja#completeness" in rows[0]
    numbers = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r'<td class="r num"[^>]*>(.*?)</td>', rows[0], re.DOTALL)]  # fmt: skip
    assert numbers[1:] == ["66.7 %", "100 / 300", "60", "3"], "40 of one hour and 60 of another did not come"
    assert "Lost for good" in text


def test_a_silent_site_is_overdue_by_what_was_due_since() -> None:
    ago = [NOW_MS - minutes * 60_000 for minutes in (10, 10, 4, 2)]
    assert overdue_of(60_000, ago, NOW_MS) == 10 + 10 + 4, "the last is on time"
    assert overdue_of(60_000, [], NOW_MS) == 0, "never heard is another matter"
