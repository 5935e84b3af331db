"""An administrator's way from 0.1.0 to today: the data directory as it was left, ``bongsu migrate``, and on it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import HandClock
from released import HOST, lay, released, write

from collector.access.passwords import is_password
from collector.access.queries import stored_password
from collector.app import App, build
from collector.cli import main
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.migrate import head


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What 0.1.0 left, the default for every command."""
    for name in ("BONGSU_CONFIG", "BONGSU_SERVER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BONGSU_DATA", str(tmp_path))
    write(released().centre_files, tmp_path)
    store = Store(f"sqlite:///{tmp_path / 'bongsu.db'}")
    lay(store, released().rows)
    store.close()
    return tmp_path


@pytest.fixture
def app(data: Path) -> Iterator[App]:
    assert main(["migrate"]) == 0
    made = build(Settings(data_dir=data), HandClock(released().at_ms))
    made.read_back()
    yield made
    made.store.close()


def test_every_command_says_what_to_do_and_then_works(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sites"]) == 1
    assert "bongsu migrate" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert head() in capsys.readouterr().out
    for verb, seen in (
        (["sites"], {"abuja": "degraded", "tokyo": "no_data"}),
        (["hosts"], {HOST: "ok", "nas.tokyo": "no_data", "shared.abuja": "no_data"}),
    ):
        assert main([*verb, "--json"]) == 0
        found = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
        assert {name: row["state"] for name, row in found.items()} == seen
        assert found.get(HOST, found.get("abuja"))["last_report"] == "2026-11-22T10:53:20Z"
    assert main(["agent", "list", "--json"]) == 0
    assert [row["status"] for row in json.loads(capsys.readouterr().out)] == ["active"]


def test_todays_collector_starts_where_it_stopped(app: App) -> None:
    assert app.centre_key.public == released().centre.public, "agents and receipts go by it"
    assert app.live.hosts[HOST].value("node_load1") == 80 / 4
    ((name, position),) = app.log.positions.items()
    assert (name[0], list(position.held), list(position.lost)) == (released().agent_id, [(1, 88)], [(89, 89)])
    with app.store.reading() as connection:
        kept = stored_password(connection, "kim")
    assert kept is not None
    assert is_password("a rather long password", kept)
    app.jobs.run("verdicts")
    assert app.standing.hosts[HOST].last_report_ms == released().at_ms
