"""A thread for each destination, so that one that is slow or gone delays nobody: a thin shell around its step."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.link.clock import Chance, Clock, SystemChance, Waiter
from agent.link.exchange import HttpExchange
from agent.link.tls import context_for
from collector.fleet.registry import Registry
from collector.history.reader import History
from collector.settings_remote_write import Destination
from collector.store.engine import Store
from collector.telemetry import Telemetry

if TYPE_CHECKING:
    from collector.exposition.remote_write.forwarder import Forwarder

log = logging.getLogger(__name__)

AFTER_FAULT_SECONDS = 10.0
STOP_SECONDS = 5.0
"""For all destinations together: one that is dead must not hold up the end of the collector."""


class RemoteWrite:
    """All destinations of the settings."""

    def __init__(
        self,
        destinations: Sequence[Destination],
        store: Store,
        registry: Registry,
        history: History,
        clock: Clock,
        telemetry: Telemetry,
        chance: Chance | None = None,
    ) -> None:
        self._clock = clock
        self._exchanges = [exchange_for(to, clock.monotonic) for to in destinations]
        report = telemetry.remote_write
        self._forwarders: list[Forwarder] = []
        if destinations:  # what makes its messages is not carried where nobody gets them
            from collector.exposition.remote_write.forwarder import Forwarder

            self._forwarders = [
                Forwarder(to, store, registry, history, exchange, clock, chance or SystemChance(), report)
                for to, exchange in zip(destinations, self._exchanges, strict=True)
            ]
        for forwarder in self._forwarders:
            report.watch(forwarder.to.name, forwarder.progress, clock.wall_ms)
        self._stopping = threading.Event()
        self._waiters = [Waiter() for _ in self._forwarders]
        self._threads: list[threading.Thread] = []

    def needs(self, row_id: int) -> bool:
        """Whether a row of the log is still to be sent to somebody."""
        return any(forwarder.needs(row_id) for forwarder in self._forwarders)

    def start(self) -> None:
        for forwarder, waiter in zip(self._forwarders, self._waiters, strict=True):
            name = f"remote-write-{forwarder.to.name}"
            self._threads.append(threading.Thread(target=self._run, args=(forwarder, waiter), name=name, daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        """End each after the request it is at, and save where it was. A request that hangs is left to its thread."""
        self._stopping.set()
        for waiter in self._waiters:
            waiter.wake()
        end = self._clock.monotonic() + STOP_SECONDS
        for thread, exchange in zip(self._threads, self._exchanges, strict=False):  # no threads where never started
            thread.join(max(0.0, end - self._clock.monotonic()))
            if not thread.is_alive():
                exchange.close()

    def _run(self, forwarder: Forwarder, waiter: Waiter) -> None:
        while not self._stopping.is_set():
            now = self._clock.monotonic()
            try:
                due = forwarder.step(now)
            except Exception:  # the delivery border: whatever one destination meets, it goes on and the others do too
                log.exception("remote write to %s met a fault; it goes on in a while", forwarder.to.name)
                due = now + AFTER_FAULT_SECONDS
            wait = due - self._clock.monotonic()
            if wait > 0:
                waiter.wait(wait)
        try:
            forwarder.save(self._clock.monotonic())
        except Exception:  # the delivery border: what was not saved is sent again, which is no harm
            log.exception("where remote write to %s was could not be saved", forwarder.to.name)


def exchange_for(to: Destination, monotonic: Callable[[], float]) -> HttpExchange:
    """The port to a destination; its certificate is verified by its authority or by the system's."""
    ca_file = Path(to.ca_file) if to.ca_file else None
    return HttpExchange(monotonic, lambda: context_for(ca_file))
