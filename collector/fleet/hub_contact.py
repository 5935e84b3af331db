"""Which hub asks, when each was last heard, and which copy of the registry it keeps: in memory, written down now and then.

The keys are read anew when the fleet's version moved, so that a revoked hub is nobody from then on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from agent.link.clock import Clock
from agent.link.names import AGENT_HEADER
from collector.fleet.agent_status import ACTIVE
from collector.fleet.registry import Registry
from collector.fleet.signed_request import NonceBook, holds, read_headers, verify
from collector.fleet.tables import hub_keys
from collector.store.engine import Store
from collector.store.schema import instant

log = logging.getLogger(__name__)

SILENT_MS = 180_000
"""A hub asks for its registry once a minute, and brings reports more often than that."""
OK, NO_DATA = 0, 2
_AGENT_HEADER = AGENT_HEADER.encode()
COPY_STALE_MS = 3_600_000
"""A custodian asks every five minutes whether its copy is still all there is."""


class CopyHeld(NamedTuple):
    """The copy of the registry that a custodian says it holds: of which version, and when that was last all there was."""

    version: int
    at_ms: int

    def is_stale(self, now_ms: int) -> bool:
        return now_ms - self.at_ms > COPY_STALE_MS


class HubContacts:
    """``bearer`` and ``caller`` are asked by requests, ``save`` by a job."""

    def __init__(self, store: Store, registry: Registry, nonces: NonceBook, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._nonces = nonces
        self._clock = clock
        self._reading = threading.Lock()
        self._version = -2
        self._keys: dict[bytes, tuple[str, int, bytes]] = {}
        """Identity -> (hub, key number, public key) of hubs that may ask."""
        self._contacts: dict[bytes, int] = {}
        self._copies: dict[bytes, CopyHeld | None] = {}
        self._saved: dict[bytes, tuple[int, CopyHeld | None]] = {}

    def bearer(self, scope: MutableMapping[str, Any]) -> str:
        """The hub that brings a request, "" where an agent came by itself. For raw ASGI; never refuses."""
        if not _says_who(scope):  # as all agents' reports
            return ""
        signed = read_headers(_headers(scope))
        if signed is None:
            return ""
        hub, key_no, public_key = self._known().get(signed.id, ("", 0, b""))
        now_ms = self._clock.wall_ms()
        if not hub or signed.key_no != key_no or not self._nonces.is_fresh(signed.nonce, now_ms):
            return ""
        if not holds(signed, scope["method"], scope["path"], public_key):
            return ""
        self._contacts[signed.id] = now_ms
        return hub

    def caller(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[str, bytes]:
        """(hub, identity) of who signed. Raises Refused 401 or 403."""
        now_ms = self._clock.wall_ms()
        hub_id = verify(method, path, headers, self._nonces, self._key_of, now_ms)
        self._contacts[hub_id] = now_ms
        return self._known()[hub_id][0], hub_id

    def last_ms(self, hub: str) -> int | None:
        """When a hub last proved itself; None where none joined under this id."""
        return self.seen_ms().get(hub)

    def seen_ms(self) -> dict[str, int]:
        """Last contact of every hub that joined; joining was one."""
        known = self._known()
        newest: dict[str, int] = {}
        for hub_id, at in self._contacts.items():
            if hub_id in known:
                hub = known[hub_id][0]
                newest[hub] = max(newest.get(hub, 0), at)
        return newest

    def note_copy(self, hub_id: bytes, held: CopyHeld | None) -> None:
        """What a custodian said it holds; no later than now, whatever its clock says."""
        self._copies[hub_id] = held and held._replace(at_ms=min(held.at_ms, self._clock.wall_ms()))

    def copy_of(self, hub: str) -> CopyHeld | None:
        """The newest copy that an identity of this hub holds."""
        known = self._known()
        held = [copy for hub_id, copy in self._copies.items() if copy and known.get(hub_id, ("",))[0] == hub]
        return max(held, key=lambda copy: copy.at_ms, default=None)

    def states(self) -> dict[str, int]:
        """State code by hub, of those that joined: ok while it is heard, else no data."""
        now_ms = self._clock.wall_ms()
        return {hub: OK if now_ms - at <= SILENT_MS else NO_DATA for hub, at in sorted(self.seen_ms().items())}

    def save(self, _now: datetime) -> None:
        """Write down contacts, so that a restart still knows when a hub was last heard."""
        known = {hub_id: (at, self._copies.get(hub_id)) for hub_id, at in list(self._contacts.items())}
        changed = {hub_id: now for hub_id, now in known.items() if self._saved.get(hub_id) != now}
        if not changed:
            return
        with self._store.transaction() as connection:
            for hub_id, (at, held) in changed.items():
                copy = {"copy_version": held and held.version, "copy_at": held and instant(held.at_ms)}
                row = update(hub_keys).where(hub_keys.c.id == hub_id).values(contact_at=instant(at), **copy)
                connection.execute(row)
        self._saved.update(changed)

    def _key_of(self, hub_id: bytes, key_no: int) -> bytes | None:
        _, known_no, public_key = self._known().get(hub_id, ("", 0, b""))
        return public_key if public_key and known_no == key_no else None

    def _known(self) -> dict[bytes, tuple[str, int, bytes]]:
        version = self._registry.fleet.version
        if version != self._version:
            with self._reading, self._store.reading() as connection:
                rows = connection.execute(select(hub_keys)).all()
            self._keys = {r.id: (r.hub, r.key_no, r.public_key) for r in rows if r.status == ACTIVE}
            for row in rows:
                heard_at = row.contact_at or row.enrolled_at
                self._contacts.setdefault(row.id, round(heard_at.timestamp() * 1000))
                if row.copy_at is not None:
                    self._copies.setdefault(row.id, CopyHeld(row.copy_version, round(row.copy_at.timestamp() * 1000)))
            self._version = version
        return self._keys


def _says_who(scope: MutableMapping[str, Any]) -> bool:
    for name, _ in scope.get("headers", ()):  # noqa: SIM110 -- asked for each report: a generator takes twice as long
        if name == _AGENT_HEADER:
            return True
    return False


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
