"""The registry of one hub's region, as the centre signs it and as the hub reads it.

MessagePack ``[payload, signature]``, the signature the centre's over ``bongsu-registry-1\\0`` and the payload, a
MessagePack map:

    {"hub": "mea", "hub_id": <16 B>, "at_ms": 1790000000000, "version": 41, "digest": "<32 hex>",
     "tables": {"sites": [{"id": "abuja", …}], …}, "spent": [<32 B>, …]}

``tables`` has the region's rows as the centre has them, times as milliseconds; a hub leaves aside columns and tables it
does not know. ``spent`` are join tokens that were used or cancelled. ``digest`` names all of that; a hub that has it
already is answered without ``tables`` and ``spent``. A payload with a ``scope`` is another document
(``registry_copy.py``), and no region's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Table, or_, select

from agent.link.keys import is_signed
from agent.link.model import encode
from agent.link.names import REGISTRY_PREFIX
from collector.agencies.tables import agencies
from collector.fleet.tables import (
    agent_keys,
    agent_policies,
    agents,
    fleet_version,
    hosts,
    hubs,
    join_tokens,
    links,
    probes,
    sites,
)

SPENT_KEPT = timedelta(days=31)
"""After its end a token is refused for being over; longer than any token lives."""
Row = dict[str, Any]


class RegistryError(Exception):
    """A registry does not hold, is another hub's, or is older than what is known; nothing of it was taken."""


class SignedRegistry(msgspec.Struct, frozen=True):
    """``tables`` None: nothing changed since ``digest``."""

    hub: str
    hub_id: bytes
    at_ms: int
    version: int
    digest: str
    tables: dict[str, list[Row]] | None = None
    spent: list[bytes] = []
    scope: str = ""


class _Signed(msgspec.Struct, array_like=True, frozen=True):
    payload: bytes
    signature: bytes


_decode_signed = msgspec.msgpack.Decoder(_Signed).decode
_decode_registry = msgspec.msgpack.Decoder(SignedRegistry).decode


Digests = dict[str, tuple[int, int, str]]
"""Hub -> the fleet's version and the day, and the digest of what the hub was told then."""


def export_registry(
    connection: Connection,
    hub: str,
    hub_id: bytes,
    have: str,
    now: datetime,
    sign: Callable[[bytes], bytes],
    digests: Digests,
) -> bytes:
    """What this hub is told now; ``have`` is the digest of what it knows. ``digests`` is kept by the caller: every hub asks
    each minute, and mostly nothing changed."""
    version = connection.execute(select(fleet_version.c.version)).scalar() or 0
    seen = version, now.toordinal()
    content: dict[str, Any] = {}
    *known, digest = digests.get(hub, (0, 0, ""))
    if digest != have or tuple(known) != seen:
        content = {
            "tables": {table.name: plain_rows(connection, which) for table, which in _region(hub)},
            "spent": _spent(connection, hub, now),
        }
        digest = hashlib.sha256(encode(content)).hexdigest()[:32]
        digests[hub] = (*seen, digest)
    head = {"hub": hub, "hub_id": hub_id, "at_ms": round(now.timestamp() * 1000), "version": version, "digest": digest}
    return seal(head if have == digest else head | content, sign)


def seal(payload: dict[str, Any], sign: Callable[[bytes], bytes]) -> bytes:
    packed = encode(payload)
    return encode((packed, sign(REGISTRY_PREFIX + packed)))


def unseal(packed: bytes, centre_key: bytes) -> bytes:
    """The payload the centre signed. Raises RegistryError, MsgspecError."""
    signed = _decode_signed(packed)
    if not is_signed(REGISTRY_PREFIX + signed.payload, signed.signature, centre_key):
        raise RegistryError(f"registry: not signed by the centre this hub joined, whose key is {centre_key.hex()}")
    return signed.payload


def open_registry(packed: bytes, centre_key: bytes, hub_id: bytes) -> SignedRegistry:
    """A registry whose signature and hub were checked. Raises RegistryError."""
    try:
        registry: SignedRegistry = _decode_registry(unseal(packed, centre_key))
    except (msgspec.MsgspecError, RecursionError) as why:
        raise RegistryError(f"registry: {why}") from why
    if registry.scope:
        raise RegistryError(f"registry: of scope {registry.scope!r}, expected the region's")
    check_hub(registry.hub_id, hub_id)
    return registry


def check_hub(found: bytes, expected: bytes) -> None:
    """Raises RegistryError where a document is for another hub than this."""
    if found != expected:
        raise RegistryError(f"registry: for hub identity {found.hex()}, expected {expected.hex()}")


def _region(hub: str) -> Iterable[tuple[Table, Select[Any]]]:
    """Each table with its rows of the region, in the order they can be made."""
    here = select(sites.c.id).where(sites.c.hub == hub)
    ours = select(agents.c.id).where(agents.c.site.in_(here))
    owners = select(hosts.c.agency).where(hosts.c.site.in_(here))
    operators = select(sites.c.agency).where(sites.c.hub == hub)
    return (
        (agencies, select(agencies).where(or_(agencies.c.id.in_(owners), agencies.c.id.in_(operators)))),
        (hubs, select(hubs).where(hubs.c.id == hub)),
        (sites, select(sites).where(sites.c.hub == hub)),
        (links, select(links).where(links.c.site.in_(here))),
        (agents, select(agents).where(agents.c.site.in_(here))),
        (hosts, select(hosts).where(hosts.c.site.in_(here))),
        (probes, select(probes).where(probes.c.host.in_(select(hosts.c.id).where(hosts.c.site.in_(here))))),
        (agent_keys, select(agent_keys).where(agent_keys.c.agent_id.in_(ours))),
        (agent_policies, select(agent_policies).where(agent_policies.c.agent_id.in_(ours))),
    )


def plain_rows(connection: Connection, which: Select[Any]) -> list[Row]:
    """Rows as MessagePack has them, times as milliseconds, in an order that depends on nothing else."""
    rows = [{key: _as_int(value) for key, value in row.items()} for row in connection.execute(which).mappings()]
    return sorted(rows, key=encode)


def _as_int(value: Any) -> Any:
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _spent(connection: Connection, hub: str, now: datetime) -> list[bytes]:
    here = select(sites.c.id).where(sites.c.hub == hub)
    is_spent = or_(join_tokens.c.used_at.is_not(None), join_tokens.c.cancelled_at.is_not(None))
    rows = select(join_tokens.c.hash).where(
        join_tokens.c.site.in_(here), is_spent, join_tokens.c.expires_at > now - SPENT_KEPT
    )
    return sorted(connection.execute(rows).scalars())
