"""``bongsu silence``: what it would hold back, how it is kept, and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.cli import main


def test_a_silence_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "data")]
    (tmp_path / "password").write_text("a rather long password\n")
    assert main(["init", *data, "--admin-password-file", str(tmp_path / "password")]) == 0

    def said(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(["silence", *words, *data]) == status
        found = capsys.readouterr()
        return found.err if status else found.out

    assert "No silences" in said("list")
    asked = ("add", "alertname=DiskFull", 'site=~"abuja|lima"', "--reason", "disk is being replaced")
    assert said(*asked, "--dry-run") == "Holds back 0 signals of 0 open incidents now.\n"
    assert "No silences" in said("list")
    assert "until" in said(*asked, "--for", "30m")
    (row,) = json.loads(said("list", "--json"))
    assert (row["state"], row["matchers"]) == ("active", "alertname='DiskFull' site=~'abuja|lima'")
    for wrong, why in (
        (("alertname",), "expected such as"),
        (("site=~(",), "parsing regexp"),
        (("team=",), "must not match the empty string"),
        (("a=b", "--for", "soon"), "expected a duration"),
    ):
        assert why in said("add", *wrong, "--reason", "x", status=1)
    assert "0 silences begin so" in said("end", "zzz", status=1)
    assert "is over" in said("end", row["id"][:8])
    assert "No silences" in said("list")
    (row,) = json.loads(said("list", "--all", "--json"))
    assert row["state"] == "expired"
