"""The copy of the whole registry that a custodian keeps: which agencies, systems, sites, hosts and agents there are, to be
known where the centre burnt with all it knew.

MessagePack ``[payload, signature]`` as a region's registry, the payload a map:

    {"scope": "full", "hub": "mea", "hub_id": <16 B>, "at_ms": 1790000000000, "version": 41, "digest": "<32 hex>",
     "packed": <zstd of MessagePack {"tables": {"sites": [{"id": "abuja", …}], …}, "spent": [<32 B>, …]}>}

``packed`` is left out for a hub that has this digest already. Only a hub with a custodian site is given one, and nothing
that the hub itself judges, lets in or shows on its board comes from it. No person, address, secret or private key is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Table, or_, select

from agent.link.model import encode
from agent.link.names import Limits
from agent.link.packing import pack_frame
from agent.link.wire import WireError, unpack_frame
from collector.agencies.tables import agencies, interfaces, system_hosts, systems
from collector.fleet.registry_export import (
    SPENT_KEPT,
    RegistryError,
    Row,
    check_hub,
    plain_rows,
    seal,
    unseal,
)
from collector.fleet.tables import (
    agent_keys,
    agents,
    fleet_version,
    hosts,
    hub_keys,
    hub_tokens,
    hubs,
    join_tokens,
    links,
    policies,
    probes,
    sites,
)

FULL = "full"
LIMITS = Limits(body_packed_bytes=6 << 20, body_unpacked_bytes=128 << 20)
"""As much as an answer of 8 MiB holds in base64: some 40,000 hosts, at 130 bytes each with an agent."""
WHOLE = (agencies, hubs, sites, links, hosts, systems, system_hosts, interfaces, probes, policies, agents, agent_keys)
Tables = Mapping[str, list[Row]]


class SignedCopy(msgspec.Struct, frozen=True):
    """``packed`` None: nothing changed since ``digest``."""

    scope: str
    hub: str
    hub_id: bytes
    at_ms: int
    version: int
    digest: str
    packed: bytes | None = None


class _Content(msgspec.Struct, frozen=True):
    tables: dict[str, list[Row]]
    spent: list[bytes] = []


Made = dict[str, tuple[int, int, str, bytes]]
"""FULL -> the fleet's version and the day, and the digest and bytes of the content then; it is the same for every hub."""
_decode_copy = msgspec.msgpack.Decoder(SignedCopy).decode
_decode_content = msgspec.msgpack.Decoder(_Content).decode


def is_custodian(connection: Connection, hub: str) -> bool:
    found = select(sites.c.id).where(sites.c.hub == hub, sites.c.is_custodian).limit(1)
    return connection.execute(found).first() is not None


def custodians(connection: Connection) -> dict[str, list[str]]:
    """Hubs that are to keep a copy, each with its custodian sites."""
    found: dict[str, list[str]] = {}
    rows = select(sites.c.hub, sites.c.id).where(sites.c.is_custodian, sites.c.hub != "").order_by(sites.c.id)
    for hub, site in connection.execute(rows):
        found.setdefault(hub, []).append(site)
    return found


def export_copy(
    connection: Connection,
    hub: str,
    hub_id: bytes,
    have: str,
    now: datetime,
    sign: Callable[[bytes], bytes],
    made: Made,
) -> tuple[bytes, int, bool]:
    """(what this custodian is given now, of which version, whether it has all of it already). ``made`` is kept by the
    caller, so that a registry is read and packed once for all custodians."""
    version = connection.execute(select(fleet_version.c.version)).scalar() or 0
    ready = made.get(FULL)
    if ready is None or ready[:2] != (version, now.toordinal()):
        content = encode({"tables": whole_registry(connection), "spent": _spent(connection, now)})
        digest = hashlib.sha256(content).hexdigest()[:32]
        ready = made[FULL] = version, now.toordinal(), digest, pack_frame(content)
    *_, digest, packed = ready
    head = {"scope": FULL, "hub": hub, "hub_id": hub_id, "at_ms": round(now.timestamp() * 1000)}
    head |= {"version": version, "digest": digest}
    return seal(head if have == digest else head | {"packed": packed}, sign), version, have == digest


def open_copy(packed: bytes, centre_key: bytes, hub_id: bytes) -> SignedCopy:
    """A copy whose signature, scope and hub were checked. Raises RegistryError."""
    try:
        copy: SignedCopy = _decode_copy(unseal(packed, centre_key))
    except (msgspec.MsgspecError, RecursionError) as why:
        raise RegistryError(f"registry: {why}") from why
    if copy.scope != FULL:
        raise RegistryError(f"registry: of scope {copy.scope!r}, expected {FULL!r}")
    check_hub(copy.hub_id, hub_id)
    return copy


def open_content(copy: SignedCopy) -> Tables:
    """The rows by table. Raises RegistryError."""
    try:
        content = unpack_frame(copy.packed or b"", LIMITS)
        if hashlib.sha256(content).hexdigest()[:32] != copy.digest:
            raise RegistryError("registry: its content is not what its digest says")
        tables: Tables = _decode_content(content).tables
    except (WireError, msgspec.MsgspecError, RecursionError) as why:
        raise RegistryError(f"registry: {why}") from why
    return tables


def whole_registry(connection: Connection) -> Tables:
    found = {table.name: plain_rows(connection, select(table)) for table in WHOLE}
    found[hub_keys.name] = plain_rows(connection, _hub_keys())
    return found


def _hub_keys() -> Select[Any]:
    """Without what changes each minute."""
    return select(
        hub_keys.c.id,
        hub_keys.c.hub,
        hub_keys.c.key_no,
        hub_keys.c.public_key,
        hub_keys.c.status,
        hub_keys.c.enrolled_at,
        hub_keys.c.status_at,
    )


def _spent(connection: Connection, now: datetime) -> list[bytes]:
    return sorted(name for table in (join_tokens, hub_tokens) for name in _spent_of(connection, table, now))


def _spent_of(connection: Connection, table: Table, now: datetime) -> Iterable[bytes]:
    is_spent = or_(table.c.used_at.is_not(None), table.c.cancelled_at.is_not(None))
    return connection.execute(select(table.c.hash).where(is_spent, table.c.expires_at > now - SPENT_KEPT)).scalars()
