"""Search finds what one may see and nothing else; a demonstration's page is in a demonstration only."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient
from test_pages import BROWSER, read, sign_in
from world import World

from collector.store.scope import Scope


def test_a_word_finds_sites_and_hosts(client: TestClient) -> None:
    links = read(client.get("/search?q=Abuja", headers=BROWSER).text).values("a", "href")
    assert {"/sites/abuja", "/hosts/srv1.abuja", "/hosts/srv2.abuja"} <= set(links)
    assert "/hubs/mea" in read(client.get("/search?q=중동", headers=BROWSER).text).values("a", "href")
    assert "찾은 것이 없습니다" in client.get("/search?q=<nope>", headers=BROWSER).text


def test_others_are_not_found(world: World) -> None:
    client = sign_in(world, Scope(agencies=frozenset({"nirs"})))
    assert "/sites/abuja" not in client.get("/search?q=abuja", headers=BROWSER).text
    assert "/sites/dc-djn" in client.get("/search?q=dc-djn", headers=BROWSER).text


def test_disasters_are_played_in_a_demonstration_only(client: TestClient, world: World) -> None:
    assert client.get("/demo", headers=BROWSER).status_code == 404
    listed = [
        {"number": 2, "title_ko": "배터리", "title_en": "Battery", "what_ko": "열", "what_en": "heat", "seconds": 60}
    ]
    folder = world.settings.data_dir.parent
    (folder / "scenarios.json").write_text(json.dumps(listed), "utf-8")
    try:
        assert "배터리" in client.get("/demo", headers=BROWSER).text
        origin = {"origin": "http://127.0.0.1:8650"}
        assert client.post("/demo/2", headers=origin).status_code == 401, "looking is free, playing needs a login"
    finally:
        (folder / "scenarios.json").unlink()
