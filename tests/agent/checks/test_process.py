"""Counting processes on a recorded machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import recorded_host

from agent.checks.base import CRITICAL, OK, UNKNOWN
from agent.checks.process import process_check
from agent.checks.runner import run_check


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        ({"command": "nginx"}, OK, "2 running"),
        ({}, OK, "2 running"),
        ({"command": "nginx", "min_count": 3}, CRITICAL, "2 processes with the name nginx run, at least 3 are wanted"),
        ({"command": "postgres"}, CRITICAL, "0 processes with the name postgres run, at least 1 is wanted"),
        ({"command": "averylongprocessname"}, OK, "1 running"),
        ({"command": "not a process"}, CRITICAL, "0 processes with the name not a process run, at least 1 is wanted"),
        ({"pattern": r"^nginx: master"}, OK, "1 running"),
        ({"pattern": r"averylong\w+ --serve"}, OK, "1 running"),
        ({"pattern": "kthreadd"}, CRITICAL, "0 processes with a command line like kthreadd run, at least 1 is wanted"),
    ],
)
def test_processes(arguments: dict[str, object], state: int, text: str, tmp_path: Path) -> None:
    check = process_check("nginx", **arguments)  # type: ignore[arg-type]
    outcome = run_check(check, recorded_host(tmp_path, "server"))
    assert [(result.check, result.state, result.text) for result in outcome.results] == [("process:nginx", state, text)]  # type: ignore[union-attr]
    assert check.interval_seconds is not None
    assert check.interval_seconds <= 5, "a watched process is looked at every five seconds or less"


def test_no_process_at_all_is_not_an_outage_but_a_question(tmp_path: Path) -> None:
    outcome = run_check(process_check("nginx"), recorded_host(tmp_path))
    assert outcome.state == UNKNOWN
    assert "hidepid" in outcome.text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"command": "a", "pattern": "b"}, "expected one of them"),
        ({"pattern": "("}, "pattern = '\\('"),
        ({"min_count": 0}, "expected at least 1"),
    ],
)
def test_wrong_settings_are_refused(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        process_check("x", **arguments)  # type: ignore[arg-type]


def test_a_process_that_ends_is_missed_at_once_and_its_successor_found(tmp_path: Path) -> None:
    host = recorded_host(tmp_path, "server")
    check = process_check("nginx", min_count=2)
    states = []
    for change in ("none", "none", "end", "begin", "none", "another"):
        if change == "end":
            (tmp_path / "proc/813/comm").unlink()
        elif change in ("begin", "another"):
            folder = tmp_path / ("proc/1444" if change == "begin" else "proc/1555")
            folder.mkdir()
            (folder / "comm").write_text("nginx\n")
        states.append(run_check(check, host).state)
    assert states == [OK, OK, CRITICAL, OK, OK, OK]


def test_a_number_given_to_another_program_does_not_count(tmp_path: Path) -> None:
    host = recorded_host(tmp_path, "server")
    check = process_check("nginx", min_count=2)
    assert run_check(check, host).state == OK
    (tmp_path / "proc/813/comm").write_text("bash\n")
    assert run_check(check, host).state == CRITICAL


def test_the_count_is_made_anew_once_a_minute(tmp_path: Path) -> None:
    host = recorded_host(tmp_path, "server")
    check = process_check("nginx")
    run_check(check, host)
    (tmp_path / "proc/1444").mkdir()
    (tmp_path / "proc/1444/comm").write_text("nginx\n")
    texts = [run_check(check, host).text for _ in range(13)]
    assert texts[0] == "2 running"
    assert texts[-1] == "3 running"
