from collections.abc import Callable
from itertools import pairwise

import pytest
from target_server import Target, in_days, make_certificate, running

from agent.checks.base import CRITICAL, OK, UNKNOWN, Host, Sample, State
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.link.clock import SystemClock
from agent.probes.guard import Guard, read_allowed
from agent.probes.model import Probe
from agent.probes.rounds import Rounds, probe_check

HERE = Guard([read_allowed("127.0.0.1/32")])


class StoppedClock:
    """Wall and monotonic time as the test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def wall_ms(self) -> int:
        return int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now


class Desk:
    """Work that was handed out and waits until the test does it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def do_all(self) -> None:
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()


def told(rounds: Rounds, host: Host) -> dict[str, State]:
    results = [result for check in rounds.checks() for result in check.collect(host)]
    return {result.check: result for result in results if isinstance(result, State)}


def test_a_probe_that_hangs_is_not_begun_twice_and_grows_old():
    clock, desk, host = StoppedClock(), Desk(), LocalHost()
    with running(Target(b"x", greets=True)) as target:
        probe = Probe("db", "tcp", f"127.0.0.1:{target.port}", timeout_seconds=5)
        rounds = Rounds([probe], HERE, 30, clock, desk, b"seed")
        assert told(rounds, host)["probe:db"].state == UNKNOWN
        due = rounds.step(clock.now)
        assert len(desk.waiting) == 1
        assert clock.now < due <= clock.now + 45
        clock.now = due
        rounds.step(clock.now)
        assert len(desk.waiting) == 1, "the first one still runs"
        desk.do_all()
    assert told(rounds, host)["probe:db"].state == OK
    clock.now += 3 * 30 + 5
    assert told(rounds, host)["probe:db"].state == OK
    clock.now += 0.1
    assert told(rounds, host)["probe:db"] == State("probe:db", UNKNOWN, "no result since 95 s")


def test_each_probe_keeps_its_own_interval():
    clock, desk = StoppedClock(), Desk()
    with running(Target(b"x", greets=True)) as target:
        there = f"127.0.0.1:{target.port}"
        rounds = Rounds(
            [Probe("fast", "tcp", there, 10.0), Probe("slow", "tcp", there, 100.0)], HERE, 30, clock, desk, b"seed"
        )
        begun = 0
        while clock.now < 2000.0:
            clock.now = rounds.step(clock.now)
            begun += len(desk.waiting)
            desk.do_all()
    assert begun == pytest.approx(100 + 10, abs=3)


def test_a_probe_that_is_put_seldom_is_put_again_before_the_next_report_while_it_fails():
    """Else one lost packet in an hour would stand as bad in every report of that hour."""
    clock, desk, host = StoppedClock(), Desk(), LocalHost()
    looked: list[float] = []

    def until(end: float) -> None:
        while clock.now < end:
            clock.now = rounds.step(clock.now)
            looked.extend([clock.now] * len(desk.waiting))
            desk.do_all()

    with running(Target(b"x", greets=True)) as target:
        port = target.port
        rounds = Rounds([Probe("db", "tcp", f"127.0.0.1:{port}", 3600.0)], HERE, 30, clock, desk, b"seed")
        until(9500.0)
        assert len(looked) == 3
        assert told(rounds, host)["probe:db"].state == OK
    until(looked[-1] + 3600 + 100)
    failed = [at for at in looked[3:] if at > looked[2]]
    assert told(rounds, host)["probe:db"].state == CRITICAL
    assert all(15 <= late - soon <= 30 for soon, late in pairwise(failed)), "a report every 30 s has a look of its own"
    assert len(failed) >= 3


def test_a_check_at_the_terminal_probes_at_once(tmp_path):
    ca, context = make_certificate(tmp_path, in_days(-1), in_days(3))
    with running(Target(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", context=context)) as target:
        probe = Probe("web", "http", f"https://127.0.0.1:{target.port}/", options={"ca_file": str(ca)})
        outcome = run_check(probe_check(probe, HERE, SystemClock()), LocalHost())
    states = {result.check: result.state for result in outcome.results if isinstance(result, State)}
    assert states == {"probe:web": OK, "certificate:web": CRITICAL}
    success = [r for r in outcome.results if isinstance(r, Sample) and r.name == "probe_success"]
    assert [(one.value, dict(one.labels)) for one in success] == [(1, {"target": probe.target, "module": "http"})]


def test_a_fault_of_our_own_is_no_verdict_on_the_target():
    probe = Probe("web", "http", "http://127.0.0.1:1/", options={"status": 200})  # a list was promised
    with running(Target(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as target:
        outcome = run_check(
            probe_check(probe._replace(target=f"http://127.0.0.1:{target.port}/"), HERE, SystemClock()), LocalHost()
        )
    assert outcome.state == UNKNOWN
    assert "TypeError" in outcome.text
