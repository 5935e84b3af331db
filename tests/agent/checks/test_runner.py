"""The border of a check: what comes out whatever the check does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from recorded import recorded_host

from agent.checks.base import (
    CRITICAL,
    OK,
    UNKNOWN,
    WARNING,
    Check,
    CheckFailed,
    DeadlineExceeded,
    Host,
    NoData,
    Result,
    State,
    gauge,
)
from agent.checks.runner import SILENT_ROUNDS, run_check


def raising(error: Exception) -> Callable[[Host], Iterable[Result]]:
    def collect(host: Host) -> Iterable[Result]:
        yield gauge("node_half", 1)
        raise error

    return collect


def yielding(*results: Result) -> Callable[[Host], Iterable[Result]]:
    return lambda host: results


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CheckFailed("/proc/x: cut"), "/proc/x: cut"),
        (DeadlineExceeded("too late"), "too late"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (KeyError("a"), "KeyError: 'a'"),
    ],
)
def test_any_error_is_the_state_unknown_of_that_check_alone(error: Exception, text: str, tmp_path: Path) -> None:
    outcome = run_check(Check("broken", raising(error)), recorded_host(tmp_path))
    assert outcome.results == [State("broken", UNKNOWN, text)]
    assert (outcome.state, outcome.text) == (UNKNOWN, text)


def test_traceback_is_logged_once_per_distinct_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    host = recorded_host(tmp_path)
    for error in (ValueError("once-a"), ValueError("once-a"), ValueError("once-b")):
        run_check(Check("logged", raising(error)), host)
    records = [record for record in caplog.records if record.name == "agent.checks.runner"]
    assert [record.exc_info is not None for record in records] == [True, True]
    assert records[0].__dict__["check"] == "logged"


def test_nothing_to_tell_is_no_state(tmp_path: Path) -> None:
    outcome = run_check(Check("absent", raising(NoData("no battery"))), recorded_host(tmp_path))
    assert outcome.results == []
    assert (outcome.state, outcome.text) == (None, "no battery")


def test_a_check_with_nothing_to_tell_rests_and_is_asked_again(tmp_path: Path) -> None:
    host = recorded_host(tmp_path)
    asked = []

    def collect(host: Host) -> Iterable[Result]:
        asked.append(host.name)
        raise NoData("not yet")

    check = Check("rare", collect)
    outcomes = [run_check(check, host) for _ in range(SILENT_ROUNDS + 2)]
    assert len(asked) == 2
    assert {(outcome.state, outcome.text) for outcome in outcomes} == {(None, "not yet")}


def test_no_judgement_means_ok(tmp_path: Path) -> None:
    sample = gauge("node_x", 1)
    outcome = run_check(Check("plain", yielding(sample)), recorded_host(tmp_path))
    assert outcome.results == [sample, State("plain", OK, "")]
    assert outcome.state == OK


@pytest.mark.parametrize(
    ("states", "worst"),
    [((OK, WARNING), WARNING), ((UNKNOWN, WARNING), UNKNOWN), ((CRITICAL, UNKNOWN, OK), CRITICAL), ((OK,), OK)],
)
def test_the_worst_state_speaks_for_the_check(states: tuple[int, ...], worst: int, tmp_path: Path) -> None:
    results = [State(f"many:{index}", state, str(state)) for index, state in enumerate(states)]
    outcome = run_check(Check("many", yielding(*results)), recorded_host(tmp_path))
    assert (outcome.state, outcome.text) == (worst, str(worst))
    assert outcome.results == results
