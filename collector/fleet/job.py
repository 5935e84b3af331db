"""Keeps every agent's signed policy as the fleet wants it: one row an agent, its version rising with each change.

Runs at the centre only. Whatever changed the fleet (the topology file, an enrolment, another process), the next turn
sees the fleet's new version, compares, and signs what differs; a turn with nothing to do costs a comparison of numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from agent.link.model import encode
from agent.link.policy import Policy, PolicyError, open_policy
from collector.fleet.policy import policy_for, signed_policy
from collector.fleet.registry import Fleet, Registry, bump_version
from collector.fleet.tables import agent_policies, fleet_version
from collector.store.engine import Store

log = logging.getLogger(__name__)
Sign = Callable[[bytes], bytes]


class PolicyJob:
    """``sign`` and ``public_key`` are the centre's."""

    def __init__(self, store: Store, registry: Registry, sign: Sign, public_key: bytes) -> None:
        self._store = store
        self._registry = registry
        self._sign = sign
        self._public_key = public_key
        self._done_at = -1
        """Version of the fleet whose policies are all written."""

    def step(self, now: datetime) -> None:
        fleet = self._registry.fleet
        if fleet.version == self._done_at:
            return
        with self._store.transaction() as connection:
            connection.execute(
                select(fleet_version.c.version).with_for_update()
            )  # replicas in a row, one after the other
            self._registry.refresh(connection)
            fleet = self._registry.fleet
            changed = renew(connection, fleet, self._sign, self._public_key, round(now.timestamp() * 1000))
            if changed:
                bump_version(connection)
        self._done_at = fleet.version
        if changed:
            log.info("policies signed", extra={"agents": changed})


def renew(connection: Connection, fleet: Fleet, sign: Sign, public_key: bytes, now_ms: int) -> int:
    """Write the policies that differ from what is kept, inside the caller's transaction; how many did."""
    kept = {row.agent_id: row for row in connection.execute(select(agent_policies))}
    changed = 0
    for agent in fleet.agents.values():
        wanted, row = policy_for(fleet, agent), kept.pop(agent.id, None)
        if wanted is None:
            if row is not None:
                kept[agent.id] = row
            continue
        before = _read(row.packed, public_key, agent.id) if row is not None else None
        if before is not None and _says(before) == _says(wanted):
            continue
        # A row that cannot be read (another key, a damaged database) keeps its number: numbers only ever rise.
        version = (row.version if row is not None else 0) + 1
        packed = signed_policy(msgspec.structs.replace(wanted, version=version, at_ms=now_ms), sign)
        if row is None:
            connection.execute(insert(agent_policies), {"agent_id": agent.id, "version": version, "packed": packed})
        else:
            of_agent = agent_policies.c.agent_id == agent.id
            connection.execute(update(agent_policies).where(of_agent).values(version=version, packed=packed))
        changed += 1
    for agent_id in kept:
        connection.execute(delete(agent_policies).where(agent_policies.c.agent_id == agent_id))
    return changed + len(kept)


def _says(policy: Policy) -> bytes:
    """What a policy says, whenever it was signed; as bytes, because a list and a tuple say the same."""
    return encode(msgspec.structs.replace(policy, version=0, at_ms=0))


def _read(packed: bytes, public_key: bytes, agent_id: bytes) -> Policy | None:
    try:
        return open_policy(packed, public_key, agent_id)
    except PolicyError:
        return None
