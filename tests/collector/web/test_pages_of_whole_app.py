"""Every page without parameters, of the whole collector with nothing in it yet, as its first administrator opens it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from agent.link.clock import SystemChance, SystemClock
from collector.app import build
from collector.cli.init import initialise
from collector.settings import Server, Settings
from collector.store.schema import instant

PASSWORD = "a rather long password"
PAGES = (
    "/", "/map", "/incidents", "/silences", "/silences?severity=critical", "/beats", "/paging", "/paging?days=90", "/systems", "/agents",
    "/oncall", "/maintenance", "/situation", "/situation.txt", "/admin", "/account", "/search", "/wall",
)  # fmt: skip


@pytest.mark.slow
def test_every_page_opens(tmp_path: Path) -> None:
    clock = SystemClock()
    settings = replace(
        Settings(data_dir=tmp_path / "data"),
        server=Server(host="0.0.0.0", behind_proxy=True, public_url="https://b.test"),
    )
    initialise(settings, instant(clock.wall_ms()), SystemChance(), password=PASSWORD)
    app = build(settings, clock)
    try:
        client = TestClient(app.fastapi, base_url="https://b.test", follow_redirects=False)
        client.headers.update({"Accept": "text/html", "Origin": "https://b.test"})
        assert client.post("/login", data={"username": "admin", "password": PASSWORD}).status_code == 303
        for number, path in enumerate(PAGES):
            language = ("ko", "en")[number % 2]
            answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
            assert answer.status_code == 200, (path, answer.text[:300])
            assert answer.headers.get("content-language", language) == language
    finally:
        app.store.close()
