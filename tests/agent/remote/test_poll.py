"""What a target's rounds deliver, when, and that a bad host delays nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from fake_ssh import fake_ssh, say_nothing

from agent.checks.base import CRITICAL, OK, UNKNOWN, Check, Host, Result, gauge
from agent.checks.local import LocalHost
from agent.checks.process import process_check
from agent.link.clock import SystemClock
from agent.remote.poll import Round, TargetPoller, checks_of
from agent.remote.targets import Target, WatchedProcess
from agent.remote.threads import PollThreads

TARGET = Target("srv1", "10.0.3.7", "bongsu", "/k/known", "/k/id", interval_seconds=30)


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def wall_ms(self) -> int:
        return int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now


def collect_load(host: Host) -> Iterable[Result]:
    yield gauge("node_load1", float(host.read("/proc/loadavg").split()[0]))


LOAD = Check("load", collect_load)


def run_process(root: Path, pid: int, name: str) -> None:
    (root / f"proc/{pid}").mkdir(parents=True)
    (root / f"proc/{pid}/comm").write_text(f"{name}\n")


def test_whole_rounds_keep_their_cadence_and_changes_go_at_once(tmp_path: Path) -> None:
    run_process(tmp_path, 1, "init")
    (tmp_path / "proc/loadavg").write_text("0.25 0 0 1/2 3\n")
    clock, rounds = HandClock(), list[Round]()
    checks = [LOAD, process_check("nginx")]
    poller = TargetPoller(TARGET, checks, rounds.append, clock, lambda target: LocalHost(str(tmp_path), target.name))

    assert poller.step(clock.now) == 1005.0
    (first,) = rounds
    assert (first.is_whole, first.taken_at_ms) == (True, 1_000_000)
    states = {name: outcome.state for name, outcome in first.outcomes.items()}
    assert states == {"ssh": OK, "load": OK, "process:nginx": CRITICAL}

    clock.now = 1005.0
    assert poller.step(clock.now) == 1010.0
    assert len(rounds) == 1  # nothing changed, nothing to send

    run_process(tmp_path, 2, "nginx")
    clock.now = 1010.0
    poller.step(clock.now)
    assert not rounds[1].is_whole
    assert {name: outcome.state for name, outcome in rounds[1].outcomes.items()} == {"process:nginx": OK}

    clock.now = 1030.2  # a little late: the cadence stays
    due = poller.step(clock.now)
    assert rounds[2].is_whole
    assert due <= 1035.2
    clock.now = 1059.9
    poller.step(clock.now)
    clock.now = 1060.0
    poller.step(clock.now)
    assert [each.is_whole for each in rounds] == [True, False, True, True]


def test_missed_rounds_are_not_made_up_for(tmp_path: Path) -> None:
    clock, rounds = HandClock(), list[Round]()
    poller = TargetPoller(TARGET, [], rounds.append, clock, lambda target: LocalHost(str(tmp_path), target.name))
    poller.step(clock.now)
    clock.now += 300
    assert poller.step(clock.now) == clock.now + 30
    assert len(rounds) == 2


def test_a_round_ends_with_its_interval(tmp_path: Path) -> None:
    clock, rounds = HandClock(), list[Round]()

    def slow(host: Host) -> Iterable[Result]:
        clock.now += 31
        yield gauge("slow", 1.0)

    checks = [Check("slow", slow), Check("after", slow)]
    poller = TargetPoller(TARGET, checks, rounds.append, clock, lambda target: LocalHost(str(tmp_path), target.name))
    poller.step(clock.now)
    assert {name: outcome.state for name, outcome in rounds[0].outcomes.items()} == {
        "ssh": OK,
        "slow": OK,
        "after": UNKNOWN,
    }
    assert "longer than 30 s" in rounds[0].outcomes["after"].text


def test_a_host_that_does_not_answer_is_one_critical_state_with_the_reason(tmp_path: Path) -> None:
    with fake_ssh(tmp_path) as server:
        server.close()
        rounds: list[Round] = []
        clock = SystemClock()
        TargetPoller(server.target(), [LOAD], rounds.append, clock).step(clock.monotonic())
    outcomes = rounds[0].outcomes
    assert outcomes["ssh"].state == CRITICAL
    assert "Connection refused" in outcomes["ssh"].text
    assert (outcomes["load"].state, outcomes["load"].text) == (UNKNOWN, "not asked: the host did not answer over SSH")


def test_hanging_hosts_delay_nobody(tmp_path: Path) -> None:
    clock = SystemClock()
    good: list[float] = []
    bad: list[Round] = []
    enough = threading.Event()

    def deliver(each: Round) -> None:
        assert each.outcomes["load"].state == OK
        good.append(clock.monotonic())
        if len(good) == 3:
            enough.set()

    with fake_ssh(tmp_path) as answering, fake_ssh(tmp_path) as hanging:
        hanging.behave = say_nothing
        pollers = [
            TargetPoller(hanging.target(name=f"bad{number}", deadline_seconds=3.0), [LOAD], bad.append, clock)
            for number in range(3)
        ]
        # Validation asks for 5 s or more; a test may be quicker.
        pollers.append(TargetPoller(answering.target(interval_seconds=1), [LOAD], deliver, clock))
        threads = PollThreads(pollers, clock)
        began = clock.monotonic()
        threads.start()
        assert enough.wait(10)
        threads.stop()
    assert good[-1] - began < 3.0  # three rounds, while the others still wait for their first answer
    assert all(each.outcomes["ssh"].state == CRITICAL for each in bad)


def test_more_targets_than_threads_take_turns_and_a_failing_delivery_ends_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SystemClock()
    seen: list[str] = []
    enough = threading.Event()

    def deliver(each: Round) -> None:
        seen.append(each.target.name)
        if len(seen) >= 12:
            enough.set()
        if each.target.name == "srv0":
            raise RuntimeError("no room")

    pollers = [
        TargetPoller(
            Target(f"srv{number}", "10.0.3.7", "bongsu", "/k/known", "/k/id", interval_seconds=1),
            [],
            deliver,
            clock,
            lambda target: LocalHost(str(tmp_path), target.name),
        )
        for number in range(5)
    ]
    threads = PollThreads(pollers, clock, most=2)
    threads.start()
    assert enough.wait(10)
    threads.stop()
    assert set(seen) == {f"srv{number}" for number in range(5)}
    assert seen.count("srv0") >= 2
    assert "polling a target failed" in caplog.text


def test_checks_of_a_target() -> None:
    names = [check.name for check in checks_of(TARGET)]
    assert "cpu" in names
    chosen = Target(
        "a", "b", "c", "/d", "/e", checks=("cpu",), processes=(WatchedProcess("db", pattern="postgres: w"),)
    )
    assert [check.name for check in checks_of(chosen)] == ["cpu", "process:db"]
    with pytest.raises(KeyError):
        checks_of(Target("a", "b", "c", "/d", "/e", checks=("nope",)))
