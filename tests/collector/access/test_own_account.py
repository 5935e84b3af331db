"""One's own account: another password, and the sessions it has open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stage import PASSWORD, Stage
from starlette.testclient import TestClient

from collector.access.audit import read_log
from collector.access.queries import SEEN_EVERY

NEW = "a staple and a horse"


def sign_in(stage: Stage, username: str = "kim", address: str = "192.0.2.7", password: str = PASSWORD) -> TestClient:
    client: TestClient = stage.client(Origin="https://bongsu.test", Accept="application/json")
    client.headers["X-Forwarded-For"] = address
    answer = client.post("/login", data={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client


def log_of(stage: Stage, noun: str) -> list[tuple[str, str, Any]]:
    with stage.store.reading() as connection:
        return [(row.actor, row.action, row.data) for row in read_log(connection, action=noun)]


def change(client: TestClient, old: str, new: str) -> tuple[int, str]:
    answer = client.post("/api/me/password", json={"old": old, "new": new})
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ("wrong", NEW, (403, "wrong_password")),
        ("", NEW, (403, "wrong_password")),
        (PASSWORD, PASSWORD, (422, "same_password")),
        (PASSWORD, "short", (422, "short_password")),
    ],
)
def test_a_password_is_not_changed_by_or_to_just_anything(
    stage: Stage, old: str, new: str, refused: tuple[int, str]
) -> None:
    stage.person("kim")
    assert change(sign_in(stage), old, new) == refused
    sign_in(stage)


def test_a_new_password_ends_what_the_old_one_opened_and_goes_on_here(stage: Stage) -> None:
    stage.person("kim")
    stage.person("lee")
    here, elsewhere, other = sign_in(stage), sign_in(stage), sign_in(stage, "lee")
    before = here.cookies["__Host-bongsu"]
    answer = here.post("/api/me/password", json={"old": PASSWORD, "new": NEW})
    assert answer.status_code == 200
    assert here.cookies["__Host-bongsu"] != before
    assert here.get("/api/me").json()["name"] == "kim"
    assert here.delete("/api/me/sessions").json()["code"] == "bad_csrf", "the one of before is over"
    here.headers["X-CSRF-Token"] = answer.json()["csrf"]
    assert here.delete("/api/me/sessions").json() == {"ended": 0}
    assert elsewhere.get("/api/me").status_code == 401
    elsewhere.cookies.set("__Host-bongsu", before)
    assert elsewhere.get("/api/me").status_code == 401, "nor does a copy of this browser's go on"
    assert other.get("/api/me").json()["name"] == "lee"
    refused = stage.client(Origin="https://bongsu.test", Accept="application/json")
    assert refused.post("/login", data={"username": "kim", "password": PASSWORD}).status_code == 401
    sign_in(stage, password=NEW)
    assert log_of(stage, "user") == [("kim", "user.password", {"sessions": 2})]


def test_guessing_the_old_one_is_slowed_down_as_signing_in_is_and_is_in_the_log(stage: Stage) -> None:
    stage.person("kim")
    client = sign_in(stage)
    tries = stage.settings.access.login_tries
    assert [change(client, f"guess {n}", NEW)[0] for n in range(tries)] == [403] * tries
    assert change(client, PASSWORD, NEW) == (429, "too_many_logins")
    assert log_of(stage, "user") == [("kim", "user.password_refused", {"address": "192.0.2.7"})] * tries
    stage.clock.move(timedelta(seconds=stage.settings.access.login_pause_seconds + 1))
    assert change(client, PASSWORD, NEW) == (200, "")


def test_one_sees_where_one_is_signed_in_and_ends_one_or_all_others(stage: Stage) -> None:
    stage.person("kim")
    stage.person("lee")
    first, began = sign_in(stage, address="192.0.2.1"), stage.clock.now
    stage.clock.move(timedelta(hours=1))
    second, third, theirs = sign_in(stage, address="192.0.2.2"), sign_in(stage), sign_in(stage, "lee")
    stage.clock.move(SEEN_EVERY)
    first.get("/api/me")
    seen = first.get("/api/me/sessions").json()["items"]
    assert [each["is_this"] for each in seen] == [True, False, False]
    assert (seen[0]["address"], seen[0]["began_at"]) == ("192.0.2.1", began.isoformat().replace("+00:00", "Z"))
    assert seen[0]["seen_at"] == stage.clock.now.isoformat().replace("+00:00", "Z")
    (of_second,) = [each["id"] for each in seen if each["address"] == "192.0.2.2"]
    assert theirs.delete(f"/api/me/sessions/{of_second}").status_code == 404, "a stranger's"
    assert first.delete(f"/api/me/sessions/{of_second}").json() == {"ended": 1}
    assert [client.get("/api/me").status_code for client in (first, second, third)] == [200, 401, 200]
    assert first.delete("/api/me/sessions").json() == {"ended": 1}
    assert [client.get("/api/me").status_code for client in (first, third, theirs)] == [200, 401, 200]
    assert log_of(stage, "session") == [("kim", "session.end", {"sessions": 1})] * 2


def test_a_token_has_no_account_of_its_own(stage: Stage) -> None:
    client = stage.program("reader")
    answers = [
        client.get("/api/me/sessions"),
        client.delete("/api/me/sessions"),
        client.post("/api/me/password", json={"old": "x", "new": NEW}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "no_account")] * 3
