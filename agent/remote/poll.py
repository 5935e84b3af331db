"""One target's loop: which checks are due, what they gave, and when to come back.

A round begins with ``ssh``: does the host answer at all? If not, that state is critical with the reason, every other
check is unknown in one word, and nothing else is asked, so that a dead host costs one deadline a round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.checks.base import CRITICAL, OK, UNKNOWN, Check, CheckFailed, Host, State
from agent.checks.process import process_check
from agent.checks.runner import Outcome, run_check
from agent.checks.table import DEFAULT, load
from agent.link.clock import Clock
from agent.remote.targets import Target

REACHED = "ssh"


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at a host gave, by check name.

    A whole one has every check and becomes a sample record; one that is not whole has only frequent checks whose state
    changed, to be sent at once.
    """

    target: Target
    taken_at_ms: int
    outcomes: Mapping[str, Outcome]
    is_whole: bool


def checks_of(target: Target) -> tuple[Check, ...]:
    """The checks a target asks for. Raises KeyError for a name that is not in the table."""
    watched = (
        process_check(each.name, each.command, pattern=each.pattern, min_count=each.min_count)
        for each in target.processes
    )
    return (*(load(name) for name in target.checks or DEFAULT), *watched)


class TargetPoller:
    """``step(now) -> next_due_at`` in monotonic seconds; never sleeps, may take as long as the target's interval."""

    def __init__(
        self,
        target: Target,
        checks: Sequence[Check],
        deliver: Callable[[Round], None],
        clock: Clock,
        make_host: Callable[[Target], Host] | None = None,
    ) -> None:
        self.target = target
        self._checks = tuple(checks)
        self._deliver = deliver
        self._clock = clock
        self._make_host = make_host or _ssh_host
        self._host: Host | None = None
        self._whole_due: float | None = None
        self._due = {check.name: 0.0 for check in checks if check.interval_seconds is not None}
        self._states: dict[str, tuple[tuple[str, int], ...]] = {}

    def step(self, now: float) -> float:
        if self._host is None:
            self._host = self._make_host(self.target)
        if self._whole_due is None or now >= self._whole_due:
            self._whole_due = _next(self._whole_due, now, self.target.interval_seconds)
            outcomes = self._run(self._host, self._checks, now + self.target.interval_seconds)
            self._remember(outcomes, now)
            self._deliver(Round(self.target, self._clock.wall_ms(), outcomes, is_whole=True))
        else:
            frequent = [check for check in self._checks if self._due.get(check.name, now + 1) <= now]
            outcomes = self._run(self._host, frequent, now + self.target.interval_seconds)
            changed = {
                name: outcome for name, outcome in outcomes.items() if self._states.get(name) != _states(outcome)
            }
            self._remember(outcomes, now)
            if changed:
                self._deliver(Round(self.target, self._clock.wall_ms(), changed, is_whole=False))
        return min((self._whole_due, *self._due.values()))

    def close(self) -> None:
        close = getattr(self._host, "close", None)  # a local host has nothing to close
        if close is not None:
            close()

    def _run(self, host: Host, checks: Sequence[Check], end: float) -> dict[str, Outcome]:
        """Outcomes in order, all done by ``end``."""
        outcomes: dict[str, Outcome] = {}
        reached = _reach(host, self._clock)
        outcomes[REACHED] = reached
        for check in checks:
            left = end - self._clock.monotonic()
            if reached.state != OK:
                outcomes[check.name] = _unknown(check, "not asked: the host did not answer over SSH")
            elif left <= 0:
                outcomes[check.name] = _unknown(
                    check, f"not asked: the round took longer than {self.target.interval_seconds} s"
                )
            else:
                with host.deadline(left):
                    outcomes[check.name] = run_check(check, host, self._clock)
        return outcomes

    def _remember(self, outcomes: Mapping[str, Outcome], now: float) -> None:
        for name, outcome in outcomes.items():
            self._states[name] = _states(outcome)
        for check in self._checks:
            if check.interval_seconds is not None and check.name in outcomes:
                self._due[check.name] = _next(self._due[check.name], now, check.interval_seconds)


def _reach(host: Host, clock: Clock) -> Outcome:
    """Does it answer? A state of its own, so that the reason stands in one place."""
    began = clock.monotonic()
    try:
        host.now()
        state, text = OK, ""
    except (CheckFailed, OSError) as error:
        state, text = CRITICAL, str(error)
    return Outcome([State(REACHED, state, text)], state, text, clock.monotonic() - began)


def _unknown(check: Check, text: str) -> Outcome:
    return Outcome([State(check.name, UNKNOWN, text)], UNKNOWN, text, 0.0)


def _states(outcome: Outcome) -> tuple[tuple[str, int], ...]:
    return tuple((result.check, result.state) for result in outcome.results if isinstance(result, State))


def _next(due: float | None, now: float, interval: float) -> float:
    """The first tick of the cadence after ``now``; ticks that were missed are not made up for."""
    if not due or due + interval <= now:
        return now + interval
    return due + interval


def _ssh_host(target: Target) -> Host:
    from agent.remote.ssh import SshHost

    return SshHost(target)
