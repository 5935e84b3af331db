"""The audit log: who did what to what. Only ever added to; ``collector.access.chain`` says how tampering is found.

``record`` belongs into the transaction of what it tells of, as its last statement: several collectors on one database
take their turn by the row it changes, and hold it until the commit. Never write a secret, an address or a phone number
into ``data``: auditors may read this who may not read those.

Actions are ``noun.verb``: ``login.done``, ``people.view``, ``config.apply``, ``incident.acknowledge``, ``export.report``.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from collector.access.chain import CUT, HEAD, START, Head, Row, row_hash, sign_head
from collector.access.tables import audit_heads, audit_log, audit_tip

ACTOR_CHARS = 128
SUBJECT_CHARS = 255
DATA_CHARS = 16_000
"""More is cut and said to be: a change of ten thousand hosts is told by its numbers."""
READ_AT_ONCE = 5_000


def record(
    connection: Connection, now: datetime, actor: str, action: str, subject: str, data: Mapping[str, Any] | None = None
) -> int:
    """Add a row to the chain; its number. ``actor`` is ``Caller.name`` or ``on_command_line()``; ``data`` plain values."""
    assert action.count(".") == 1, f"{action!r}: expected noun.verb"
    text = json.dumps(data or {}, ensure_ascii=False, sort_keys=True, default=str)
    kept = json.loads(text) if len(text) <= DATA_CHARS else {"cut": text[:DATA_CHARS]}
    actor, subject = actor[:ACTOR_CHARS], subject[:SUBJECT_CHARS]
    moved = update(audit_tip).where(audit_tip.c.id == 1).values(seq=audit_tip.c.seq + 1)
    tip = connection.execute(moved.returning(audit_tip.c.seq, audit_tip.c.hash)).first()
    if tip is None:
        connection.execute(insert(audit_tip).values(id=1, seq=1, hash=START))
    seq, previous = (tip.seq, tip.hash) if tip is not None else (1, START)
    at_ms = int(now.timestamp() * 1000)
    digest = row_hash(previous, seq, at_ms, actor, action, subject, kept)
    connection.execute(update(audit_tip).where(audit_tip.c.id == 1).values(hash=digest))
    connection.execute(
        insert(audit_log).values(
            seq=seq,
            at_ms=at_ms,
            actor=actor,
            action=action,
            subject=subject,
            data=kept,
            previous=previous,
            hash=digest,
        )
    )
    return int(seq)


def on_command_line() -> str:
    """The actor of a command: the account on this machine, which is not one of ours."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return "cli"


def read_log(
    connection: Connection,
    *,
    actor: str = "",
    action: str = "",
    subject: str = "",
    from_ms: int = 0,
    to_ms: int = 1 << 62,
    before: int = 1 << 62,
    limit: int = 100,
) -> list[Row]:
    """The newest first. ``action`` may be a noun alone (``login``); half-open in time."""
    log = audit_log.c
    wanted: list[ColumnElement[bool]] = [log.seq < before, log.at_ms >= from_ms, log.at_ms < to_ms]
    wanted += [column == value for column, value in ((log.actor, actor), (log.subject, subject)) if value]
    if action:
        wanted.append(log.action == action if "." in action else log.action.startswith(f"{action}.", autoescape=True))
    found = connection.execute(select(audit_log).where(*wanted).order_by(log.seq.desc()).limit(limit))
    return [Row(*row) for row in found]


def whole_log(connection: Connection) -> Iterator[Row]:
    """Every row in the chain's order, some thousand at a time."""
    seq = -(1 << 62)
    while True:
        found = connection.execute(
            select(audit_log).where(audit_log.c.seq > seq).order_by(audit_log.c.seq).limit(READ_AT_ONCE)
        ).all()
        for row in found:
            yield Row(*row)
        if len(found) < READ_AT_ONCE:
            return
        seq = found[-1].seq


def tip_of(connection: Connection) -> tuple[int, bytes]:
    row = connection.execute(select(audit_tip.c.seq, audit_tip.c.hash).where(audit_tip.c.id == 1)).first()
    return (row.seq, row.hash) if row is not None else (0, START)


def list_heads(connection: Connection) -> list[Head]:
    return [Head(*row) for row in connection.execute(select(audit_heads).order_by(audit_heads.c.seq))]


def add_head(connection: Connection, now: datetime, sign: Callable[[bytes], bytes]) -> Head | None:
    """Sign how far the chain has come; None where it has not moved since."""
    seq, digest = tip_of(connection)
    known = select(audit_heads.c.seq).where(audit_heads.c.kind == HEAD, audit_heads.c.seq >= seq)
    if seq == 0 or connection.execute(known).first() is not None:
        return None
    head = sign_head(HEAD, seq, int(now.timestamp() * 1000), digest, sign)
    connection.execute(insert(audit_heads).values(**head._asdict()))
    return head


def let_go(connection: Connection, before_ms: int, now: datetime, sign: Callable[[bytes], bytes]) -> Head | None:
    """Remove the rows older than that from the chain's beginning, and sign up to where; None where there are none.

    Times of rows need not ascend (clocks are set back): the chain is cut before the first row that is young enough."""
    log = audit_log.c
    kept = connection.execute(select(log.seq).where(log.at_ms >= before_ms).order_by(log.seq).limit(1)).scalar()
    if kept is None:
        return None  # the last row stays: it is what the next follows
    last = connection.execute(select(log.seq, log.hash).where(log.seq == kept - 1)).first()
    if last is None:
        return None
    head = sign_head(CUT, last.seq, int(now.timestamp() * 1000), last.hash, sign)
    connection.execute(delete(audit_log).where(log.seq <= last.seq))
    connection.execute(delete(audit_heads).where(audit_heads.c.seq <= last.seq))
    connection.execute(insert(audit_heads).values(**head._asdict()))
    return head
