"""Light or dark, and the keys: chosen without script, remembered, and the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from test_pages import BROWSER, read
from world import World, make_world, plant

from collector.web import keys
from collector.web.assets import FOLDER
from collector.web.i18n import catalog


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = plant(make_world(tmp_path_factory.mktemp("world")))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def everyone(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as made:
        yield made


@pytest.fixture
def client(everyone: TestClient) -> TestClient:
    """A browser that remembers nothing from the test before."""
    everyone.cookies.clear()
    return everyone


@pytest.mark.parametrize(
    ("theme", "media"),
    [("system", ["screen and (prefers-color-scheme: dark)"]), ("dark", ["screen"]), ("light", [])],
)
def test_a_look_is_remembered_on_every_page(client: TestClient, theme: str, media: list[str]) -> None:
    answer = client.post("/look", data={"theme": theme, "next": "/agents?q=a"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/agents?q=a")
    for path in ("/", "/agents", "/wall", "/login", "/keys"):
        page = read(client.get(path, headers=BROWSER).text)
        links = [found for tag, found in page.tags if tag == "link" and "dark.css" in (found.get("href") or "")]
        assert [found.get("media") for found in links] == media, path


def test_it_leads_nowhere_else_and_takes_nothing_else(client: TestClient) -> None:
    answer = client.post("/look", data={"theme": "dark", "next": "//evil.example"}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    assert client.post("/look", data={"theme": "pink"}).status_code == 422


def test_keys_are_listed_and_can_be_turned_off(client: TestClient) -> None:
    page = read(client.get("/keys", headers=BROWSER).text)
    assert "현황판" in page.text
    (told,) = page.values("a", "data-keys")
    assert "b=/" in told.split()
    client.post("/look", data={"keys": "off", "next": "/keys"})
    assert read(client.get("/", headers=BROWSER).text).values("a", "data-keys") == [""]


def test_every_way_has_its_own_letter_and_leads_somewhere(client: TestClient) -> None:
    letters = [way.letter for way in keys.WAYS]
    assert len(set(letters)) == len(letters)
    assert keys.LEAD not in letters
    for way in keys.WAYS:
        assert way.text in catalog("ko")
        assert client.get(way.href, headers=BROWSER).status_code == 200, way.href


def test_only_the_dark_sheet_knows_of_the_dark() -> None:
    others = [path for path in FOLDER.glob("*.css") if path.name != "dark.css"]
    assert [path.name for path in others if "prefers-color-scheme" in path.read_text("utf-8")] == []
