"""Probes at their own pace, beside the reports: a target that does not answer for its whole time makes no report late.

``step`` hands the probes that are due to workers and says when it wants to be called again; what each found last is
there at once, as a check of the reports. A result that is too old is no result.

One bad look is no proof, and the collector calls somebody once a second one had the time to come, by the pace of the reports.
So a probe that is put more seldom than that is put again before the next report while it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import NamedTuple

from agent.checks.base import OK, UNKNOWN, Check, Host, Result, State
from agent.link.clock import Clock
from agent.link.names import STALE_INTERVALS
from agent.probes.certificate import judge_certificate
from agent.probes.guard import Guard
from agent.probes.model import Finding, Probe, measured
from agent.probes.table import look
from agent.schedule import Beat

LOOK_SECONDS = 2.0
"""How often a report's thread looks for news of a probe, so that a change is told at once."""
Hand = Callable[[Callable[[], None]], object]
"""Gives work to a worker."""


class Seen(NamedTuple):
    finding: Finding
    at: float
    """Monotonic seconds."""
    seconds: float


class Rounds:
    """``interval_seconds``: of probes that name none. One thread calls ``step``; ``checks`` may be run by another."""

    def __init__(
        self, probes: Sequence[Probe], guard: Guard, interval_seconds: float, clock: Clock, hand: Hand, seed: bytes
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._hand = hand
        self._beats = [
            (probe, Beat(probe.interval_seconds or interval_seconds, seed + probe.name.encode())) for probe in probes
        ]
        self._probes = tuple(probes)
        self._interval_seconds = interval_seconds
        self._running: set[str] = set()
        self._seen: dict[str, Seen] = {}
        self._lock = Lock()

    def step(self, now: float) -> float:
        """Begin what is due and not still running."""
        for probe, beat in self._beats:
            if beat.is_due(now):
                beat.next_after(now)
            elif not self._is_doubted(probe, now):
                continue
            with self._lock:
                if probe.name in self._running:
                    continue
                self._running.add(probe.name)
            self._hand(lambda probe=probe: self._look(probe))  # type: ignore[misc]
        due = min(beat.due_at for _, beat in self._beats)
        return min(due, now + self._interval_seconds / 2) if any(map(self._is_seldom, self._probes)) else due

    def _is_seldom(self, probe: Probe) -> bool:
        return probe.interval_seconds > self._interval_seconds

    def _is_doubted(self, probe: Probe, now: float) -> bool:
        seen = self._seen.get(probe.name)
        if seen is None or seen.finding.severity == OK or not self._is_seldom(probe):
            return False
        return now >= seen.at + self._interval_seconds / 2

    def checks(self) -> list[Check]:
        """One check for each probe, that tells what was found last."""
        return [
            Check(f"probe:{probe.name}", lambda _host, probe=probe: self._told(probe), LOOK_SECONDS)  # type: ignore[misc]
            for probe, _ in self._beats
        ]

    def _look(self, probe: Probe) -> None:
        try:
            started = self._clock.monotonic()
            finding = look(probe, self._guard, self._clock)
            ended = self._clock.monotonic()
            self._seen[probe.name] = Seen(finding, ended, ended - started)
        finally:
            with self._lock:
                self._running.discard(probe.name)

    def _told(self, probe: Probe) -> Iterator[Result]:
        seen = self._seen.get(probe.name)
        interval = probe.interval_seconds or self._interval_seconds
        if seen is None:
            return iter((State(f"probe:{probe.name}", UNKNOWN, "not probed yet"),))
        age = self._clock.monotonic() - seen.at
        if age > STALE_INTERVALS * interval + probe.timeout_seconds:
            return iter((State(f"probe:{probe.name}", UNKNOWN, f"no result since {age:.0f} s"),))
        return results(probe, seen.finding, seen.seconds, self._clock.wall_ms() / 1000)


def probe_check(probe: Probe, guard: Guard, clock: Clock) -> Check:
    """The probe as a check that probes when it is run: for a person at a terminal."""

    def collect(_host: Host) -> Iterator[Result]:
        started = clock.monotonic()
        finding = look(probe, guard, clock)
        return results(probe, finding, clock.monotonic() - started, clock.wall_ms() / 1000)

    return Check(f"probe:{probe.name}", collect, None, probe.timeout_seconds + 5.0)


def results(probe: Probe, finding: Finding, seconds: float, now: float) -> Iterator[Result]:
    """A finding as what checks say; ``seconds`` it took, ``now`` in seconds since the epoch."""
    yield measured(probe, "probe_success", finding.is_success)
    yield measured(probe, "probe_duration_seconds", seconds)
    yield from finding.samples
    yield State(f"probe:{probe.name}", finding.severity, finding.text)
    if finding.certificate is not None:
        yield judge_certificate(probe.name, finding.certificate, now)
