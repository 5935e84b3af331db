"""What makes a collector a hub: its upstream, the relay, the registry's pull, and the thread that steps through them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.link.clock import Chance, Clock, SystemChance, Waiter
from agent.link.exchange import Exchange, HttpExchange
from agent.link.signed_get import Asker
from agent.link.tls import context_for
from collector.fleet.agent_status import ACTIVE
from collector.fleet.hub_contact import NO_DATA, OK, SILENT_MS
from collector.fleet.keys import Keys, ca_file
from collector.fleet.registry import Registry
from collector.log.positions import Positions
from collector.relay.copy_keeping import CopyKeeping
from collector.relay.custody import Custody
from collector.relay.registry_pull import RegistryPull
from collector.relay.relay import Relay
from collector.relay.upstream import Upstream
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant
from collector.telemetry import RelayNumbers, Telemetry

log = logging.getLogger(__name__)

AFTER_ERROR_SECONDS = 5.0
STOP_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class UpstreamStanding:
    """For the board, the API and the doctor. ``state``: 0 while the centre answers, else 2."""

    hub: str
    url: str
    state: int
    answered_ms: int
    pulled_ms: int
    pending: int
    oldest_ms: int | None
    trouble: str


class HubSide:
    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        store: Store,
        registry: Registry,
        clock: Clock,
        telemetry: Telemetry,
        chance: Chance | None = None,
    ) -> None:
        assert keys.hub is not None
        self.identity = keys.hub
        self.centre_public = keys.centre_public
        self._settings = settings
        self._clock = clock
        self._chance = chance or SystemChance()
        self._asker = Asker(bytes.fromhex(keys.hub.id), keys.hub.key_no, keys.own.sign)
        self._connect: Callable[[], Exchange] = self._over_http
        self._numbers = RelayNumbers(telemetry.registry)
        self.custody = Custody(keys.centre_public)
        self._upstream = self._line()
        share = settings.upstream.backlog_share_percent / 100
        self.relay = Relay(store, self.custody, self._upstream, clock, share, settings.limits, self._numbers.envelopes)
        self.pull = RegistryPull(
            store,
            registry,
            self._upstream,
            self._asker.id,
            keys.centre_public,
            clock,
            settings.upstream.registry_seconds,
            self.relay.release,
            lambda: self.relay.release_active(self._is_active),
        )
        self.copy = CopyKeeping(store, registry, self._upstream, self._asker.id, keys.centre_public, clock)
        self._registry = registry
        self._numbers.oldest.set_function(self._oldest_seconds)
        self._waiter = Waiter()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)

    # ------------------------------------------------------------ life

    def restore(self, positions: Positions) -> None:
        self.relay.restore(positions)
        self.pull.restore()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What is under way may end by itself: it is nothing that would not be done again."""
        self._stopping = True
        self._waiter.wake()
        self._thread.join(STOP_SECONDS)

    def wake(self) -> None:
        """Something was committed."""
        self._waiter.wake()

    def step(self, now: float) -> float:
        """One turn of everything towards the centre; when the next is due. Monotonic seconds."""
        due = self.pull.step(now)
        if self.pull.has_registry:
            due = min(due, self.relay.step(self._clock.monotonic()))
            due = min(due, self.copy.step(self._clock.monotonic()))
        self._show()
        return due

    def _run(self) -> None:
        while not self._stopping:
            try:
                due = self.step(self._clock.monotonic())
            except Exception:  # the job border: whatever it met (a full disk, mostly), the hub must try again
                log.exception("a turn towards the centre failed, tried again in %d s", AFTER_ERROR_SECONDS)
                due = self._clock.monotonic() + AFTER_ERROR_SECONDS
            self._waiter.wait(due - self._clock.monotonic())

    # ------------------------------------------------------------ asking

    def _is_active(self, agent_id: bytes) -> bool:
        agent = self._registry.fleet.agents.get(agent_id)
        return agent is not None and agent.status == ACTIVE

    @contextmanager
    def errand(self) -> Iterator[Upstream]:
        """A line of its own for a request that somebody waits for."""
        line = self._line()
        try:
            yield line
        finally:
            line.exchange.close()  # type: ignore[attr-defined]

    def _line(self) -> Upstream:
        return Upstream(self._settings.upstream.url, self._asker, self._connect(), self._clock, self._chance)

    def _over_http(self) -> Exchange:
        return HttpExchange(self._clock.monotonic, lambda: context_for(trusted_file(self._settings)))

    def use(self, connect: Callable[[], Exchange], chance: Chance) -> None:
        """Other ports than this machine's, before the first step: what makes an exchange, and where chance is from."""
        self._connect, self._chance = connect, chance
        self._upstream.exchange, self._upstream.chance = connect(), chance

    # ------------------------------------------------------------ how it stands

    @property
    def is_cut(self) -> bool:
        """Whether the centre did not answer the last time it was asked."""
        return self._upstream.failures > 0

    @property
    def standing(self) -> UpstreamStanding:
        figures = self.relay.figures
        answered_ms = self._upstream.answered_ms
        is_heard = self._clock.wall_ms() - answered_ms <= SILENT_MS and not self.pull.trouble
        return UpstreamStanding(
            self.identity.hub,
            self._upstream.url,
            OK if is_heard else NO_DATA,
            answered_ms,
            self.pull.pulled_ms,
            figures.pending,
            figures.oldest_ms,
            self._upstream.trouble or self.pull.trouble,
        )

    def centre_well_at(self) -> datetime | None:
        """When the centre last answered, as far as it judges too; None where it was not heard since the start."""
        answered_ms = self._upstream.answered_ms
        if self.pull.judged_ms is not None:
            answered_ms = min(answered_ms, self.pull.judged_ms)
        return instant(answered_ms) if answered_ms else None

    def _show(self) -> None:
        numbers = self._numbers
        numbers.pending.set(self.relay.figures.pending)
        numbers.answered.set(self._upstream.answered_ms / 1000)
        numbers.registry_at.set(self.pull.pulled_ms / 1000)
        numbers.bytes.set(self._upstream.bytes_sent)

    def _oldest_seconds(self) -> float:
        oldest_ms = self.relay.figures.oldest_ms
        return (self._clock.wall_ms() if oldest_ms is None else oldest_ms) / 1000


def trusted_file(settings: Settings) -> Path | None:
    """The authority of the centre's certificate; None = the system's are trusted."""
    if settings.upstream.ca_file:
        return Path(settings.upstream.ca_file)
    own = ca_file(settings.data_dir)
    return own if own.is_file() else None
