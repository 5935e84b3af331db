"""Keeps a copy of the whole registry where a site of this hub's region is a custodian, and none where none is.

What the centre signed is kept as it came, beside the hub's own rows and never in them: the board, intake and enrolment know
of the region alone. ``bongsu registry`` reads it. What does not carry the centre's signature, or is older than what is kept,
changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from agent.link.clock import Clock
from agent.link.signed_get import NotTold
from collector.fleet.registry import Registry
from collector.fleet.registry_copy import FULL, SignedCopy, Tables, open_content, open_copy
from collector.fleet.registry_export import RegistryError
from collector.relay.registry_pull import REGISTRY_PATH
from collector.relay.tables import registry_copy
from collector.relay.upstream import Upstream, patience_seconds
from collector.store.engine import Store
from collector.store.schema import instant

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 300.0
"""In a fleet where each minute one joins, a whole registry of 150 kB each minute would fill a third of a thin line."""
CONFIRM_SECONDS = 60.0
"""After a new one, so that the centre soon knows of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy whose signatures were checked. ``confirmed_ms``: when the centre last said that this is all there is."""

    copy: SignedCopy
    confirmed_ms: int
    confirmed_version: int
    tables: Tables


class CopyKeeping:
    """One thread calls ``step``; ``trouble`` may be read from others."""

    def __init__(
        self, store: Store, registry: Registry, upstream: Upstream, hub_id: bytes, centre_public: bytes, clock: Clock
    ) -> None:
        self.trouble = ""
        self._store = store
        self._registry = registry
        self._upstream = upstream
        self._hub_id = hub_id
        self._centre_public = centre_public
        self._clock = clock
        self._next_at = 0.0
        self._in_vain = 0
        self._was_custodian = True

    def step(self, now: float) -> float:
        """Ask if it is time. ``now`` and the moment returned are monotonic seconds."""
        due = max(self._next_at, self._upstream.ready_at)
        if not any(site.is_custodian for site in self._registry.fleet.sites.values()):
            self._let_go()
            self._next_at = 0.0
            return now + ASK_AGAIN_SECONDS
        if now < due:
            return due
        self._was_custodian = True
        self._next_at = now + (CONFIRM_SECONDS if self._ask() else ASK_AGAIN_SECONDS)
        return self._next_at

    def _let_go(self) -> None:
        """It was one and is no more, as the signed registry says: what it must not know it does not keep."""
        if not self._was_custodian:
            return
        with self._store.transaction() as connection:
            gone = connection.execute(delete(registry_copy)).rowcount
        self._was_custodian, self.trouble = False, ""
        if gone:
            log.warning("no site of this hub is a custodian any more: its copy of the registry was deleted")

    def _ask(self) -> bool:
        """Whether there is a new one."""
        told = self._upstream.ask(f"{REGISTRY_PATH}?scope={FULL}{self._held()}", patience_seconds(self._in_vain))
        if isinstance(told, NotTold):
            self._in_vain = 0 if told.status else self._in_vain + 1
            self._fail(told.text)
            return False
        self._in_vain = 0
        try:
            packed = base64.b64decode(str(told.said.get("registry", "")), validate=True)
            copy = open_copy(packed, self._centre_public, self._hub_id)
            if copy.packed is not None:
                open_content(copy)
            with self._store.transaction() as connection:
                keep(connection, copy, packed)
        except (RegistryError, binascii.Error, SQLAlchemyError) as why:
            self._fail(str(why))
            return False
        self.trouble = ""
        if copy.packed is not None:
            log.info("copy of the whole registry kept", extra={"version": copy.version})
        return copy.packed is not None

    def _held(self) -> str:
        """What the centre is told of the copy here; nothing of one that could not be read, so that it is given anew."""
        try:
            with self._store.reading() as connection:
                kept = read_kept(connection, self._centre_public, self._hub_id)
        except RegistryError as why:
            log.error("the copy of the registry kept here does not hold and is asked for anew: %s", why)
            with self._store.transaction() as connection:
                connection.execute(delete(registry_copy))
            return ""
        if kept is None:
            return ""
        return f"&have={kept.copy.digest}&version={kept.confirmed_version}&at={kept.confirmed_ms}"

    def _fail(self, text: str) -> None:
        if text != self.trouble:
            log.error("copy of the registry not renewed: %s", text)
        self.trouble = text


def keep(connection: Connection, copy: SignedCopy, packed: bytes) -> None:
    """Raises RegistryError where it is older than what is kept, or says that nothing changed of something else."""
    row = connection.execute(select(registry_copy.c.at_ms, registry_copy.c.digest)).first()
    if row is not None and copy.at_ms < row.at_ms:
        raise RegistryError(
            f"registry of {instant(copy.at_ms):%Y-%m-%d %H:%M:%S} UTC, after one of "
            f"{instant(row.at_ms):%Y-%m-%d %H:%M:%S}: expected a newer one. Was the centre's clock set back?"
        )
    mark = {"version": copy.version, "at_ms": copy.at_ms}
    if copy.packed is None:
        if row is None or row.digest != copy.digest:
            raise RegistryError(f"registry: nothing changed since {copy.digest}, which is not what is kept here")
        connection.execute(update(registry_copy).values(confirmed=packed, **mark))
        return
    connection.execute(delete(registry_copy))
    connection.execute(insert(registry_copy).values(id=1, packed=packed, confirmed=b"", digest=copy.digest, **mark))


def read_kept(connection: Connection, centre_public: bytes, hub_id: bytes) -> Kept | None:
    """The copy as it is kept, every signature checked anew. Raises RegistryError."""
    row = connection.execute(select(registry_copy)).first()
    if row is None:
        return None
    copy = open_copy(row.packed, centre_public, hub_id)
    confirmed = open_copy(row.confirmed or row.packed, centre_public, hub_id)
    if confirmed.digest != copy.digest:
        raise RegistryError("registry: the centre's newest word on the copy is about another one")
    return Kept(copy, confirmed.at_ms, confirmed.version, open_content(copy))
