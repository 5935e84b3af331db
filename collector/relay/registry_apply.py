"""Takes a region's registry over into a hub's own rows: whole, in the caller's transaction, or not at all.

The rows become what the centre has. Only agents that this hub let in provisionally stay beside them: those whom the
centre does not know yet, and, revoked, those it refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select, update

from collector.agencies.tables import agencies
from collector.errors import CollectorError
from collector.fleet.registry import bump_version
from collector.fleet.registry_export import Row, SignedRegistry
from collector.fleet.tables import agent_keys, agent_policies, agents, hosts, hubs, links, probes, sites
from collector.relay.tables import admissions, registry_state, spent_tokens
from collector.store.schema import UtcDateTime, frozen, instant

PROVISIONAL, REFUSED = "provisional", "refused"
REGISTRY = "registry"
TABLES = (agencies, hubs, sites, links, agents, hosts, probes, agent_keys, agent_policies)
"""In the order rows can be made; they go in the reverse."""
Key = tuple[Any, ...]


class RegistryOld(CollectorError):
    """A registry older than the one taken over: somebody may be trying to undo a revocation."""


def known_digest(connection: Connection) -> str:
    """Of the registry taken over last, empty before the first."""
    return connection.execute(select(registry_state.c.digest)).scalar() or ""


def take_over(connection: Connection, registry: SignedRegistry) -> bool:
    """Whether rows changed. Raises RegistryOld."""
    state = connection.execute(select(registry_state)).first()
    if state is not None and registry.at_ms < state.at_ms:
        raise RegistryOld(
            f"registry of {instant(registry.at_ms):%Y-%m-%d %H:%M:%S} UTC, after one of "
            f"{instant(state.at_ms):%Y-%m-%d %H:%M:%S}: expected a newer one. Was the centre's clock set back?"
        )
    connection.execute(delete(registry_state))
    mark = {"id": 1, "at_ms": registry.at_ms, "version": registry.version, "digest": registry.digest}
    connection.execute(insert(registry_state), mark)
    if registry.tables is None:
        return False
    provisional = set(connection.execute(select(agents.c.id).where(agents.c.status == PROVISIONAL)).scalars())
    provisional |= set(connection.execute(select(admissions.c.agent_id).where(admissions.c.state == REFUSED)).scalars())
    wanted = {table: _read(table, registry.tables.get(table.name, ())) for table in TABLES}
    provisional -= {key[0] for key in wanted[agents]}
    for row in connection.execute(select(hosts.c.id, hosts.c.agent_id).where(hosts.c.agent_id.in_(provisional))):
        if (row.id,) in wanted[hosts] and wanted[hosts][row.id,].get("agent_id") is None:
            wanted[hosts][row.id,]["agent_id"] = row.agent_id
    changed = False
    for table in TABLES:
        changed |= _write(connection, table, wanted[table])
    for table in reversed(TABLES):
        changed |= _remove(connection, table, wanted[table], provisional)
    connection.execute(delete(spent_tokens))
    if registry.spent:
        connection.execute(insert(spent_tokens), [{"hash": name} for name in registry.spent])
    if changed:
        bump_version(connection)
    return changed


def _read(table: Table, rows: Iterable[Row]) -> dict[Key, Row]:
    """Rows by primary key, of the columns this version has."""
    found: dict[Key, Row] = {}
    for plain in rows:
        row = {column.name: _value(column.type, plain[column.name]) for column in table.c if column.name in plain}
        if table is hosts:
            row["managed_by"] = REGISTRY
        found[_key(table, row)] = row
    return found


def _value(kind: object, value: Any) -> Any:
    if isinstance(kind, UtcDateTime) and value is not None:
        return instant(value)
    return frozen(value)


def _key(table: Table, row: Mapping[Any, Any]) -> Key:
    return tuple(row[column.name] for column in table.primary_key)


def _is(table: Table, key: Key) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(table.primary_key, key, strict=True)))


def _write(connection: Connection, table: Table, wanted: dict[Key, Row]) -> bool:
    there = {_key(table, row): dict(row) for row in connection.execute(select(table)).mappings()}
    new = [row for key, row in wanted.items() if key not in there]
    other = {
        key: row
        for key, row in wanted.items()
        if key in there and any(there[key][name] != value for name, value in row.items())
    }
    for key, row in other.items():
        connection.execute(update(table).where(_is(table, key)).values(**row))
    for row in new:
        connection.execute(insert(table).values(**row))
    return bool(new or other)


def _remove(connection: Connection, table: Table, wanted: dict[Key, Row], provisional: set[bytes]) -> bool:
    gone = []
    for row in connection.execute(select(table)).mappings():
        key = _key(table, row)
        owner = row.get("agent_id") if table is not agents else row["id"]
        if key not in wanted and owner not in provisional and not _is_kept(connection, table, key):
            gone.append(key)
    for key in gone:
        connection.execute(delete(table).where(_is(table, key)))
    return bool(gone)


def _is_kept(connection: Connection, table: Table, key: Key) -> bool:
    """Whether something provisional still stands on this row."""
    if table is sites:
        return connection.execute(select(agents.c.id).where(agents.c.site == key[0])).first() is not None
    if table is agencies:
        stands = (
            select(sites.c.id).where(sites.c.agency == key[0]).union(select(hosts.c.id).where(hosts.c.agency == key[0]))
        )
        return connection.execute(stands).first() is not None
    if table is hubs:
        return connection.execute(select(sites.c.id).where(sites.c.hub == key[0])).first() is not None
    return False
