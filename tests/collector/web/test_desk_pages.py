"""Pages around incidents: silences with what they would hide, heartbeats, and whether calls arrive."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from test_incident_pages import Browser
from told_desk import with_desk
from told_incidents import ROSTERS, tell
from world import World, make_world, plant

from collector.access.audit import read_log
from collector.alerts.silence import Silence
from collector.alerts.silence_queries import all_silences
from collector.pages.noise import Noise, RuleNoise, ShiftNoise
from collector.pages.tables import page_deliveries
from collector.people.tables import people_contacts
from collector.rosters import feed_api
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings_channels import Channel
from collector.store.schema import instant
from collector.web import paging_view, silence_view
from collector.web.silence_view import Asked


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = with_desk(tell(plant(make_world(tmp_path))))
    made.app()
    yield made
    made.store.close()


def words_on(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_silence_is_made_after_seeing_what_it_hides(world: World) -> None:
    browser = Browser(world, "garam")
    page = browser.see("/silences?alert=DiskFull&site=abuja")
    assert "지금 울리는 알림 4건 가운데 2건이 멈춥니다" in page
    assert "긴급 알림" not in page
    assert "긴급 알림 2건이 들어 있습니다" in browser.see("/silences?severity=critical"), "a verdict's, too"
    assert "조건을 읽을 수 없습니다" in browser.see("/silences?more=a%3D~(")
    asked = {"alert": "DiskFull", "more": 'site=~"abuja|lima"', "minutes": "45", "comment": "디스크 교체"}
    browser.press("/silences", page, 422, **asked | {"comment": " "})
    browser.press("/silences", page, 422, **asked | {"alert": "", "more": 'team=""'})
    page = browser.press("/silences", page, **asked)
    said = words_on(page)
    for word in (
        "알림을 중지했습니다",
        "중지 중",
        "곧 끝남",
        "지금 멈춘 알림 2건",
        "디스크 교체",
        "김가람",
        'site=~"abuja|lima"',
    ):
        assert word in said, word
    (kept,) = silences(world)
    assert kept.words == (("alertname", "=", "DiskFull"), ("site", "=~", "abuja|lima"))
    page = browser.press(f"/silences/{kept.id}/longer", page, minutes="240")
    assert "곧 끝남" not in page
    assert [each.id for each in silences(world)] == [kept.id], "the same one, longer"
    assert silences(world)[0].ends_at == kept.ends_at + timedelta(hours=4)
    page = browser.press(f"/silences/{kept.id}/end", page)
    assert "끝남" in page
    again = browser.see(f"/silences?again={kept.id}")
    assert 'value="DiskFull"' in again
    assert "가운데 2건이 멈춥니다" in again
    with world.store.reading() as connection:
        done = [row.action for row in read_log(connection, subject=kept.id)]
    assert sorted(done) == ["silence.end", "silence.keep", "silence.keep"]


def test_an_incident_nobody_is_called_of_is_marked(world: World) -> None:
    browser = Browser(world, "garam")
    page = browser.see("/silences")
    asked = {"alert": "HostNoData", "minutes": "45", "comment": "회선 교체"}
    browser.press("/silences", page, **asked | {"host": "srv1.abuja"})
    assert "알림 중지 중 ~" not in browser.see("/incidents"), "one of three is silenced"
    browser.press("/silences", page, **asked)
    assert browser.see("/incidents").count("알림 중지 중 ~ 07-31 14:50") == 1
    assert "알림 중지 중 ~ 07-31 14:50" in browser.see("/incidents/1")
    assert "알림 중지 중 ~" not in Browser(world, "tenant").see("/incidents")


def silences(world: World) -> list[Silence]:
    with world.store.reading() as connection:
        return all_silences(connection)


def test_a_tenant_sees_no_silence_of_others_and_makes_none(world: World) -> None:
    browser, tenant = Browser(world, "garam"), Browser(world, "tenant")
    page = browser.see("/silences?site=dc-djn")
    browser.press("/silences", page, site="dc-djn", minutes="30", comment="x")
    seen = tenant.see("/silences?site=dc-djn")
    assert "dc-djn" not in words_on(seen)
    assert "/silences/" not in seen
    (kept,) = silences(world)
    for path in ("/silences", f"/silences/{kept.id}/end", f"/silences/{kept.id}/longer", "/beats", "/paging/tests"):
        tenant.press(path, tenant.see("/incidents"), 403, minutes="30", comment="x", id="x")
    nobody = TestClient(world.fastapi, base_url="https://elsewhere.example", follow_redirects=False)
    for path in ("/silences", "/beats", "/paging"):
        assert nobody.get(path).status_code == 401


def test_what_is_typed_reads_back_the_same() -> None:
    asked = Asked('Disk "x"', "abuja", "", "critical", 'team=~"net.*"\na!="b\\\\c"')
    assert silence_view.asked_of(asked.words()) == asked
    assert silence_view.asked_of((("site", "=~", "a"), ("site", "=", "b"), ("site", "=", "c"))) == Asked(
        site="b", more='site=~"a"\nsite="c"'
    )


def test_heartbeats_say_when_they_are_due_and_since_when_they_are_silent(world: World) -> None:
    browser = Browser(world, "garam")
    page = browser.see("/beats")
    browser.press("/beats", page, 422, id="backup", minutes="60", cron="0 3 * * *")
    browser.press("/beats", page, 422, id="backup", minutes="", severity="grave")
    page = browser.press(
        "/beats", page, id="backup", title="야간 백업", minutes="60", grace_minutes="10", about="srv1.abuja"
    )
    found = re.search(r"http\S+/v1/beats/(\w+)", page)
    assert found, "its address, once"
    assert found[1] not in browser.see("/beats")
    assert "첫 보고 전" in page
    job = TestClient(world.fastapi, base_url="http://127.0.0.1:8650")
    assert job.get(f"/v1/beats/{found[1]}").status_code == 200
    said = words_on(browser.see("/beats"))
    assert "정상" in said
    assert "59분 뒤" in said or "1시간 0분 뒤" in said
    world.clock.now_ms += 65 * 60_000  # type: ignore[attr-defined]
    assert "늦음" in words_on(browser.see("/beats"))
    page = browser.press("/beats/backup/pause", page)
    assert "멈춤" in page
    assert "정상" not in words_on(browser.press("/beats/backup/resume", page)).replace("정상 ", "")
    page = browser.press("/beats/backup/key", page)
    assert found[1] not in page
    assert job.get(f"/v1/beats/{found[1]}").status_code == 404
    assert "backup" not in words_on(browser.press("/beats/backup/remove", page))


def test_test_calls_tell_how_long_the_answer_took(world: World) -> None:
    browser = Browser(world, "garam")
    with world.store.transaction() as connection:
        connection.execute(update(people_contacts).values(verified_at=instant(world.clock.wall_ms())))
    page = browser.see("/paging")
    assert "설정 [paging] test_day" in page
    page = browser.press("/paging/tests", page, roster="room")
    said = words_on(page)
    assert "시험 호출을 보냈습니다" in said
    assert "보내는 중" in said
    of, now = page_deliveries.c, instant(world.clock.wall_ms())
    with world.store.transaction() as connection:
        for person, seconds in connection.execute(
            select(of.person, of.id).where(of.kind == "test", of.state == "queued")
        ):
            times = (
                {"sent_at": now, "answered_at": now + timedelta(seconds=95)} if person == "kim" else {"sent_at": now}
            )
            connection.execute(update(page_deliveries).where(of.id == seconds).values(state="sent", **times))
    said = words_on(browser.see("/paging"))
    assert "김가람 전화" in said
    assert "1분" in said
    assert "응답 없음" in said
    assert "Answered after" in browser.see("/paging?lang=en&days=30")


def test_noise_by_roster_and_rules_worth_a_look() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    shifts = tuple(
        ShiftNoise("noc", at + timedelta(hours=8 * n), at + timedelta(hours=8 * n + 8), ("kim",), n % 3)
        for n in range(6)
    )
    rules = (RuleNoise("A", 5, 4, 0.25, 2), RuleNoise("B", 2, 2, 0.0, 0), RuleNoise("C", 9, 3, 1.0, 0))
    (found,) = paging_view.by_roster(Noise(16, 9, 4, shifts, rules))
    assert (found.shifts, found.calm, found.pages) == (6, 2, 6)
    assert [one.pages for one in found.worst] == [2, 2, 1, 1]
    assert paging_view.noisy(rules) == {"A"}


def reachable(world: World) -> None:
    with world.store.transaction() as connection:
        connection.execute(update(people_contacts).values(verified_at=instant(world.clock.wall_ms())))
    names = ("email", "phone", "sms")
    world.settings = replace(world.settings, channels=tuple(Channel(name, "webhook", {}, {}) for name in names))


def test_who_is_called_for_cairo_on_sunday_at_three(world: World) -> None:
    asked = "/oncall?site=cairo&at=2026-08-02T03:00"
    page = Browser(world, "garam").see(asked)
    said = words_on(page[page.index('id="who"') : page.index('id="roster-')])
    assert "곧바로 김가람 호출이 닿지 않음" in said, "no channel is set up yet"
    assert "닿지 않음" not in Browser(world, "tenant").see(asked)
    reachable(world)
    page = Browser(world, "garam").see(asked)
    said = words_on(page[page.index('id="who"') : page.index('id="roster-')])
    for word in ("2026-08-02 09:00:00 KST · 2026-08-02 03:00:00 Africa/Cairo", "곧바로 김가람", "5분 뒤 이나래",
                 "10분 뒤 김가람 , 이나래 , 박다온 (대체 연락처)", "15분 간격으로 되풀이", "다음 교대", "+82-2-555-0001"):  # fmt: skip
        assert word in said, (word, said)
    cairo = Browser(world, "garam").see("/sites/cairo")
    card = words_on(cairo[cairo.index('id="called"') : cairo.index('id="closed"')])
    assert "곧바로 김가람 5분 뒤 이나래" in card
    assert "대체 연락처: 박다온" in card
    tenant = Browser(world, "tenant").see("/oncall?site=cairo&at=2026-08-02T03:00")
    assert "이나래" in tenant
    assert "555-0" not in tenant, "whom, but not how"
    page = Browser(world, "garam").see(f"{asked}&severity=warning")
    assert "경고에 아무도 답하지 않으면" in page
    assert '<option value="warning" selected>' in page
    assert "아무도 호출하지 않습니다" in Browser(world, "garam").see(f"{asked}&severity=info")


def test_my_own_duty_and_its_calendar(world: World) -> None:
    world.fastapi.include_router(feed_api.router(world))
    browser = Browser(world, "garam")
    page = browser.see("/oncall")
    mine = words_on(page[page.index('id="mine"') : page.index('id="roster-')])
    assert "나의 당직 김가람 · Asia/Seoul" in mine
    assert "종합상황실 · watch 현재" in mine
    page = browser.press("/oncall/my-calendar", page)
    found = re.search(r"/feeds/\w+\.ics", page)
    assert found
    feed = TestClient(world.fastapi, base_url="http://127.0.0.1:8650").get(found[0])
    assert feed.status_code == 200
    assert "BEGIN:VEVENT" in feed.text
    tenant = Browser(world, "tenant")
    assert 'id="mine"' not in tenant.see("/oncall")
    tenant.press("/oncall/my-calendar", tenant.see("/incidents"), 404)


def test_absences_come_from_a_calendar_file(world: World) -> None:
    events = ("DTSTART;VALUE=DATE:20260803", "DTSTART:20260804T000000Z\r\nDTEND:20260904T000000Z\r\nRRULE:FREQ=DAILY")
    lines = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:휴가\r\n{one}\r\nEND:VEVENT\r\n" for n, one in enumerate(events)
    )
    calendar = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{lines}END:VCALENDAR\r\n".encode()
    browser = Browser(world, "garam")
    (csrf, *_) = re.findall(r'name="csrf" value="(\w+)"', browser.see("/oncall"))

    def post(body: bytes, person: str = "kim", csrf: str = csrf) -> tuple[int, str]:
        fields = {"csrf": csrf, "person": person}
        answer = browser.client.post("/oncall/room/calendar-file", data=fields, files={"file": ("leave.ics", body)})
        return answer.status_code, words_on(answer.text)

    status, said = post(calendar)
    assert status == 200, said
    assert "가져온 일정 1건 가져오지 않음: 휴가" in said
    assert "부재: 김가람 휴가" in said
    assert "근무표 전체의 휴무일" in said
    assert post(calendar, person="")[1].count("가져온 일정 1건") == 1
    assert post(b"hello")[0] == 422
    assert post(calendar, csrf="0" * 64)[0] == 403
    assert "calendar-file" not in Browser(world, "tenant").see("/oncall")


def test_calls_lately_with_the_time_to_answer(world: World) -> None:
    said = words_on(Browser(world, "garam").see("/paging"))
    assert "최근 호출" in said
    assert "#1 김가람 전자우편" in said


def test_who_is_on_duty_comes_before_who_stands_in(world: World) -> None:
    more = """
[[rosters]]
id = "offices"
name_ko = "사무실"
sites = ["cairo"]
cover = "never"
fallback = ["park", "kim"]
[[rosters.layers]]
name = "day"
starts = 2026-07-01
days = "working"
hours = "office"
crews = [["park"]]
"""
    with world.store.transaction() as connection:
        apply_rosters(connection, read_rosters(ROSTERS + more))
    reachable(world)
    page = Browser(world, "garam").see("/oncall?site=cairo&at=2026-08-02T03:00")
    steps, on_duty, stand_in = page[page.index('<ol class="turns">') : page.index('id="mine"')].split(
        '<ul class="called">'
    )
    assert re.findall(r"<b>([^<]+)</b>", steps)[:2] == ["김가람", "이나래"]
    assert re.findall(r"<li><b>([^<]+)</b>", on_duty) == ["김가람", "이나래"]
    assert re.findall(r"<li><b>([^<]+)</b>", stand_in) == ["박다온"], "who is on duty stands in for nobody"


def test_who_is_on_duty_and_out_of_reach(world: World) -> None:
    browser, now = Browser(world, "garam"), instant(world.clock.wall_ms())
    page = browser.see("/paging")
    said = words_on(page[page.index('id="deaf"') : page.index('id="channels"')])
    for word in (
        "닿지 않는 당직자 3",
        "김가람 검증된 연락처 없음 종합상황실",
        "박다온 연락처 없음 종합상황실 · 대체 연락처",
    ):
        assert word in said, said
    with world.store.transaction() as connection:
        connection.execute(update(people_contacts).values(verified_at=now))
    page = browser.see("/paging")
    assert "닿지 않는 당직자 <span" in page.replace("\n", "")
    assert "김가람" not in page[page.index('id="deaf"') : page.index('id="channels"')]
    world.response.pages.ways = world.response.pages.ways.__class__(frozenset({"phone"}), b"", "")
    page = browser.see("/paging")
    assert "이나래 설정된 채널의 연락처 없음" in words_on(page[page.index('id="deaf"') : page.index('id="channels"')])
    assert 'id="deaf"' not in Browser(world, "tenant").see("/paging")
