"""``bongsu beat``: from its address to its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.cli import main


def test_a_beat_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "data")]
    (tmp_path / "password").write_text("a rather long password\n")
    assert main(["init", *data, "--admin-password-file", str(tmp_path / "password")]) == 0

    def said(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(["beat", *words, *data]) == status
        found = capsys.readouterr()
        return found.err if status else found.out

    url = said("add", "backup", "--cron", "0 3 * * *", "--grace", "30m", "--site", "local").splitlines()[0]
    (row,) = json.loads(said("list", "--json"))
    assert (row["name"], row["status"], row["grace_seconds"], row["about"]) == ("backup", "new", 1800, "local")
    assert "already" in said("add", "backup", "--period", "1d", status=1)
    assert "expected a duration" in said("add", "x", "--period", "soon", status=1)
    assert "expected five fields" in said("add", "x", "--cron", "soon", status=1)
    assert "no such heartbeat" in said("pause", "x", status=1)
    assert "paused" in said("pause", "backup")
    assert "new" in said("resume", "backup")
    other = said("key", "backup").strip()
    assert other != url
    assert other.rpartition("/")[0] == url.rpartition("/")[0]
    assert "forgotten" in said("remove", "backup")
    assert "No heartbeats" in said("list")
