"""The daily situation report: what it says of a day, to whom, and that taking it out is written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_incident_pages import Browser
from told_incidents import tell
from world import World, make_world, plant, serving, trouble

from collector.access.audit import read_log


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = tell(trouble(serving(plant(make_world(tmp_path_factory.mktemp("day"))))))
    made.app()
    yield made
    made.store.close()


def test_the_day_in_words_to_paste(told: World, tmp_path: Path) -> None:
    browser = Browser(told, "garam")
    text = browser.see("/situation.txt")
    for said in (
        "[일일상황보고 2026. 7. 31.(금)]",
        "- 새 장애 건: 4 (긴급 1, 경고 2, 정보 1)",
        "- 진행 중인 장애 건: 4",
        "- 호출: 1회 (호출한 장애 건 1건, 그중 인지 0건)",
        "#1 [긴급, 발생] 거점 중동·아프리카",
        "발생 13:54 · 인지 – · 전파 – · 조치 – · 복구 –",
        "박다온",
    ):
        assert said in text, text
    assert "감사로그의 끝" in text
    answer = browser.client.get("/api/situation", headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    *sections, audit = answer.json()["sections"]  # the audit log has grown by the export above
    said_by_api = [line["text"] for section in sections for line in section["lines"]]
    assert answer.json()["day"] == "2026-07-31"
    assert audit["lines"]
    assert [line for line in said_by_api if line not in text] == []
    assert len(said_by_api) > 8
    assert browser.client.get("/api/situation?day=2027-01-01").status_code == 422
    before = browser.see("/situation.txt?day=2026-07-21&lang=en")
    assert "#5 [Critical, Closed]" in before.partition("Incidents that ended on this day")[2]
    assert before.count("#5 [Critical, Closed]") == text.count("#1 [긴급, 발생]") == 1, "each is told of once"
    assert "<h1>Daily situation report 2026-07-21 Tue</h1>" in browser.see("/situation?day=2026-07-21&lang=en")
    for wrong in ("2026-08-01", "x"):
        browser.see(f"/situation?day={wrong}", 422)
    with told.store.reading() as connection:
        assert read_log(connection, action="export.situation")[-1].subject == "2026-07-31"


def test_a_tenant_gets_their_part(told: World) -> None:
    text = Browser(told, "tenant").see("/situation.txt?lang=ko")
    assert "#3 [경고, 확인됨]" in text
    assert "#1 " not in text
    assert "감사로그" not in text
