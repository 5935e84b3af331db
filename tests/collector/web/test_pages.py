"""Every page over HTTP, in both languages: what it says, what it never carries, and whom it turns away."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update
from world import World, make_world, plant

from collector.access.passwords import hash_password
from collector.access.queries import add_person
from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts, sites
from collector.store.schema import instant
from collector.store.scope import Scope
from collector.web.headers import HEADERS
from collector.web.render import assets

PAGES = ("/", "/?q=abuja", "/?state=4", "/sites/dc-djn", "/sites/abuja", "/hosts/srv2.dc-djn", "/hosts/srv1.abuja", "/hosts/srv1.dc-djn?range=24h", "/agents", "/oncall", "/oncall?site=abuja", "/login")  # fmt: skip
BROWSER = {"accept": "text/html,application/xhtml+xml"}


class Reader(HTMLParser):
    """Collects what a page carries."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        assert not (self._in_script and data.strip()), "inline script"
        self.text += data

    def values(self, tag: str, attribute: str) -> list[str]:
        return [found[attribute] or "" for name, found in self.tags if name == tag and attribute in found]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_in_both_languages(client: TestClient, language: str) -> None:
    for path in PAGES:
        check_page(client, path, language)


def check_page(client: TestClient, path: str, language: str) -> None:
    answer = client.get(path, headers={**BROWSER, "accept-language": language})
    assert answer.status_code == 200, path
    assert answer.headers["content-language"] == language
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    page = read(answer.text)
    assert page.values("html", "lang") == [language]
    assert not [tag for tag, found in page.tags if tag == "style" or "style" in found]
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    own = page.values("script", "src") + page.values("link", "href") + page.values("img", "src")
    assert own
    assert all(address.startswith("/static/") for address in own)
    assert all(client.get(address).status_code == 200 for address in own)
    ids = [found["id"] for _, found in page.tags if "id" in found]
    assert len(ids) == len(set(ids))
    assert len([tag for tag, _ in page.tags if tag == "h1"]) == 1
    if language == "en":
        assert not re.search("[가-힣]", page.text.replace("한국어", ""))


def test_links_lead_to_pages_that_exist(client: TestClient) -> None:
    addresses: set[str] = set()
    for path in ("/", "/sites/dc-djn", "/hosts/srv2.dc-djn", "/agents", "/oncall"):
        addresses.update(read(client.get(path, headers=BROWSER).text).values("a", "href"))
    for address in addresses - {"#content", "", "/paging"}:  # that one needs the part that calls people
        assert client.get(address, headers=BROWSER).status_code == 200, address


def test_the_board_says_why(client: TestClient) -> None:
    text = client.get("/", headers=BROWSER).text
    for word in ("수신두절", "성능저하", "점검 중", "장애", "정상", "disk_space", "96.3 % used", "9시간 전"):
        assert word in text
    assert text.index('data-site="nairobi"') < text.index('data-site="abuja"') < text.index('data-site="cairo"')


def test_the_filter_works_without_script(client: TestClient) -> None:
    page = read(client.get("/?q=중남미", headers=BROWSER).text)
    found = [attrs["data-site"] for tag, attrs in page.tags if tag == "tbody" and "data-site" in attrs]
    assert found == ["brasilia", "lima", "mexico-city", "santiago"]
    page = read(client.get("/?state=4", headers=BROWSER).text)
    assert [attrs["data-site"] for tag, attrs in page.tags if "data-site" in attrs] == ["nairobi"]
    assert "조건에 맞는 사이트가 없습니다" in client.get("/?q=nowhere", headers=BROWSER).text


def test_a_language_asked_for_is_remembered(client: TestClient) -> None:
    assert "현황판" in client.get("/", headers=BROWSER).text
    client.get("/?lang=en", headers=BROWSER)
    assert 'lang="en"' in client.get("/", headers=BROWSER).text
    assert "Board" in client.get("/agents", headers={**BROWSER, "accept-language": "ko"}).text


def test_names_and_texts_are_escaped(world: World) -> None:
    evil = "<script>alert(1)</script>\"'&"
    world.failing["srv1.tokyo"]["process:sshd"] = (2, evil)
    with world.store.transaction() as connection:
        connection.execute(update(sites).where(sites.c.id == "tokyo").values(name_ko=evil))
        bump_version(connection)
    world.registry.refresh()
    world.clock.now_ms += 40_000  # type: ignore[attr-defined]
    world.step()
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as client:
        for path in ("/", "/sites/tokyo", "/hosts/srv1.tokyo", "/?q=" + evil):
            text = client.get(path, headers=BROWSER).text
            assert "<script>alert" not in text
            assert "&lt;script&gt;" in text


def test_not_found_is_a_page_for_people_and_a_problem_for_programs(client: TestClient) -> None:
    for path in ("/sites/nowhere", "/hosts/nobody", "/nope"):
        page = client.get(path, headers=BROWSER)
        assert page.status_code == 404
        assert "찾을 수 없습니다" in page.text
        problem = client.get(path)
        assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
        assert problem.headers["content-security-policy"] == HEADERS["content-security-policy"]


def test_a_failure_of_ours_is_a_page_too(world: World) -> None:
    app = world.app()

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret detail")

    with TestClient(app, base_url="http://127.0.0.1:8650", raise_server_exceptions=False) as client:
        page = client.get("/broken", headers=BROWSER)
        assert page.status_code == 500
        assert "화면을 만들지 못했습니다" in page.text
        assert "secret" not in page.text + client.get("/broken").text
        assert page.headers["content-security-policy"] == HEADERS["content-security-policy"]


def sign_in(world: World, scope: Scope) -> TestClient:
    with world.store.transaction() as connection:
        at = instant(world.clock.wall_ms())
        add_person(connection, "guest", hash_password("correct horse battery"), at, scope=scope)
    client = TestClient(world.app(), base_url="http://127.0.0.1:8650")
    form = {"username": "guest", "password": "correct horse battery", "next": "/"}
    answer = client.post("/login", data=form, headers={"origin": "http://127.0.0.1:8650"}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return client


def test_a_stranger_sees_nothing_of_others(world: World) -> None:
    client = sign_in(world, Scope(agencies=frozenset({"adm"})))
    board = client.get("/", headers=BROWSER).text
    assert "dc-djn" in board
    assert "abuja" not in board
    assert "srv2.dc-djn" not in board
    assert "로그아웃" in board
    for path in ("/sites/abuja", "/hosts/srv1.abuja", "/hosts/srv2.dc-djn", "/hosts/srv2.dc-djn/series"):
        assert client.get(path, headers=BROWSER).status_code == 404, path
    site = client.get("/sites/dc-djn", headers=BROWSER).text
    assert "srv3.dc-djn" in site
    assert "srv1.dc-djn" not in site
    assert "srv2.dc-djn" not in site
    assert "srv" not in client.get("/agents", headers=BROWSER).text


def test_the_login_page_says_what_went_wrong(world: World) -> None:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as client:
        origin = {"origin": "http://127.0.0.1:8650", **BROWSER}
        answer = client.post("/login", data={"username": "x", "password": "y", "next": "/agents"}, headers=origin)
        assert "사용자 이름 또는 비밀번호가 맞지 않습니다" in answer.text
        assert read(answer.text).values("input", "value")[-1] == "/agents"
        assert read(client.get("/login?next=//evil.example", headers=BROWSER).text).values("input", "value")[-1] == "/"


def test_an_empty_collector_tells_what_to_do(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as client:
        text = client.get("/", headers=BROWSER).text
        assert "등록된 사이트가 없습니다" in text
        assert "bongsu token create" in text
        assert "등록된 에이전트가 없습니다" in client.get("/agents", headers=BROWSER).text
    world.store.close()


def test_before_the_first_verdict_nothing_is_green(tmp_path: Path) -> None:
    world = plant(make_world(tmp_path))
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as client:
        text = client.get("/", headers=BROWSER).text
        assert "아직 판정이 없습니다" in text
        assert 'class="site s0"' not in text
        assert text.count('class="site s2"') == 27
        assert client.get("/hosts/srv1.cairo", headers=BROWSER).status_code == 200
    world.store.close()


def test_old_verdicts_are_called_old(world: World, client: TestClient) -> None:
    assert "판정이 갱신되지 않고 있습니다. 마지막" not in read(client.get("/", headers=BROWSER).text).text
    world.clock.now_ms += 11_000  # type: ignore[attr-defined]
    assert (
        "판정이 갱신되지 않고 있습니다. 마지막 판정: 2026-07-31 14:05:09 KST" in client.get("/", headers=BROWSER).text
    )


def test_static_files_are_kept_by_their_version_only(client: TestClient) -> None:
    url = assets.url("board.js")
    answer = client.get(url)
    assert "immutable" in answer.headers["cache-control"]
    assert (answer.headers["content-type"], answer.headers["content-encoding"]) == (
        "text/javascript; charset=utf-8",
        "gzip",
    )
    assert client.get(url.replace(assets.version, "000000000000")).headers["cache-control"] == "no-cache"
    for path in (
        "/static/x/../view.py",
        "/static/x/%2e%2e/view.py",
        "/static/x//etc/passwd",
        "/static/x/vendor/.stamp",
    ):
        assert client.get(path).status_code == 404


def test_series_of_a_host(world: World, client: TestClient) -> None:
    now = world.clock.wall_ms()
    world.remember("srv1.cairo", now - 3_900_000, now, (now - 1_900_000, now - 1_200_000))
    found = client.get(f"/hosts/srv1.cairo/series?from={now - 3_600_000}&to={now}&lang=en").json()
    assert [plot["id"] for plot in found["plots"]] == ["cpu", "load", "memory", "filesystem", "network", "disk"]
    for plot in found["plots"]:
        assert plot["lines"]
        for line in plot["lines"]:
            assert len(line["values"]) == len(found["times"])
            gap = [
                v
                for at, v in zip(found["times"], line["values"], strict=True)
                if now - 1_700_000 < at * 1000 < now - 1_250_000
            ]
            assert gap
            assert all(value is None for value in gap), "a gap stays a gap"
            assert line["values"][1] is not None
    assert found["plots"][4]["lines"][0]["label"] == "eth0 in"
    page = client.get("/hosts/srv1.cairo", headers=BROWSER).text
    assert "eth0 수신" in page, "the newest values stand in the page itself, for readers without script"


def test_a_senseless_span_is_refused(client: TestClient) -> None:
    for query in ("from=x", "from=5&to=4", "from=0&to=99999999999999", "to=1e3"):
        assert client.get(f"/hosts/srv1.cairo/series?{query}").status_code == 422


def test_a_host_nobody_watches_has_a_page(world: World, client: TestClient) -> None:
    with world.store.transaction() as connection:
        connection.execute(insert(hosts), {"id": "new.cairo", "name": "new", "site": "cairo", "agency": "for", "managed_by": "file"})  # fmt: skip
        bump_version(connection)
    world.registry.refresh()
    assert "이 호스트의 보고가 없습니다" in client.get("/hosts/new.cairo", headers=BROWSER).text
