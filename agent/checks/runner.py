"""Running one check: the border where whatever goes wrong in it becomes a state, so that no check stops another.

``NoData`` is not a fault and leaves no state. Any other exception is state ``unknown`` of the check, with its text; its
traceback is logged the first time that error is seen.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from agent.checks.base import OK, UNKNOWN, Check, CheckFailed, Host, NoData, Result, State, Unreachable
from agent.checks.reading import PerHost
from agent.link.clock import Clock, SystemClock

TEXT_LIMIT = 1000
_SEEN_LIMIT = 1000
_log = logging.getLogger(__name__)
_seen: set[tuple[str, str, str]] = set()
SILENT_ROUNDS = 20
"""A check that had nothing to tell is asked again only after so many rounds: half of all checks are about hardware a
machine does not have, and behind SSH each of them would cost a round trip."""
_silent: PerHost[dict[str, tuple[int, str]]] = PerHost()
_system_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run gave. ``results`` are its samples and states; ``state`` is the worst state among them, None for a
    machine that has nothing to tell; ``text`` says why."""

    results: list[Result]
    state: int | None
    text: str
    duration_seconds: float


def run_check(check: Check, host: Host, clock: Clock = _system_clock) -> Outcome:
    """Samples of a check that failed half-way are dropped: a part that looks whole is worse than none."""
    silent = _silent.get(host)
    if silent is None:
        silent = _silent.keep(host, {})
    rounds, why = silent.pop(check.name, (0, ""))
    if rounds > 0:
        silent[check.name] = (rounds - 1, why)
        return Outcome([], None, why, 0.0)
    started = clock.monotonic()
    results: list[Result] = []
    state: int | None = OK
    text = ""
    try:
        with host.deadline(check.timeout_seconds):
            results = list(check.collect(host))
        states = [result for result in results if isinstance(result, State)]
        if states:
            worst = max(states, key=_severity)
            state, text = worst.state, worst.text
        else:
            results.append(State(check.name, OK, ""))
    except NoData as nothing:
        results, state, text = [], None, str(nothing)
        silent[check.name] = (SILENT_ROUNDS, text)
    except Exception as error:  # noqa: BLE001 -- the agent's check border: a check's fault is its own state, never ours
        text = _told(check, host, error)
        results, state = [State(check.name, UNKNOWN, text)], UNKNOWN
    return Outcome(results, state, text, clock.monotonic() - started)


def _severity(state: State) -> int:
    """Unknown is worse than warning and better than critical: a known outage must not hide behind a question mark."""
    return (0, 1, 3, 2)[state.state]


def _told(check: Check, host: Host, error: Exception) -> str:
    """The text for people; a failure we did not foresee names its kind and is worth a traceback."""
    text = str(error) if isinstance(error, CheckFailed) and str(error) else f"{type(error).__name__}: {error}"
    key = (host.name, check.name, text)
    if key not in _seen and not isinstance(error, Unreachable):
        if len(_seen) >= _SEEN_LIMIT:
            _seen.clear()
        _seen.add(key)
        extra = {"host": host.name, "check": check.name, "error": text}
        # What a check foresaw is told in its words; a traceback is for what it did not.
        _log.warning("a check failed", extra=extra, exc_info=None if isinstance(error, CheckFailed) else error)
    return text[:TEXT_LIMIT]
