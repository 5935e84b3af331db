"""``bongsu apply`` with a file of rosters, and ``bongsu who``, as an administrator types them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.cli import main

ROSTERS = """
[[people]]
id = "kim"
name_ko = "김가람"
quiet_hours = "23:00-07:00"
contacts = [{ channel = "phone", address = "+82-2-555-0001" }]
[[people]]
id = "lee"
contacts = [{ channel = "phone", address = "+82-2-555-0002" }]
[[rosters]]
id = "noc"
fallback = ["lee"]
[[rosters.layers]]
name = "night"
crews = [["kim"]]
hours = "18:00-09:00"
starts = 2026-11-02
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "password"
    secret.write_text("a rather long password\n")
    folder = tmp_path / "data"
    monkeypatch.delenv("BONGSU_CONFIG", raising=False)
    monkeypatch.setenv("BONGSU_DATA", str(folder))
    assert main(["init", "--admin-password-file", str(secret)]) == 0
    return folder


def test_who_answers_from_the_file(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["who", "local"]) == 1
    assert "no roster is for this site" in capsys.readouterr().out
    file = tmp_path / "rosters.toml"
    file.write_text(ROSTERS)
    assert main(["apply", str(file), "--dry-run"]) == 0
    assert "Would be: 3 made" in capsys.readouterr().out
    assert main(["apply", str(file)]) == 0
    assert main(["apply", str(file)]) == 0
    assert "Nothing to change" in capsys.readouterr().out
    night = ["who", "local", "--at", "2026-11-22T03:00+09:00"]
    assert main(night) == 1, "an address nobody verified is a stranger's"
    out = capsys.readouterr().out
    assert "local at 2026-11-22 03:00 Asia/Seoul (2026-11-21 18:00 UTC)" in out
    assert "CANNOT BE REACHED: has no address that was verified" in out
    assert "nobody of them can be reached" in out
    with closing(sqlite3.connect(data / "bongsu.db")) as database, database:
        database.execute("UPDATE people_contacts SET verified_at = '2026-11-01 00:00:00'")
    config = tmp_path / "collector.toml"
    config.write_text('[[channels]]\nname = "phone"\nkind = "webhook"\nurl = "https://ars.example.org/call"\n')
    monkeypatch.setenv("BONGSU_CONFIG", str(config))
    assert main(night) == 0
    out = capsys.readouterr().out
    steps = [" ".join(line.split()) for line in out[: out.index("then the last")].splitlines()[2:]]
    assert steps == [
        "after person name because contact",
        "at once kim 김가람 on duty phone +82-2-555-0001",
        "5 min lee lee fallback phone +82-2-555-0002",
        "5 min kim 김가람 on duty phone +82-2-555-0001",
        "10 min kim 김가람 on duty phone +82-2-555-0001",
        "10 min lee lee fallback phone +82-2-555-0002",
    ]
    assert "11-22 09:00  quiet hours" in out
    assert "fallback, called only where nobody is on duty or a step says so: lee" in out
    assert main([*night, "--severity", "warning"]) == 0
    out = capsys.readouterr().out
    assert "policy warning, if there is a warning" in out
    assert "sleeps: told at 11-22 07:00" in out
    assert main([*night, "--severity", "info"]) == 1
    assert "policy info has no steps" in capsys.readouterr().out
    assert main(["who", "local", "--at", "2026-11-22T12:00"]) == 0
    assert "NOBODY IS ON DUTY in roster noc" in capsys.readouterr().out
    assert main(["who", "local", "--at", "2026-11-22T12:00", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    (roster,) = body["rosters"]
    assert (roster["is_hole"], roster["on_duty"]) == (True, [])
    assert [person["id"] for person in roster["fallback"]] == ["lee"]
    assert [(one["id"], one["why"]) for one in body["turns"][0]["people"]] == [("lee", "fallback")]


def test_mistakes_are_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["who", "lokal"]) == 1
    assert "no such site; did you mean 'local'?" in capsys.readouterr().err
    assert main(["who", "local", "--at", "tomorrow"]) == 1
    assert "time 'tomorrow': expected such as" in capsys.readouterr().err
    file = tmp_path / "rosters.toml"
    file.write_text(ROSTERS.replace('fallback = ["lee"]', 'fallback = ["li"]'))
    assert main(["apply", str(file)]) == 1
    assert "fallback: 'li': no such person" in capsys.readouterr().err
