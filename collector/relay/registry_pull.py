"""Keeps a hub's rows what the centre says of its region, and lets the centre decide on whom the hub let in meanwhile.

Each step first puts the provisional agents to the centre, then asks for the registry if it changed. Without one a hub
knows nobody and takes nothing in. What does not carry the centre's signature, or is older than what is known, changes
nothing.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from agent.link.clock import Clock
from agent.link.exchange import Failure, Response
from agent.link.signed_get import NotTold
from collector.errors import Refused
from collector.fleet.enrolment import read_enrolment
from collector.fleet.registry import Registry
from collector.fleet.registry_export import RegistryError, open_registry
from collector.relay.admission import Admission, accepted, refused, undecided, with_name
from collector.relay.registry_apply import RegistryOld, known_digest, take_over
from collector.relay.upstream import Upstream
from collector.store.engine import Store
from collector.store.schema import instant

log = logging.getLogger(__name__)

ENROLMENTS_PATH = "/v1/enrolments"
REGISTRY_PATH = "/v1/registry"
NOT_DECIDED = (401, 404, 408, 425, 429)
"""Says nothing about the token: a stale nonce, a portal or a proxy in between, a centre under load."""
BUSY = (429, 503)
JUDGED_LATE_SECONDS = 60.0
REPORTS_FIRST_SECONDS = 2.0
"""After a question nobody answered: what hangs may be this question alone, and reports must not wait behind it for ever."""
NOT_KNOWN = "not_known"
"""Says it of this hub, suspended or revoked; its agents may be all right."""


class RegistryPull:
    """One thread calls ``step``; the attributes may be read from others."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        upstream: Upstream,
        hub_id: bytes,
        centre_public: bytes,
        clock: Clock,
        interval_seconds: float,
        on_change: Callable[[], None] = lambda: None,
        on_confirmed: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_confirmed``: the centre says that the registry is as it is known here."""
        self.has_registry = False
        """Whether the region is known at all, from now or from before a restart."""
        self.pulled_ms = 0
        self.trouble = ""
        self.judged_ms: int | None = None
        """When the centre last made a verdict, by our clock, where it answered and said that this is too long ago."""
        self.forged: Callable[[], int] = lambda: 0
        """How many envelopes were refused here since the start because their agent had not sealed them."""
        self._store = store
        self._registry = registry
        self._upstream = upstream
        self._hub_id = hub_id
        self._centre_public = centre_public
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._on_change = on_change
        self._on_confirmed = on_confirmed
        self._next_at = 0.0

    def restore(self) -> None:
        with self._store.reading() as connection:
            self.has_registry = bool(known_digest(connection))

    def step(self, now: float) -> float:
        """Ask if it is time. ``now`` and the moment returned are monotonic seconds."""
        due = max(self._next_at, self._upstream.ready_at)
        if now < due:
            return due
        self._next_at = now + self._interval_seconds
        if self._reconcile():
            self._pull()
        return max(self._next_at, self._upstream.ready_at)

    # ------------------------------------------------------------ the registry

    def _pull(self) -> None:
        with self._store.reading() as connection:
            digest = known_digest(connection)
        told = self._upstream.get(f"{REGISTRY_PATH}?have={digest}&forged={self.forged()}")
        if isinstance(told, NotTold):
            self._fail(told.text)
            if told.status in (0, *BUSY):
                self._away(told.text, told.retry_after_seconds)
            return
        self._hear(told.said)
        try:
            packed = base64.b64decode(str(told.said.get("registry", "")), validate=True)
            registry = open_registry(packed, self._centre_public, self._hub_id)
            with self._store.transaction() as connection:
                changed = take_over(connection, registry)
        except (RegistryError, RegistryOld, binascii.Error) as why:
            self._fail(str(why))
            return
        except (
            SQLAlchemyError,
            LookupError,
            TypeError,
            ValueError,
        ) as why:  # nothing of it was kept, and reports go on
            self._fail(f"registry does not fit this hub's rows, is its version older than the centre's? {why}")
            return
        self.has_registry, self.pulled_ms, self.trouble = True, self._clock.wall_ms(), ""
        if changed:
            self._registry.refresh()
            self._on_change()
            log.info("registry taken over", extra={"version": registry.version, "hub": registry.hub})
        else:
            self._on_confirmed()

    def _hear(self, said: dict[str, Any]) -> None:
        """Whether the centre judges, or only answers. An older one does not say."""
        age = said.get("judged_seconds_ago", 0)
        is_late = isinstance(age, int | float) and age > JUDGED_LATE_SECONDS
        self.judged_ms = self._clock.wall_ms() - round(age * 1000) if is_late else None

    def _fail(self, text: str) -> None:
        if text != self.trouble:
            log.error("registry not taken over: %s", text)
        self.trouble = text

    # ------------------------------------------------------------ enrolments made while cut off

    def _reconcile(self) -> bool:
        """Put provisional agents to the centre; False where it cannot be asked now.

        What it will not decide on yet holds up nobody else: neither the next one, nor the registry, nor the relay.
        """
        with self._store.reading() as connection:
            waiting = undecided(connection)
        for admission in waiting:
            response = self._upstream.post(ENROLMENTS_PATH, with_name(admission.body, admission, admitted=True))
            decision = decision_of(response)
            if decision is not None:
                self._decide(admission, *decision)
            elif isinstance(response, Failure):
                return self._away(f"enrolment: {response.text}", 0.0)
            elif response.status in BUSY:
                return self._away(f"enrolment: HTTP {response.status}", response.retry_after_seconds)
            else:
                fields = {"agent": admission.agent_id.hex(), "status": response.status}
                log.warning("the centre did not decide on an agent that was let in; it is asked again", extra=fields)
        return True

    def _away(self, text: str, retry_after_seconds: float) -> bool:
        self._upstream.fail(text, retry_after_seconds)
        self._next_at = self._upstream.ready_at + REPORTS_FIRST_SECONDS
        return False

    def _decide(self, admission: Admission, status: int, said: dict[str, Any]) -> None:
        now = instant(self._clock.wall_ms())
        fields = {"agent": admission.agent_id.hex(), "code": said.get("code", ""), "detail": said.get("detail", "")}
        try:
            with self._store.transaction() as connection:
                if status == 200:
                    accepted(connection, read_enrolment(admission.body), said, admission.token_hash, now)
                else:
                    refused(connection, admission, now)
        except Refused as why:  # its host or key belongs to another one here, until the next registry
            log.warning("the centre's decision on an agent cannot be carried out yet: %s", why.detail, extra=fields)
            return
        self._registry.refresh()
        self._on_change()
        if status == 200:
            log.info("the centre accepted an agent that was let in provisionally", extra=fields)
        else:
            log.error("the centre refused an agent that was let in provisionally: it is revoked here", extra=fields)


def decision_of(response: Response | Failure) -> tuple[int, dict[str, Any]] | None:
    """What a collector decided on an enrolment: (200, the answer) or (status, the problem). None: it did not."""
    if isinstance(response, Failure) or response.status >= 500 or response.status in NOT_DECIDED:
        return None
    expected = "application/json" if response.status == 200 else "application/problem+json"
    try:
        said = msgspec.json.decode(response.body, type=dict[str, Any])
        if response.content_type != expected or not (said.get("agent_id") if response.status == 200 else said["code"]):
            return None
        if response.status == 200:
            bytes.fromhex(said["agent_id"]), said["hosts"][0], said["site"]
        elif said["code"] == NOT_KNOWN:
            return None
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, LookupError, TypeError, ValueError):
        return None
    return response.status, said
