"""Incidents to look at: a storm of states, people who answered and who did not, pages that left and one that failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from world import World

from collector.access.passwords import hash_password
from collector.access.queries import add_person
from collector.escalation.policy import Policy, Step, freeze
from collector.incidents import queries
from collector.incidents.signal import uid_of
from collector.incidents.tables import incident_events, incident_signals, incidents
from collector.pages.answer_token import token_hash
from collector.pages.page import Why, page_key
from collector.pages.queries import add_page, note_decisions
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.store.schema import instant
from collector.store.scope import Scope

PASSWORD = "a rather long password"
PASSWORD_HASH = hash_password(PASSWORD)
TOKEN = "abcdEFGH12345678"
TEST_TOKEN = "ijklMNOP12345678"
ROSTERS = """
[[people]]
id = "kim"
name_ko = "김가람"
name_en = "Kim Garam"
login = "garam"
contacts = [{ channel = "phone", address = "+82-2-555-0001" }, { channel = "email", address = "kim@situation.example" }]
[[people]]
id = "lee"
name_ko = "이나래"
name_en = "Lee Narae"
contacts = [{ channel = "sms", address = "010-5555-0002" }]
[[people]]
id = "park"
name_ko = "박다온"
name_en = "Park Daon"
[[teams]]
id = "network"
name_ko = "네트워크팀"
name_en = "Network team"
members = ["lee", "park"]
[[rosters]]
id = "room"
name_ko = "종합상황실"
name_en = "Situation room"
fallback = ["park"]
[[rosters.layers]]
name = "watch"
starts = 2026-07-01
crews = [["kim"]]
[[rosters.layers]]
name = "second"
starts = 2026-07-01
crews = [["lee"]]
"""
POLICY = freeze(Policy("critical", (Step(0, ("on_duty",)), Step(300, ("next_on_duty",), "next")), 900, 3600))
ROWS: tuple[dict[str, Any], ...] = (
    {"key": "hub:mea", "severity": "critical", "priority": 1, "reason": "hub_children_silent", "subject": ("hub", "mea"),
     "title_ko": "거점 중동·아프리카: 거점 아래 사이트가 함께 끊김", "title_en": "Hub Middle East and Africa: sites behind it fell silent together",
     "age": 11 * 60, "fix": 7200,
     "impact": {"sites": ["dubai", "cairo", "nairobi", "abuja", "kinshasa", "beirut"], "site_count": 6, "hosts": ["srv1.abuja", "srv2.abuja"],
                "host_count": 8, "systems": [["visa", 3]], "system_count": 1, "grades": {"3": 1}, "touched": ["login"], "agencies": ["for", "nirs"]},
     "evidence": [["hub_children", "mea", "6", None], ["probe_failed", "dubai", "centre, singapore", -660]]},
    {"key": "site:dc-djn", "severity": "warning", "priority": 2, "reason": "hosts_degraded", "subject": ("site", "dc-djn"), "site": "dc-djn",
     "agency": "nirs", "title_ko": "사이트 대전센터: 일부 호스트 성능저하", "title_en": "Site Daejeon centre: some hosts are degraded", "age": 1900,
     "impact": {"sites": ["dc-djn"], "site_count": 1, "hosts": ["srv4.dc-djn"], "host_count": 1, "systems": [], "touched": ["portal"], "agencies": ["nirs", "adm"]}},
    {"key": "alert:aa", "severity": "warning", "priority": 3, "reason": "CertificateExpires", "subject": ("host", "srv2.tokyo"), "site": "tokyo",
     "agency": "for", "title_ko": "인증서 만료 7일 전: portal.example", "title_en": "Certificate expires in 7 days: portal.example", "age": 30_000,
     "impact": {"sites": ["tokyo"], "site_count": 1, "hosts": ["srv2.tokyo"], "host_count": 1}},
    {"key": "site:warsaw", "severity": "info", "priority": 4, "reason": "silent", "subject": ("site", "warsaw"), "site": "warsaw", "agency": "for",
     "title_ko": "수신두절 중 발생하고 끝난 이벤트 (주폴란드대사관)", "title_en": "What came and went while cut off (Embassy in Warsaw)", "age": 4000, "is_digest": True},
    {"key": "site:cairo", "severity": "critical", "priority": 2, "reason": "hub_children_silent", "subject": ("site", "cairo"), "site": "cairo",
     "agency": "for", "title_ko": "사이트 주이집트대사관: 회선 단절로 장애", "title_en": "Site Embassy in Cairo: down, its uplink is cut", "age": 900_000,
     "is_over": True, "cause_text": "해저케이블 절단. 통신사업자 복구.",
     "impact": {"sites": ["cairo"], "site_count": 1}},
)  # fmt: skip


def tell(world: World) -> World:
    """Rosters with three people, and five incidents: unanswered, acknowledged, assigned, a digest, and one that is over."""
    now = instant(world.clock.wall_ms())
    with world.store.transaction() as connection:
        add_person(connection, "garam", PASSWORD_HASH, now, role="shift_lead", display_name="김가람")
        add_person(connection, "tenant", PASSWORD_HASH, now, role="tenant_viewer", scope=Scope(frozenset({"for"})))
        apply_rosters(connection, read_rosters(ROSTERS))
        for number, row in enumerate(ROWS, 1):
            began = now - timedelta(seconds=row["age"])
            since_ms = int(began.timestamp() * 1000)
            impact = {"sites": [], "site_count": 0, "hosts": [], "host_count": 0, "systems": [], "touched": [], "agencies": [], "grades": {}}  # fmt: skip
            over = row.get("is_over", False)
            values = {
                "uid": uid_of(row["key"], since_ms), "key": row["key"], "source": "verdict", "state": "closed" if over else "triggered",
                "severity": row["severity"], "priority": row["priority"], "reason": row["reason"], "subject_kind": row["subject"][0],
                "subject_id": row["subject"][1], "site": row.get("site", ""), "agency": row.get("agency", ""), "title_ko": row["title_ko"],
                "title_en": row["title_en"], "occurred_at": began, "opened_at": began, "due_at": began, "acknowledged_by": "",
                "acknowledged_for": "", "assignee": "", "returns": 0, "impact": impact | row.get("impact", {}),
                "evidence": [[c, s, v, None if at is None else since_ms + at] for c, s, v, at in row.get("evidence", [])],
                "policy": POLICY, "cause_text": row.get("cause_text", ""), "prevention_text": "", "is_digest": row.get("is_digest", False),
                "is_storm": False, "recovered_at": began + timedelta(hours=5) if over else None,
                "fix_due_at": began + timedelta(seconds=row["fix"]) if "fix" in row else None,
            }  # fmt: skip
            made = connection.execute(insert(incidents).values(values))
            assert made.inserted_primary_key == (number,)
            connection.execute(insert(incident_events).values(incident=number, at=began, kind="opened", by="", data={}))
        _signals(connection, now)
        queries.acknowledge(connection, 2, "garam", now - timedelta(minutes=25), way="page")
        queries.comment(connection, 2, "garam", now - timedelta(minutes=20), "디스크를 비웠음", is_action=True)
        queries.acknowledge(connection, 3, "garam", now - timedelta(hours=6), for_="lee")
        queries.assign(connection, 3, "garam", now - timedelta(hours=6), "park")
        _pages(connection, world)
    return world


def _signals(connection: Any, now: Any) -> None:
    base = {"source": "rule", "severity": "critical", "last_at": now, "ended_at": None, "annotations": []}
    for host in ("srv1.abuja", "srv1.cairo", "srv1.nairobi"):
        labels = [["alertname", "HostNoData"], ["instance", host], ["site", host.partition(".")[2]]]
        first = now - timedelta(minutes=9)
        connection.execute(
            insert(incident_signals).values(incident=1, key=f"alert:{host}", first_at=first, labels=labels, **base)
        )


def _pages(connection: Any, world: World) -> None:
    now = instant(world.clock.wall_ms())
    at = now - timedelta(minutes=10)
    passed = [Why(stage, "passed") for stage in ("maintenance", "silence", "inhibition", "barrier", "grouping")]
    whys = [*passed, Why("route", "passed", "", "kim", "email"), Why("route", "not_yet", "room", "lee")]
    note_decisions(connection, 1, [*whys, Why("route", "spare", "room", "park")], at, 1, 0)
    empty = {"site": "", "agency": "", "severity": "critical", "language": "ko", "due_at": at, "created_at": at, "subject": "", "text": "", "data": {"step": 0}}  # fmt: skip
    rows = (
        ("kim", "phone", "trigger", {"state": "failed", "reason": "refused", "error": "the line is busy"}),
        ("kim", "email", "trigger", {"state": "sent", "sent_at": at + timedelta(seconds=4), "answer_hash": token_hash(TOKEN)}),
        ("lee", "sms", "test", {"state": "sent", "sent_at": at, "answer_hash": token_hash(TEST_TOKEN), "incident": None}),
    )  # fmt: skip
    root = page_key("x", 1, "kim", "phone", "a")
    for person, channel, kind, more in rows:
        key = page_key(f"x{kind}", 1, person, channel, "a")
        add_page(
            connection,
            empty
            | {"incident": 1, "page_key": key, "person": person, "channel": channel, "address": "a", "kind": kind}
            | ({"root": root} if kind == "trigger" else {})
            | more,
        )
