"""Who is let in, who may write, and what a page of somebody else's can do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from stage import PASSWORD, Stage, set_stage
from starlette.testclient import TestClient

from collector.access.guard import Administrator, Reader, Writer, is_open
from collector.access.queries import add_api_token, list_api_tokens, revoke_api_token
from collector.settings import Server
from collector.store.engine import Store

OWN = {"Origin": "https://bongsu.test"}


def add_doors(app: FastAPI) -> None:
    @app.post("/api/door")
    def write(caller: Writer) -> str:
        return caller.name

    @app.post("/api/decide")
    def decide(caller: Administrator) -> str:
        return caller.name

    @app.post("/api/v1/query")
    def ask(caller: Reader) -> str:
        return caller.name

    @app.get("/page")
    def page(caller: Reader) -> str:
        return caller.name


@pytest.fixture
def doors(stage: Stage) -> Stage:
    add_doors(stage.fastapi)
    return stage


@pytest.fixture
def near(store: Store, tmp_path: Path) -> Stage:
    stage = set_stage(store, tmp_path, Server())
    add_doors(stage.fastapi)
    return stage


def login(stage: Stage, username: str, client: TestClient) -> str:
    """Signs in; the CSRF token."""
    answer = client.post(
        "/login", data={"username": username, "password": PASSWORD}, headers={"Accept": "application/json", **OWN}
    )
    assert answer.status_code == 200, answer.text
    csrf: str = answer.json()["csrf"]
    return csrf


def test_without_a_caller_nothing_is_reachable(doors: Stage) -> None:
    for path in ("/page", "/api/sites", "/metrics", "/api/openapi.json", "/nowhere", "/v1", "/logins"):
        answer = doors.client().get(path)
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "login_needed"


def test_a_browser_is_led_to_the_login_page_and_back(doors: Stage) -> None:
    answer = doors.client(Accept="text/html").get("/page?a=1&b=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fpage%3Fa%3D1%26b%3D2"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/healthz", True),
        ("/readyz", True),
        ("/login", True),
        ("/v1/envelopes", True),
        ("/status/mofa", True),
        ("/static/app.css", True),
        ("/", False),
        ("/v1", False),
        ("/status", False),
        ("/login/", False),
        ("/healthz/x", False),
        ("/metrics", False),
        ("//v1/x", False),
    ],
)
def test_open_paths(path: str, expected: bool) -> None:
    assert is_open(path) is expected


def test_reading_is_open_on_loopback_and_writing_is_not(near: Stage) -> None:
    client = near.client()
    assert client.get("/page").json() == "anonymous"
    assert client.post("/api/v1/query").json() == "anonymous"  # reads, for all its method
    answer = client.post("/api/door")
    assert answer.status_code == 401
    assert answer.json()["code"] == "login_needed"


def test_loopback_trusts_only_what_is_from_this_machine_in_earnest(near: Stage) -> None:
    for headers in (
        {"Host": "evil.example"},
        {"Host": "evil.example:8650"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Host": "["},
    ):
        assert near.client().get("/page", headers=headers).status_code == 401, headers
    for host in ("localhost:9999", "127.0.0.1", "[::1]:8650"):
        assert near.client().get("/page", headers={"Host": host}).status_code == 200, host


def test_a_page_elsewhere_cannot_make_a_browser_ask_us(near: Stage) -> None:
    answer = near.client().post("/api/v1/query", headers={"Origin": "https://evil.example"})
    assert answer.json()["code"] == "foreign_origin"


def test_roles_of_tokens(doors: Stage) -> None:
    programs = {role: doors.program(role, role=role) for role in ("viewer", "operator", "admin")}
    for role, path, status in (
        ("viewer", "/api/door", 403),
        ("operator", "/api/door", 200),
        ("admin", "/api/door", 200),
        ("viewer", "/api/decide", 403),
        ("operator", "/api/decide", 403),
        ("admin", "/api/decide", 200),
        ("viewer", "/api/v1/query", 200),
    ):
        assert programs[role].post(path).status_code == status, (role, path)


def test_writing_by_session_needs_origin_and_csrf(doors: Stage) -> None:
    doors.person("kim", role="operator")
    client = doors.client()
    csrf = login(doors, "kim", client)
    assert client.cookies["__Host-bongsu"]
    right = {**OWN, "X-CSRF-Token": csrf}
    cases = [
        (right, "", 200, None),
        (OWN, f"csrf={csrf}", 200, None),
        ({"Referer": "https://bongsu.test/page", "X-CSRF-Token": csrf}, "", 200, None),
        (OWN, "", 403, "bad_csrf"),
        (OWN, "csrf=wrong", 403, "bad_csrf"),
        ({"X-CSRF-Token": csrf}, "", 403, "foreign_origin"),
        ({**right, "Origin": "https://evil.example"}, "", 403, "foreign_origin"),
        ({**right, "Origin": "null"}, "", 403, "foreign_origin"),
        ({**right, "Origin": "https://bongsu.test.evil.example"}, "", 403, "foreign_origin"),
    ]
    for headers, body, status, code in cases:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        answer = client.post("/api/door", headers={**headers, **form}, content=body)
        assert (answer.status_code, None if status == 200 else answer.json()["code"]) == (status, code), (headers, body)


def test_a_session_ends(doors: Stage) -> None:
    doors.person("kim", role="operator")
    client = doors.client()
    login(doors, "kim", client)
    assert client.get("/page").json() == "kim"
    doors.clock.move(timedelta(hours=doors.settings.access.session_hours))
    assert client.get("/page").status_code == 401


def test_signing_out_ends_it_on_the_server(doors: Stage) -> None:
    doors.person("kim")
    client = doors.client()
    csrf = login(doors, "kim", client)
    cookie = client.cookies["__Host-bongsu"]
    assert client.post("/logout", headers=OWN).json()["code"] == "bad_csrf"
    answer = client.post("/logout", headers={**OWN, "X-CSRF-Token": csrf})
    assert answer.headers["location"] == "/login"
    kept = doors.client(Cookie=f"__Host-bongsu={cookie}")
    assert kept.get("/page").status_code == 401


def test_a_token_that_is_none_is_said_to_be(near: Stage) -> None:
    """It does not read as anonymous: a program whose token ended should not go on with less."""
    near.program("p")
    assert near.client(Authorization="Bearer secret-p").get("/page").json() == "token:p"
    for secret in ("", "unknown", "secret-"):
        answer = near.client(Authorization=f"Bearer {secret}").get("/page")
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


def test_tokens_end_are_revoked_and_remember_their_use(doors: Stage) -> None:
    client = doors.program("p")
    with doors.store.transaction() as connection:
        add_api_token(
            connection, "short", "short", "test", doors.clock.now, expires_at=doors.clock.now + timedelta(hours=1)
        )
    short = doors.client(Authorization="Bearer short")
    assert [client.get("/page").status_code, short.get("/page").status_code] == [200, 200]
    first = doors.clock.now
    doors.clock.move(timedelta(seconds=30))
    client.get("/page")
    with doors.store.reading() as connection:
        assert [row.used_at for row in list_api_tokens(connection)] == [first, first]
    doors.clock.move(timedelta(hours=1))
    assert [client.get("/page").status_code, short.get("/page").status_code] == [200, 401]
    with doors.store.transaction() as connection:
        assert [row.used_at for row in list_api_tokens(connection)] == [doors.clock.now, first]
        assert revoke_api_token(connection, "p", doors.clock.now)
        assert not revoke_api_token(connection, "p", doors.clock.now)
    assert client.get("/page").status_code == 401


def test_the_cookie_cannot_be_read_by_script_or_sent_from_elsewhere(doors: Stage, near: Stage) -> None:
    doors.person("kim")
    body = {"username": "kim", "password": PASSWORD}
    by_proxy = doors.client().post("/login", data=body, headers=OWN).headers["set-cookie"]
    assert by_proxy.startswith("__Host-bongsu=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in by_proxy
    assert "Domain" not in by_proxy
    plain = near.client().post("/login", data=body, headers={"Origin": "http://127.0.0.1:8650"}).headers["set-cookie"]
    assert plain.startswith("bongsu=")
    assert "Secure" not in plain


@pytest.mark.parametrize(
    ("kind", "begin"),
    [
        ("application/x-www-form-urlencoded", b"username=kim&password="),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="password"; filename="f"\r\n\r\n',
        ),
    ],
)
def test_a_form_is_read_no_further_than_its_measure(doors: Stage, kind: str, begin: bytes) -> None:
    def flood() -> Iterator[bytes]:
        yield begin
        for _ in range(5):
            yield b"x" * (1 << 20)

    answer = doors.client().post("/login", content=flood(), headers={"Content-Type": kind, **OWN})
    assert answer.status_code in (400, 413), "not 422: nobody looked at it"
