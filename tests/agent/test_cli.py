"""The command: what each verb prints, its exit, and what it must not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import main
from agent.unit import UNIT

CONFIGS = Path(__file__).parents[2] / "configs"
NEVER = [
    "fastapi",
    "sqlalchemy",
    "numpy",
    "paramiko",
    "apscheduler",
    "uvicorn",
    "jinja2",
    "cryptography",
    "orjson",
    "collector",
    "asyncio",
]


@pytest.mark.parametrize("words", [["check", "load"], ["check", "--json"], ["unit"], ["status"], ["run", "--help"]])
def test_no_verb_loads_what_only_a_collector_needs(words):
    program = (
        "import sys; from agent.cli import main; main(sys.argv[1:]);"
        f"print([name for name in {NEVER!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=CONFIGS.parent, check=False
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_runtime_loads_none_of_it_either():
    program = f"import sys, agent.runtime; print([name for name in {NEVER!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=CONFIGS.parent, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", ["run", "enroll", "check", "status", "doctor", "unit", "export"])
def test_every_verb_helps_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert "example: bongsu-agent" in capsys.readouterr().out


def test_wrong_calls_exit_with_2(capsys):
    assert main(["fly"]) == 2
    assert main([]) == 2
    assert main(["run", "--speed", "9"]) == 2


def test_check_prints_one_check_with_its_series(capsys):
    assert main(["check", "load"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("load ")
    assert "node_load1{" in printed
    assert main(["check", "load", "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["check"], said["state"]) == ("load", "ok")


def test_check_says_what_it_does_not_know(capsys):
    assert main(["check", "laod"]) == 1
    assert "nearest: load" in capsys.readouterr().err
    assert main(["check", "--target", "db1"]) == 1
    assert "no such [[targets]]" in capsys.readouterr().err


def test_without_an_identity_run_status_and_doctor_say_what_to_do(tmp_path, capsys):
    data = ["--data", str(tmp_path)]
    assert main(["run", *data]) == 1
    assert "bongsu-agent enroll --token" in capsys.readouterr().err
    assert main(["status", *data]) == 1
    assert "doctor" in capsys.readouterr().err
    assert main(["doctor", *data, "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["id"] == "A001"


def test_the_unit_is_the_one_shipped(capsys):
    assert main(["unit"]) == 0
    assert capsys.readouterr().out == UNIT == (CONFIGS / "systemd" / "bongsu-agent.service").read_text()


def test_one_cause_that_stops_all_checks_of_a_target_is_told_once(tmp_path, capsys):
    file = tmp_path / "agent.toml"
    file.write_text(
        f'[[targets]]\nname = "db1"\naddress = "127.0.0.1"\nport = 1\nuser = "bongsu"\nkey_file = "{tmp_path}/key"\n'
        f'known_hosts = "{tmp_path}/known_hosts"\n'
    )
    assert main(["check", "--config", str(file), "--target", "db1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ssh ")
    assert "known_hosts: No such file" in lines[0]
    assert lines[-1].endswith("other checks: not asked: db1 does not answer over SSH, see check ssh")
    assert sum("not asked" in line for line in lines) == 1
