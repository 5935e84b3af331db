"""``bongsu import`` as one types it, and that no verb's file is forgotten in the table of verbs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import collector.cli
from collector.cli import VERBS, main

SITES = """
[[agencies]]
id = "adm"
[[sites]]
id = "abuja"
agency = "adm"
timezone = "Africa/Lagos"
"""


def test_every_file_that_adds_a_verb_is_in_the_table() -> None:
    folder = Path(collector.cli.__file__).parent
    found = {file.stem for file in folder.glob("*.py") if "\ndef add(verbs" in file.read_text("utf-8")}
    assert found <= {verb.replace("-", "_") for verb in VERBS}


def test_a_list_is_taken_over_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, topology, hosts = tmp_path / "data", tmp_path / "t.toml", tmp_path / "hosts.csv"
    topology.write_text(SITES, "utf-8")
    assert main(["init", "--data", str(data)]) == 0
    assert main(["apply", str(topology), "--data", str(data), "--yes"]) == 0
    hosts.write_text("name,site\n" + "".join(f"h{n},abuja\n" for n in range(12_000)), "utf-8")
    capsys.readouterr()

    assert main(["import", str(hosts), "--data", str(data), "--dry-run"]) == 0
    said = capsys.readouterr()
    assert said.out == "Would be: 12000 made, 0 changed, 0 gone, 0 adopted.\n"
    assert said.err == "10000 rows read\n12000 rows read\n"
    assert main(["import", str(hosts), "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "applied": True,
        "made": 12_000,
        "changed": 0,
        "gone": 0,
        "adopted": 0,
    }

    hosts.write_text("name,site\nh1,abuja\nh2,abujaa\n", "utf-8")
    assert main(["import", str(hosts), "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert f"{hosts}:3: " in said.err
    assert "did you mean 'abuja'?" in said.err
    assert "nothing was changed" in said.err
    assert main(["hosts", "--data", str(data), "--unmonitored", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 12_000
