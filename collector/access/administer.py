"""Changing who may sign in and what they may: one transaction each, with its row in the audit log.

Nobody takes their own right to decide, so that somebody is always left who has it. Raises UsageError throughout.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import Connection, delete, update

from collector.access.audit import record
from collector.access.passwords import hash_password
from collector.access.queries import add_person, check_role, limit_column
from collector.access.tables import persons, sessions
from collector.errors import UsageError
from collector.store.scope import Scope


def take_user(
    connection: Connection,
    now: datetime,
    by: str,
    username: str,
    password: str,
    role: str,
    display_name: str,
    scope: Scope,
) -> None:
    add_person(connection, username, hash_password(password), now, role=role, display_name=display_name, scope=scope)
    record(connection, now, by, "user.add", username, _told(role, scope))


def change_user(connection: Connection, now: datetime, by: str, username: str, role: str, scope: Scope) -> None:
    """What they may from now on. Their sessions go on, with the new rights."""
    _not_oneself(by, username)
    check_role(role, scope)
    values = {"role": role, "agencies": limit_column(scope.agencies), "sites": limit_column(scope.sites)}
    _one(connection.execute(update(persons).where(persons.c.username == username).values(**values)).rowcount, username)
    record(connection, now, by, "user.change", username, _told(role, scope))


def new_password(connection: Connection, now: datetime, by: str, username: str, password: str) -> None:
    """Whoever is signed in with the one before is signed out."""
    hashed = hash_password(password)
    done = connection.execute(update(persons).where(persons.c.username == username).values(password_hash=hashed))
    _one(done.rowcount, username)
    connection.execute(delete(sessions).where(sessions.c.username == username))
    record(connection, now, by, "user.password", username)


def set_look(connection: Connection, now: datetime, username: str, language: str, timezone: str) -> None:
    """How somebody wishes their own pages: ``ko``, ``en`` or empty, and the name of a time zone or empty."""
    if language not in ("", "ko", "en"):
        raise UsageError(f"language {language!r}: expected ko, en or nothing")
    if timezone and timezone not in available_timezones():
        raise UsageError(f"timezone {timezone!r}: expected a name such as 'Europe/Berlin', or nothing")
    values = {"language": language, "timezone": timezone}
    _one(connection.execute(update(persons).where(persons.c.username == username).values(**values)).rowcount, username)
    record(connection, now, username, "user.look", username, values)


def remove_user(connection: Connection, now: datetime, by: str, username: str) -> None:
    _not_oneself(by, username)
    _one(connection.execute(delete(persons).where(persons.c.username == username)).rowcount, username)
    record(connection, now, by, "user.remove", username)


def _not_oneself(by: str, username: str) -> None:
    if by == username:
        raise UsageError("nobody changes or removes their own account here: ask another administrator")


def _one(found: int, username: str) -> None:
    if not found:
        raise UsageError(f"no user {username!r}")


def _told(role: str, scope: Scope) -> dict[str, object]:
    return {"role": role, "agencies": limit_column(scope.agencies), "sites": limit_column(scope.sites)}
