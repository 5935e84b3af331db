"""What commands about incidents stand on: the database as it is, and somebody at this machine who may do everything."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import datetime

from agent.link.clock import Clock, SystemClock
from collector.access.audit import on_command_line
from collector.access.caller import Caller
from collector.errors import UsageError
from collector.fleet.registry import Registry
from collector.people.queries import whole_book
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant
from collector.store.scope import EVERYTHING


@dataclass
class Desk:
    """As much of ``collector.services.Services`` as changing incidents needs."""

    settings: Settings
    store: Store
    clock: Clock
    registry: Registry
    caller: Caller

    @property
    def now(self) -> datetime:
        return instant(self.clock.wall_ms())


def at_desk(settings: Settings, store: Store, by: str = "") -> Desk:
    """``by``: a person's id; without it the person whose login is this account's, else the account. Raises UsageError."""
    registry = Registry(store)
    registry.refresh()
    with store.reading() as connection:
        people = whole_book(connection).people
    if by and by not in people:
        raise UsageError(f"--by {by}: nobody is called so; people are listed in the file of rosters")
    account = on_command_line()
    own = next((person.id for person in people.values() if person.login and person.login == _account()), "")
    caller = Caller(by or own or account, "admin", EVERYTHING, way="token")
    return Desk(settings, store, SystemClock(), registry, caller)


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return ""
