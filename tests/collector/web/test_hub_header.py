"""On a hub every page says so, and how it stands with its centre."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from starlette.testclient import TestClient
from world import World

from collector.relay.hub import UpstreamStanding

AWAY = UpstreamStanding(
    "mea", "https://centre.test", 2, 1_790_000_000_000, 0, 41, 1_790_000_000_000, "no route to host"
)


@dataclass
class Upstream:
    standing: UpstreamStanding


@pytest.mark.parametrize(
    ("standing", "language", "words"),
    [
        (AWAY, "ko", ["거점", "mea", "센터 연결 끊김", "마지막 응답", "센터로 보낼 봉투 41개", "no route to host"]),
        (AWAY, "en", ["Hub", "Centre not reachable", "last answer", "41 envelopes wait for the centre"]),
        (replace(AWAY, state=0, pending=0, oldest_ms=None), "en", ["Centre reachable"]),
    ],
)
def test_the_header_of_a_hub(world: World, standing: UpstreamStanding, language: str, words: list[str]) -> None:
    world.upstream = Upstream(standing)
    page = TestClient(world.app(), base_url="http://127.0.0.1:8650").get(f"/?lang={language}").text
    for word in words:
        assert word in page
    assert ("wait for the centre" in page) is bool(standing.pending and language == "en")


def test_a_centre_has_no_such_line(world: World) -> None:
    page = TestClient(world.app(), base_url="http://127.0.0.1:8650").get("/?lang=en").text
    assert 'class="upstream' not in page
