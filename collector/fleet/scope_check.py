"""Whether the agencies and sites somebody is to be limited to exist: a typing mistake would show them nothing."""

from __future__ import annotations

from sqlalchemy import Connection, select

from collector.agencies.tables import agencies
from collector.errors import UsageError, nearest
from collector.fleet.tables import sites
from collector.store.scope import Scope


def check_scope(connection: Connection, scope: Scope) -> None:
    """Raises UsageError with the nearest id there is."""
    for word, wanted, table in (("agency", scope.agencies, agencies), ("site", scope.sites, sites)):
        known = list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())
        for one in sorted(wanted or ()):
            if one not in known:
                raise UsageError(f"--{word} {one!r}: no such {word}; {nearest(one, known)}")
