"""The few threads that run all targets' loops: no host waits for another, nor do local checks."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator, Sequence

from agent.link.clock import Clock
from agent.remote.poll import TargetPoller

MOST_THREADS = 32
_log = logging.getLogger(__name__)


class PollThreads:
    """Thin threads around the pollers' steps: one for each target, at most ``most``; past that the next due one is taken."""

    def __init__(self, pollers: Sequence[TargetPoller], clock: Clock, most: int = MOST_THREADS) -> None:
        self._clock = clock
        self._turn = threading.Condition()
        self._is_stopping = False
        now = clock.monotonic()
        self._waiting = [(now, number, poller) for number, poller in enumerate(pollers)]
        self._threads = [
            threading.Thread(target=self._work, name=f"ssh-poll-{number}", daemon=True)
            for number in range(min(most, len(pollers)))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 1.0) -> None:
        """No new step begins; one that hangs on its host ends with its deadline (the threads are daemons)."""
        with self._turn:
            self._is_stopping = True
            self._turn.notify_all()
        end = self._clock.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, end - self._clock.monotonic()))
        for _, _, poller in self._waiting:
            poller.close()

    def _work(self) -> None:
        for number, poller in self._turns():
            now = self._clock.monotonic()
            try:
                due = poller.step(now)
            except Exception:  # noqa: BLE001 -- a job border: one target's trouble (its delivery, say) must not end its thread
                due = now + poller.target.interval_seconds
                _log.exception("polling a target failed", extra={"host": poller.target.name})
            with self._turn:
                heapq.heappush(self._waiting, (due, number, poller))
                self._turn.notify()

    def _turns(self) -> Iterator[tuple[int, TargetPoller]]:
        """The next due target, waiting until it is due; ends when stopping."""
        while True:
            with self._turn:
                while True:
                    if self._is_stopping:
                        return
                    wait = self._waiting[0][0] - self._clock.monotonic() if self._waiting else None
                    if wait is not None and wait <= 0:
                        break
                    self._turn.wait(wait)
                _, number, poller = heapq.heappop(self._waiting)
            yield number, poller
