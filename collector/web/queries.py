"""SQL of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from collector.fleet.tables import agent_keys
from collector.incidents.tables import incident_events
from collector.verdicts.standing import Change
from collector.verdicts.tables import state_changes


def known_since(connection: Connection, kind: str, subject: str) -> int | None:
    """When anything was first concluded about a thing; None where nothing was."""
    at = state_changes.c
    query = select(func.min(at.at_ms)).where(at.kind == kind, at.subject == subject)
    return connection.execute(query).scalar()


def latest_changes(connection: Connection, subjects: Sequence[tuple[str, str]], limit: int) -> list[Change]:
    """The newest changes of state of these (kind, id) pairs, newest first. The caller has checked that they may be
    seen."""
    by_kind: dict[str, list[str]] = {}
    for kind, subject in subjects:
        by_kind.setdefault(kind, []).append(subject)
    if not by_kind:
        return []
    at = state_changes.c
    query = (
        select(at.kind, at.subject, at.from_state, at.to_state, at.at_ms, at.reason)
        .where(or_(*(and_(at.kind == kind, at.subject.in_(ids)) for kind, ids in by_kind.items())))
        .order_by(at.at_ms.desc(), at.id.desc())
        .limit(limit)
    )
    return [Change(*row) for row in connection.execute(query)]


def newest_event(connection: Connection) -> int:
    """Number of the newest event of any incident; 0 where there is none."""
    return int(connection.execute(select(func.max(incident_events.c.id))).scalar() or 0)


def agent_keys_of(connection: Connection) -> dict[bytes, list[tuple[int, bytes, datetime]]]:
    """(number, public key, since when) of every key an agent ever had, by agent. The caller shows only those that may be
    seen."""
    found: dict[bytes, list[tuple[int, bytes, datetime]]] = {}
    at = agent_keys.c
    for agent, *key in connection.execute(select(at.agent_id, at.key_no, at.public_key, at.created_at)):
        found.setdefault(bytes(agent), []).append((key[0], bytes(key[1]), key[2]))
    return found
