"""Search finds what one may see and nothing else; a demonstration's page is in a demonstration only."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from test_pages import BROWSER, read, sign_in
from world import World

from collector.store.scope import Scope
from collector.web import stage, times
from collector.web.stage import Offer, Playing, Wish

BEGAN_MS = 1_790_000_000_000


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
    folder = world.settings.data_dir.parent
    stage.offer(folder, [Offer(2, "battery_heat", 60.0)])
    stage.tell(folder, [Playing(2, BEGAN_MS, BEGAN_MS + 60_000)])
    try:
        text = client.get("/demo?lang=en", headers=BROWSER).text
        assert "Battery heat in Daejeon" in text
        assert times.stamp(BEGAN_MS)[11:] in text, "since when"
        origin = {"origin": "http://127.0.0.1:8650"}
        for way in ("/demo/2", "/demo/2/stop", "/demo/stop"):
            assert client.post(way, headers=origin).status_code == 401, "looking is free, playing needs a login"
        assert stage.take_wishes(folder) == []
    finally:
        (folder / stage.OFFERED).unlink()


def test_what_is_asked_for_is_taken_once_and_ends_come_first(tmp_path: Path) -> None:
    stage.offer(tmp_path, [Offer(2, "battery_heat", 60.0)])
    for wish in (Wish(False, 2), Wish(True, 5), Wish(True, None)):
        stage.ask(tmp_path, wish)
    (tmp_path / stage.ASKED / "nonsense").touch()
    assert stage.take_wishes(tmp_path) == [Wish(True, None), Wish(True, 5), Wish(False, 2)]
    assert stage.take_wishes(tmp_path) == []
