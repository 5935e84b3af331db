"""Signing in: right, wrong, too often; and where it leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from stage import PASSWORD, Stage

from collector.access.api import safe_target
from collector.access.passwords import generate_password, hash_password, is_password
from collector.access.queries import add_person, list_persons, secret_hash
from collector.access.tables import sessions
from collector.access.throttle import LOOSER_PER_ADDRESS, Throttle
from collector.errors import UsageError
from collector.store.scope import Scope

OWN = {"Origin": "https://bongsu.test"}


def count(stage: Stage, result: str) -> float:
    found = stage.telemetry.registry.get_sample_value("bongsu_logins_total", {"result": result})
    assert found is not None
    return found


def test_a_browser_gets_its_cookie_and_goes_where_it_wanted(stage: Stage) -> None:
    stage.person("kim", scope=Scope(frozenset({"owner"})))
    client = stage.client()
    answer = client.post("/login", data={"username": " kim ", "password": PASSWORD, "next": "/sites/here"}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sites/here")
    assert client.get("/api/me").json() == {
        "name": "kim",
        "display_name": "kim",
        "role": "viewer",
        "language": "",
        "timezone": "",
        "way": "session",
        "agencies": ["owner"],
        "sites": None,
    }
    assert count(stage, "ok") == 1
    with stage.store.reading() as connection:
        kept = connection.execute(select(sessions.c.hash)).scalar_one()
    assert kept == secret_hash(client.cookies["__Host-bongsu"])


def test_wrong_is_said_alike_for_known_and_unknown_users(stage: Stage) -> None:
    stage.person("kim")
    for username in ("kim", "nobody\0"):
        answer = stage.client().post("/login", data={"username": username, "password": "wrong"}, headers=OWN)
        assert answer.headers["location"] == "/login?error=wrong_login&next=%2F"
        assert "set-cookie" not in answer.headers
    assert count(stage, "wrong_login") == 2
    answer = stage.client(Accept="application/json").post(
        "/login", data={"username": "kim", "password": "wrong"}, headers=OWN
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_login")


def test_guessing_is_slowed_down_and_forgiven(stage: Stage) -> None:
    stage.person("kim")
    stage.person("lee")
    client = stage.client(Accept="application/json", **OWN)
    wrong = {"username": "kim", "password": "wrong"}
    for _ in range(stage.settings.access.login_tries):
        assert client.post("/login", data=wrong).status_code == 401
    right = {"username": "kim", "password": PASSWORD}
    answer = client.post("/login", data=right)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_logins")
    assert 0 < int(answer.headers["retry-after"]) <= 61
    elsewhere = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    assert client.post("/login", data=right, headers=elsewhere).status_code == 200, "another address is not locked out"
    assert client.post("/login", data={"username": "lee", "password": PASSWORD}).status_code == 200
    stage.clock.move(timedelta(seconds=60))
    assert client.post("/login", data=right).status_code == 200


def test_another_site_cannot_sign_its_reader_in(stage: Stage) -> None:
    stage.person("kim")
    answer = stage.client().post(
        "/login", data={"username": "kim", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


def test_a_form_with_a_field_missing_is_a_problem(stage: Stage) -> None:
    answer = stage.client().post("/login", data={"username": "kim"}, headers=OWN)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "body.password", "message": "Field required"}]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", "/"),
        ("/sites/a?x=1&y=%2F#z", "/sites/a?x=1&y=%2F#z"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("sites", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_only_paths_of_ours_are_gone_to(target: str, expected: str) -> None:
    assert safe_target(target) == expected


def test_passwords() -> None:
    class Counting:
        def bytes(self, count: int) -> bytes:
            return bytes(range(256))[:count]

        def uniform(self, low: float, high: float) -> float:
            return low

    made = generate_password(Counting())
    assert len(made) == 20
    kept = hash_password(made)
    assert kept.startswith("$argon2id$")
    assert made not in kept
    assert is_password(made, kept)
    assert not is_password(made + "x", kept)
    assert not is_password(made, None)
    with pytest.raises(UsageError, match="at least 12"):
        hash_password("short")


def test_persons(stage: Stage) -> None:
    stage.person("kim", role="admin", scope=Scope(None, frozenset({"there", "here"})))
    with stage.store.transaction() as connection:
        assert [(p.username, p.role, p.scope) for p in list_persons(connection)] == [
            ("kim", "admin", Scope(None, frozenset({"here", "there"})))
        ]
        for username, role, said in (
            ("kim", "viewer", "there already"),
            ("a b", "viewer", "spaces"),
            ("x", "amin", "'admin'"),
        ):
            with pytest.raises(UsageError, match=said):
                add_person(connection, username, "hash", stage.clock.now, role=role)


def test_throttle_limits_an_address_more_loosely_than_a_user_on_it() -> None:
    throttle = Throttle(tries=2, pause_seconds=10)
    for number in range(2 * LOOSER_PER_ADDRESS):
        assert throttle.seconds_to_wait(f"user{number}", "a", 0) == 0
        throttle.failed(f"user{number}", "a", 0)
    assert throttle.seconds_to_wait("fresh", "a", 4) == 6
    assert throttle.seconds_to_wait("fresh", "b", 4) == 0
    assert throttle.seconds_to_wait("fresh", "a", 10) == 0


def test_throttle_forgives_after_a_quiet_time_and_at_once_after_success() -> None:
    throttle = Throttle(tries=2, pause_seconds=10)
    throttle.failed("kim", "a", 0)
    throttle.failed("kim", "a", 30)
    assert throttle.seconds_to_wait("kim", "a", 30) == 0, "the first is long ago"
    throttle.failed("kim", "a", 31)
    assert throttle.seconds_to_wait("kim", "a", 31) == 10
    throttle.succeeded("kim", "a")
    assert throttle.seconds_to_wait("kim", "a", 31) == 0
