"""Answers that gateways bring: proven, from somebody of ours, plainly meant, and of one incident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from stage import START, Stage, set_stage

from collector.incidents.tables import incidents
from collector.pages import reply_api
from collector.pages.office import PostOffice
from collector.pages.senders.http import packed, signature
from collector.pages.tables import page_deliveries
from collector.people.tables import people, people_contacts
from collector.settings_channels import Channel
from collector.store.engine import Store

HOOK = {"url": "http://127.0.0.1:9/"}
CHANNELS = (
    Channel("sms", "webhook", HOOK, {"secret": "out", "reply_secret": "in"}),
    Channel("phone", "webhook", {**HOOK, "reply_auth": "token"}, {"secret": "out", "reply_secret": "in"}),
    Channel("email", "webhook", HOOK, {"secret": "out", "reply_secret": "in"}),
    Channel("webhook", "webhook", HOOK, {"secret": "out"}),
)
NUMBER = "010-1234-5678"


class Town:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.office = PostOffice(stage, lambda _labels, _at: "")
        stage.fastapi.include_router(reply_api.router(stage, self.office))
        self.client = stage.client()

    def person(self, name: str, *contacts: tuple[str, str]) -> None:
        told = {"id": name, "name_ko": name, "name_en": name, "login": "", "agency": "", "languages": ["ko"]}
        with self.stage.store.transaction() as connection:
            connection.execute(insert(people), {**told, "timezone": "Asia/Seoul", "quiet_hours": ""})
            for place, (channel, address) in enumerate(contacts):
                row = {"person": name, "channel": channel, "address": address, "position": place}
                connection.execute(insert(people_contacts), row)

    def page(self, incident: int | None, channel: str, address: str, key: str, person: str = "kim") -> None:
        at = self.stage.clock.now
        with self.stage.store.transaction() as connection:
            is_there = connection.execute(select(incidents.c.number).where(incidents.c.number == incident)).first()
            if incident is not None and is_there is None:
                connection.execute(insert(incidents), _incident(incident))
            connection.execute(
                insert(page_deliveries),
                _page(key, incident, channel, address, person) | {"due_at": at, "sent_at": at, "created_at": at},
            )

    def post(self, channel: str, _headers: Mapping[str, str] | None = None, **reply: Any) -> tuple[int, Any]:
        body = packed({"from" if name == "sender" else name: value for name, value in reply.items()})
        stamp = str(self.stage.clock.wall_ms() // 1000)
        headers = {"Bongsu-Timestamp": stamp, "Bongsu-Signature": signature("in", stamp, body), "Bongsu-Token": "in"}
        answer = self.client.post(f"/v1/replies/{channel}", content=body, headers=headers | dict(_headers or {}))
        return answer.status_code, answer.json()

    def state(self, number: int) -> tuple[str, str]:
        of = incidents.c
        with self.stage.store.reading() as connection:
            row = connection.execute(select(of.state, of.acknowledged_by).where(of.number == number)).one()
        return row.state, row.acknowledged_by

    def count(self, channel: str, outcome: str) -> float:
        found = self.stage.telemetry.registry.get_sample_value(
            "bongsu_replies_total", {"channel": channel, "outcome": outcome}
        )
        return found or 0.0


def _incident(number: int) -> dict[str, Any]:
    texts = ("acknowledged_by", "acknowledged_for", "assignee", "cause_text", "prevention_text")
    return {
        **dict.fromkeys(texts, ""),
        "number": number,
        "uid": f"{number:032}",
        "key": f"site:{number}",
        "source": "verdict",
        "state": "triggered",
        "severity": "critical",
        "priority": 1,
        "reason": "power",
        "subject_kind": "site",
        "subject_id": "here",
        "site": "here",
        "agency": "owner",
        "title_ko": "전원 장애",
        "title_en": "Power out",
        "occurred_at": START,
        "opened_at": START,
        "returns": 0,
        "impact": {},
        "evidence": [],
        "policy": {},
        "is_digest": False,
        "is_storm": False,
    }


def _page(key: str, incident: int | None, channel: str, address: str, person: str) -> dict[str, Any]:
    texts = ("site", "agency", "subject", "text", "receipt", "reason", "error", "answered_way")
    return {
        **dict.fromkeys(texts, ""),
        "page_key": key,
        "root": key,
        "incident": incident,
        "person": person,
        "channel": channel,
        "address": address,
        "kind": "trigger" if incident is not None else "test",
        "severity": "critical",
        "language": "ko",
        "state": "sent",
        "attempts": 1,
        "data": {},
        "answer_hash": key.encode().ljust(32, b"0"),
    }


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Iterator[Town]:
    stage = set_stage(store, tmp_path)
    stage.settings = replace(stage.settings, channels=CHANNELS)
    stage.answer_secret = b"k" * 32  # type: ignore[attr-defined]
    stage.windows = None  # type: ignore[attr-defined]
    made = Town(stage)
    made.person("kim", ("sms", NUMBER), ("phone", NUMBER), ("email", "Kim@example.org"))
    made.person("lee", ("sms", "+82 10 9999 0000"))
    yield made
    made.client.close()


def test_a_text_message_acknowledges_by_name(town: Town) -> None:
    town.page(418, "sms", NUMBER, "k1")
    assert town.post("sms", sender="+821012345678", text="1") == (200, {"outcome": "acknowledged", "incident": 418})
    assert town.state(418) == ("acknowledged", "kim")
    status, body = town.post("sms", sender=NUMBER, text="확인 418")  # the gateway brings it again
    assert (status, body["outcome"]) == (200, "already")
    assert (town.count("sms", "acknowledged"), town.count("sms", "already")) == (1, 1)


def test_several_wait_and_a_number_is_needed(town: Town) -> None:
    town.page(1, "sms", NUMBER, "k1")
    town.page(12, "sms", NUMBER, "k2")
    town.page(13, "sms", "+82 10 9999 0000", "k3", "lee")
    status, body = town.post("sms", sender=NUMBER, text="1")
    assert (status, body["code"], body["incidents"]) == (409, "which", [12, 1])
    assert town.post("sms", sender=NUMBER, text="1 12")[1]["incident"] == 12
    assert (town.state(1)[0], town.state(12)[0]) == ("triggered", "acknowledged")
    assert town.post("sms", sender=NUMBER, text="13")[0] == 404, "of somebody else's page"
    assert town.state(13)[0] == "triggered"
    assert town.post("sms", sender=NUMBER, text="ok")[1]["incident"] == 1


def test_who_is_nobody_is_refused_and_counted(town: Town) -> None:
    town.page(418, "sms", NUMBER, "k1")
    for sender in ("010-0000-0000", "", "kim@example.org", "1", "+1 012345678"):
        status, body = town.post("sms", sender=sender, text="1")
        assert (status, body["code"]) == (403, "unknown_sender")
        assert NUMBER not in str(body)
    assert town.count("sms", "unknown_sender") == 5
    assert town.post("sms", sender="+82 10 9999 0000", text="1")[1]["code"] == "nothing_open"
    assert town.state(418)[0] == "triggered"


def test_what_is_no_acknowledgement(town: Town) -> None:
    town.page(418, "sms", NUMBER, "k1")
    for text in ("", "네?", "확인이 안 됩니다", "2 418", "> 1"):
        assert town.post("sms", sender=NUMBER, text=text)[1]["code"] == "not_understood"
    assert town.state(418)[0] == "triggered"


def test_the_gateway_has_to_prove_itself(town: Town) -> None:
    town.page(418, "sms", NUMBER, "k1")
    stamp = str(town.stage.clock.wall_ms() // 1000)
    late = str(int(stamp) - 301)
    body = packed({"from": NUMBER, "text": "1"})
    for headers in (
        {"Bongsu-Signature": ""},
        {"Bongsu-Signature": signature("out", stamp, body)},
        {"Bongsu-Timestamp": late, "Bongsu-Signature": signature("in", late, body)},
        {"Bongsu-Timestamp": "٣"},
        {"Bongsu-Timestamp": "9" * 400},
    ):
        sent = {name: value.encode() for name, value in headers.items()}
        assert town.post("sms", sent, sender=NUMBER, text="1")[0] == 401, headers  # type: ignore[arg-type]
    assert town.post("phone", {"Bongsu-Token": "out"}, sender=NUMBER, key="1")[0] == 401
    assert town.post("webhook", sender=NUMBER, text="1")[0] == 404, "takes no answers"
    assert town.post("nothing", sender=NUMBER, text="1")[0] == 404
    assert town.post("sms", text="1")[0] == 400
    assert town.state(418)[0] == "triggered"
    assert town.count("sms", "not_proven") == 5
    assert town.count("nothing", "not_found") == 0, "whoever asks makes no series of ours"


def test_a_key_on_the_telephone(town: Town) -> None:
    town.page(418, "phone", NUMBER, "k1")
    town.page(419, "phone", NUMBER, "k2")
    assert town.post("phone", sender="01012345678", key="2", reference="k1")[1]["code"] == "not_understood"
    assert town.post("phone", sender="01012345678", key="1", reference="k1")[1]["incident"] == 418
    assert (town.state(418), town.state(419)[0]) == (("acknowledged", "kim"), "triggered")


def test_a_mail_has_to_answer_a_page(town: Town) -> None:
    town.page(418, "email", "Kim@example.org", "k1")
    town.page(419, "email", "Kim@example.org", "k2")
    mail = {"sender": "kim@EXAMPLE.org", "text": "확인했습니다.\n\n> [긴급] …"}
    assert town.post("email", **mail)[1]["code"] == "not_proven", "anybody can write a sender into a mail"
    assert town.post("email", **mail, reference="<k9@example.org>")[1]["code"] == "not_proven"
    automatic = {**mail, "text": "확인", "reference": "<k2@bongsu.example>", "auto_submitted": "auto-replied"}
    assert town.post("email", **automatic)[1]["code"] == "not_understood"
    named = "<incident-419@bongsu.example> <k2@bongsu.example>"
    assert town.post("email", **mail, reference=named)[1] == {"outcome": "acknowledged", "incident": 419}
    assert town.state(418)[0] == "triggered"


def test_poison_is_refused_in_words(town: Town) -> None:
    town.page(418, "sms", NUMBER, "k1")
    for poison in ("\x00", "' OR 1=1 --", "\u202e2x", "%", "é" * 300, "1\r\nX: y"):
        for reply in (
            {"sender": poison, "text": "1"},
            {"sender": NUMBER, "text": poison},
            {"sender": NUMBER, "key": poison[:8]},
            {"sender": NUMBER, "text": "2 9", "reference": poison},
        ):
            assert 400 <= town.post("sms", **reply)[0] < 500, reply
    assert town.client.post("/v1/replies/sms", content=b"\xff{").status_code == 401
    assert town.state(418)[0] == "triggered"


def test_a_test_page_is_received(town: Town) -> None:
    town.page(None, "sms", NUMBER, "k1")
    assert town.post("sms", sender=NUMBER, text="1") == (200, {"outcome": "received", "incident": None})
    town.page(418, "sms", NUMBER, "k2")
    town.stage.clock.move(timedelta(days=4))
    assert town.post("sms", sender=NUMBER, text="418")[1]["outcome"] == "acknowledged", "named, it may be old"
