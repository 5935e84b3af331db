"""The threads under the probes: one that begins what is due, a few that wait for answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from agent.checks.base import Check
from agent.link.clock import Clock
from agent.probes.guard import Guard
from agent.probes.model import Probe
from agent.probes.rounds import Rounds

WORKERS = 8
"""Targets that do not answer hold one each for their time; at 5 s and once a minute eight are enough for a hundred."""


class Probing:
    """``start`` and ``stop`` once; ``checks`` tell what was found last."""

    def __init__(
        self,
        probes: Sequence[Probe],
        guard: Guard,
        interval_seconds: float,
        clock: Clock,
        seed: bytes,
    ) -> None:
        self._clock = clock
        self._stop = threading.Event()
        self._workers = ThreadPoolExecutor(min(WORKERS, len(probes)), "probe")
        self._rounds = Rounds(probes, guard, interval_seconds, clock, self._workers.submit, seed)

    def checks(self) -> list[Check]:
        return self._rounds.checks()

    def start(self) -> None:
        threading.Thread(target=self._run, name="probes", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more; what is under way ends by itself, and the process waits for none of it."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            due = self._rounds.step(self._clock.monotonic())
            self._stop.wait(max(0.0, due - self._clock.monotonic()))
        self._workers.shutdown(wait=False, cancel_futures=True)
