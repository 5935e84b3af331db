"""``bongsu incidents`` and ``bongsu ack``, as an operator types them; ``bongsu apply`` with a file of escalation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.cli import main
from collector.fleet.registry import Registry
from collector.incidents.job import IncidentJob
from collector.incidents.signal import Signal
from collector.store.engine import Store

NOW_MS = 1_795_000_000_000


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "password"
    secret.write_text("a rather long password\n")
    folder = tmp_path / "data"
    monkeypatch.delenv("BONGSU_CONFIG", raising=False)
    monkeypatch.setenv("BONGSU_DATA", str(folder))
    assert main(["init", "--admin-password-file", str(secret)]) == 0
    store = Store(f"sqlite:///{folder}/bongsu.db")
    registry = Registry(store)
    registry.refresh()
    signal = Signal("site:local", "verdict", "critical", ("site", "local"), "local", "local", "silent", NOW_MS,
                    NOW_MS, (), (), (), (), is_active=True)  # fmt: skip
    IncidentJob(store, registry, lambda _now, _plan: ([signal], False)).step(datetime.fromtimestamp(NOW_MS / 1000, UTC))
    store.close()
    return folder


def test_an_incident_on_the_command_line(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incidents"]) == 0
    assert "critical" in capsys.readouterr().out
    assert main(["ack", "7"]) == 1
    assert "No incident '7'" in capsys.readouterr().err
    assert main(["ack", "1"]) == 0
    assert "acknowledged by cli" in capsys.readouterr().out
    assert main(["ack", "1"]) == 1
    assert "acknowledged by cli" in capsys.readouterr().err
    assert main(["incidents", "1", "--action", "restarted it"]) == 0
    assert "restarted it" in capsys.readouterr().out
    assert main(["incidents", "1", "--resolve", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "resolved"
    assert main(["incidents", "1", "--report", "interim", "--language", "en"]) == 0
    assert "[Interim report of an incident]" in capsys.readouterr().out
    assert main(["incidents", "--state", "all", "--json"]) == 0
    assert [row["number"] for row in json.loads(capsys.readouterr().out)] == [1]
    assert main(["incidents", "--action", "restarted it"]) == 1


def test_a_file_of_escalation_is_taken_over(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = (Path(__file__).parents[3] / "configs/escalation.toml").read_text("utf-8")
    file = tmp_path / "escalation.toml"
    file.write_text(shipped)
    assert main(["apply", str(file)]) == 0
    assert "Nothing to change" in capsys.readouterr().out
    file.write_text(shipped.replace("after_seconds = 300", "after_seconds = 240"))
    assert main(["apply", str(file)]) == 0
    assert "step 2: '300 s: next_on_duty by next, all' -> '240 s: " in capsys.readouterr().out
    file.write_text(shipped.replace('"on_duty"', '"team:noc"').replace("settle_seconds = 120", "settle_seconds = '2m'"))
    assert main(["apply", str(file)]) == 1
    assert "course: settle_seconds = '2m': expected a whole number of seconds" in capsys.readouterr().err
    file.write_text(shipped.replace('["on_duty"]', '["team:noc"]'))
    assert main(["apply", str(file)]) == 1
    assert "no such team 'noc'" in capsys.readouterr().err
