"""Reading and writing persons, sessions and API tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from collector.access.caller import Caller
from collector.access.roles import NEEDS_LIMIT, ROLES, SYSTEM_ADMIN, WALL
from collector.access.tables import api_tokens, persons, sessions
from collector.errors import UsageError, nearest
from collector.store.scope import Scope

API_TOKEN_PREFIX = "bongsu_"  # noqa: S105 -- lets scanners and people see what it is; the secret follows
USED_EVERY = timedelta(minutes=1)
"""How exactly the last use of an API token is kept; finer would be a write per request."""
SEEN_EVERY = timedelta(minutes=5)
"""The same of a session."""
ADDRESS_CHARS = 64


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    display_name: str
    role: str
    language: str
    scope: Scope
    created_at: datetime


def secret_hash(secret: str) -> bytes:
    """SHA-256: enough for 256 random bits, which nobody guesses however fast the hash is."""
    return hashlib.sha256(secret.encode()).digest()


def add_person(
    connection: Connection,
    username: str,
    password_hash: str,
    now: datetime,
    *,
    role: str = "viewer",
    display_name: str = "",
    language: str = "",
    scope: Scope | None = None,
) -> None:
    """Raises UsageError where the name is taken, or the name or role is not one."""
    if not username or len(username) > 64 or not username.isprintable() or " " in username:
        raise UsageError(f"user name {username!r}: expected up to 64 characters without spaces")
    scope = scope or Scope()
    check_role(role, scope)
    if connection.execute(select(persons.c.username).where(persons.c.username == username)).scalar() is not None:
        raise UsageError(f"user {username!r} is there already; choose another name")
    connection.execute(
        insert(persons).values(
            username=username,
            display_name=display_name or username,
            password_hash=password_hash,
            role=role,
            language=language,
            agencies=limit_column(scope.agencies),
            sites=limit_column(scope.sites),
            created_at=now,
        )
    )


def check_role(role: str, scope: Scope) -> None:
    """Raises UsageError where there is no such role, or it means somebody's own and the limit does not say whose."""
    if role not in ROLES:
        raise UsageError(f"role {role!r}: {nearest(role, ROLES)}")
    limit = NEEDS_LIMIT.get(role, "")
    if limit and getattr(scope, limit) is None:
        option = {"agencies": "--agency", "sites": "--site"}[limit]
        raise UsageError(f"role {role}: expected whose, with {option}; to read everything there is the role viewer")


def set_first_admin(connection: Connection, username: str, password_hash: str, now: datetime) -> None:
    """The administrator ``init`` makes; where an interrupted run made one, only the password is set anew."""
    done = connection.execute(
        update(persons).where(persons.c.username == username).values(password_hash=password_hash, role=SYSTEM_ADMIN)
    )
    if not done.rowcount:
        add_person(connection, username, password_hash, now, role=SYSTEM_ADMIN)


def list_persons(connection: Connection) -> list[Person]:
    return [
        Person(row.username, row.display_name, row.role, row.language, scope_of(row), row.created_at)
        for row in connection.execute(select(persons).order_by(persons.c.username))
    ]


def look_of(connection: Connection, username: str) -> tuple[str, str] | None:
    """(language, time zone) of an account as it says itself, each empty where it says none; None where it is none."""
    row = connection.execute(
        select(persons.c.language, persons.c.timezone).where(persons.c.username == username)
    ).first()
    return (row.language, row.timezone) if row is not None else None


def stored_password(connection: Connection, username: str) -> str | None:
    """None where there is no such person."""
    if not username.isprintable():
        return None
    return connection.execute(select(persons.c.password_hash).where(persons.c.username == username)).scalar()


def open_session(
    connection: Connection, username: str, secret: str, csrf: str, now: datetime, lasting: timedelta, address: str
) -> None:
    """A session under the hash of ``secret``, begun from ``address``; those that are over leave."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    connection.execute(
        insert(sessions).values(
            hash=secret_hash(secret),
            username=username,
            csrf=csrf,
            created_at=now,
            expires_at=now + lasting,
            address=address[:ADDRESS_CHARS],
        )
    )


def close_session(connection: Connection, secret: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.hash == secret_hash(secret)))


def caller_of_session(connection: Connection, secret: str, now: datetime) -> tuple[Caller, bool] | None:
    """The caller a session stands for, and whether its last use is due to be noted."""
    row = connection.execute(
        select(persons, sessions.c.csrf, sessions.c.created_at.label("began_at"), sessions.c.seen_at)
        .join(sessions, sessions.c.username == persons.c.username)
        .where(sessions.c.hash == secret_hash(secret), sessions.c.expires_at > now)
    ).first()
    if row is None:
        return None
    caller = Caller(
        row.username, row.role, scope_of(row), row.language, "session", row.csrf, row.display_name, row.timezone
    )
    return caller, now - (row.seen_at or row.began_at) >= SEEN_EVERY


def note_session_use(connection: Connection, secret: str, now: datetime) -> None:
    connection.execute(update(sessions).where(sessions.c.hash == secret_hash(secret)).values(seen_at=now))


def caller_of_token(connection: Connection, secret: str, now: datetime) -> tuple[Caller, bool] | None:
    """The caller an API token stands for, and whether its last use is due to be noted."""
    row = connection.execute(
        select(api_tokens).where(
            api_tokens.c.hash == secret_hash(secret),
            api_tokens.c.revoked_at.is_(None),
            or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > now),
        )
    ).first()
    if row is None:
        return None
    is_due = row.used_at is None or now - row.used_at >= USED_EVERY
    return Caller(f"token:{row.name}", row.role, scope_of(row), "", "token", display_name=row.name), is_due


def note_token_use(connection: Connection, secret: str, now: datetime) -> None:
    connection.execute(update(api_tokens).where(api_tokens.c.hash == secret_hash(secret)).values(used_at=now))


def add_api_token(
    connection: Connection,
    secret: str,
    name: str,
    created_by: str,
    now: datetime,
    *,
    role: str = "viewer",
    scope: Scope | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Raises UsageError where the name is taken or the role is not one."""
    scope = scope or Scope()
    if role != WALL:
        check_role(role, scope)
    if connection.execute(select(api_tokens.c.id).where(api_tokens.c.name == name)).scalar() is not None:
        raise UsageError(f"API token {name!r} is there already; choose another name, or revoke it first")
    connection.execute(
        insert(api_tokens).values(
            hash=secret_hash(secret),
            name=name,
            role=role,
            agencies=limit_column(scope.agencies),
            sites=limit_column(scope.sites),
            created_at=now,
            created_by=created_by,
            expires_at=expires_at,
        )
    )


def exchange_wall_token(connection: Connection, secret: str, kept: str, now: datetime) -> bool:
    """Put another secret in the place of a wall's: from then on only ``kept`` opens it. False where there is none."""
    token = api_tokens.c
    changed = connection.execute(
        update(api_tokens)
        .where(
            token.hash == secret_hash(secret),
            token.role == WALL,
            token.revoked_at.is_(None),
            or_(token.expires_at.is_(None), token.expires_at > now),
        )
        .values(hash=secret_hash(kept), used_at=now)
    )
    return changed.rowcount == 1


def revoke_api_token(connection: Connection, name: str, now: datetime) -> bool:
    """Whether there was a living one of this name. It dies at once."""
    done = connection.execute(
        update(api_tokens).where(api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return bool(done.rowcount)


def list_api_tokens(connection: Connection) -> list[Row[Any]]:
    columns = [column for column in api_tokens.c if column.name != "hash"]
    return list(connection.execute(select(*columns).order_by(api_tokens.c.name)))


def scope_of(row: Row[Any]) -> Scope:
    return Scope(_limit(row.agencies), _limit(row.sites))


def _limit(ids: list[str] | None) -> frozenset[str] | None:
    return None if ids is None else frozenset(ids)


def limit_column(ids: Iterable[str] | None) -> list[str] | None:
    return None if ids is None else sorted(ids)
