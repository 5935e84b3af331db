"""Proving an address: the code goes by the outbox, comes back once, and nobody learns what is not theirs."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from databases import postgres_url, sqlite_template, store  # noqa: F401
from sqlalchemy import select
from stage import PASSWORD, Stage, set_stage
from starlette.testclient import TestClient

from collector.access.audit import read_log
from collector.pages import verify
from collector.pages.desk import Ways
from collector.pages.tables import page_deliveries
from collector.people.queries import whole_book
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.store.engine import Store
from collector.store.scope import Scope

OWN = {"Origin": "https://bongsu.test", "Accept": "application/json"}
PATH = "/api/people/kim/contacts/verify"
SMS = {"channel": "sms", "address": "010-1234-5678"}
ROSTERS = """
[[people]]
id = "kim"
name_ko = "김하늘"
login = "kim"
contacts = [{ channel = "sms", address = "010-1234-5678" }, { channel = "jandi", address = "https://x.example/hook" }]
[[people]]
id = "lee"
name_ko = "이나래"
agency = "stranger"
contacts = [{ channel = "sms", address = "010-9999-9999" }]
"""


class Office:
    """As much of the post office as this asks for."""

    def __init__(self) -> None:
        self.ways = Ways(frozenset({"sms", "email"}), b"s" * 32, "https://bongsu.test")
        self.woken = 0
        self.deliveries: Any = self

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def stage(store: Store, tmp_path: Path, office: Office) -> Stage:  # noqa: F811
    made = set_stage(store, tmp_path)
    made.person("kim")
    with store.transaction() as connection:
        apply_rosters(connection, read_rosters(ROSTERS))
    made.fastapi.include_router(verify.router(made, office))  # type: ignore[arg-type]
    return made


def signed_in(stage: Stage, username: str) -> TestClient:
    client = stage.client(**OWN)
    answer = client.post("/login", data={"username": username, "password": PASSWORD})
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client


def sent(stage: Stage) -> list[Any]:
    of = page_deliveries.c
    with stage.store.reading() as connection:
        return list(connection.execute(select(of.kind, of.channel, of.address, of.text, of.person).order_by(of.id)))


def code_of(stage: Stage) -> str:
    found = re.search(r"\d{6}", sent(stage)[-1].text.replace("010-1234-5678", ""))
    assert found, sent(stage)[-1].text
    return found[0]


def test_a_code_goes_there_and_verifies_once(stage: Stage, office: Office) -> None:
    client = signed_in(stage, "kim")
    answer = client.post(PATH, json=SMS)
    assert (answer.status_code, answer.json()["sent"], office.woken) == (200, True, 1)
    assert [(row.kind, row.channel, row.person) for row in sent(stage)] == [("verify", "sms", "kim")]
    assert client.post(PATH, json=SMS).status_code == 429
    code = code_of(stage)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert client.post(PATH, json=SMS | {"code": wrong}).json()["code"] == "bad_code"
    assert client.post(PATH, json=SMS | {"code": code}).json()["verified_at"]
    with stage.store.reading() as connection:
        assert [c.verified_at for c in whole_book(connection).people["kim"].contacts] == [stage.clock.now, None]
        told = [row.action for row in read_log(connection, action="contact")]
        assert code not in str(read_log(connection))
    assert told == ["contact.verified", "contact.wrong_code", "contact.code"]
    assert client.post(PATH, json=SMS | {"code": code}).status_code == 422, "it is used up"


def test_a_code_ends_by_time_and_by_tries(stage: Stage) -> None:
    client = signed_in(stage, "kim")
    client.post(PATH, json=SMS)
    code = code_of(stage)
    stage.clock.move(timedelta(hours=1))
    assert client.post(PATH, json=SMS | {"code": code}).status_code == 422
    client.post(PATH, json=SMS)
    newer = code_of(stage)
    for _ in range(5):
        client.post(PATH, json=SMS | {"code": "x"})
    assert client.post(PATH, json=SMS | {"code": newer}).status_code == 422, "guessing ends"


def test_only_for_ones_own_and_for_who_leads(stage: Stage) -> None:
    assert stage.program("lead", role="shift_lead").post(PATH, json=SMS).status_code == 200
    assert stage.program("noc", role="noc_operator").post(PATH, json=SMS).status_code == 403
    assert stage.program("see", role="viewer").post(PATH, json=SMS).status_code == 403
    mine = stage.program("own", role="shift_lead", scope=Scope(frozenset({"owner"})))
    other = {"channel": "sms", "address": "010-9999-9999"}
    assert mine.post("/api/people/lee/contacts/verify", json=other).status_code == 404, "a stranger's"
    client = signed_in(stage, "kim")
    assert client.post("/api/people/lee/contacts/verify", json=other).status_code == 403
    assert client.post("/api/people/nobody/contacts/verify", json=other).status_code == 404
    assert client.post(PATH, json=other).status_code == 404, "not an address of theirs"
    hook = {"channel": "jandi", "address": "https://x.example/hook"}
    assert client.post(PATH, json=hook).json()["code"] == "no_channel"
    del client.headers["X-CSRF-Token"]
    assert client.post(PATH, json=SMS).status_code == 403
