"""Suspending, resuming and revoking agents. It holds from the very next commit of the intake, in every process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from collector.errors import UsageError
from collector.fleet.registry import bump_version
from collector.fleet.tables import agents, hosts

ACTIVE, SUSPENDED, REVOKED = "active", "suspended", "revoked"


def find_agent(connection: Connection, word: str) -> bytes:
    """The agent by its id, the beginning of its id, or the id of its host. Raises UsageError."""
    found = [
        row
        for row in connection.execute(select(agents.c.id, agents.c.host, agents.c.status))
        if word and (row.id.hex().startswith(word.lower()) or row.host == word)
    ]
    living = [row for row in found if row.status != REVOKED]
    if len(found) > 1 and len(living) == 1:
        found = living
    if not found:
        raise UsageError(f"agent {word!r}: no such agent or host; see: bongsu agent list")
    if len(found) > 1:
        raise UsageError(f"agent {word!r}: {len(found)} agents fit; give more of the id, see: bongsu agent list")
    return bytes(found[0].id)


def set_status(connection: Connection, agent_id: bytes, status: str, now: datetime) -> bool:
    """Whether it changed. A revoked agent stays revoked: its host is free for another. Raises UsageError."""
    agent = connection.execute(select(agents).where(agents.c.id == agent_id)).one()
    if agent.status == status:
        return False
    if agent.status == REVOKED:
        raise UsageError(
            f"agent {agent_id.hex()} of {agent.host} was revoked, and that is for good: "
            f"enrol the machine anew with: bongsu token create --site {agent.site}"
        )
    connection.execute(update(agents).where(agents.c.id == agent_id).values(status=status, status_at=now))
    if status == REVOKED:
        connection.execute(update(hosts).where(hosts.c.agent_id == agent_id).values(agent_id=None))
    bump_version(connection)
    return True
