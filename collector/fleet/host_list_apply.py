"""Takes a list of hosts over into the rows: whole, in the caller's transaction.

The list owns the hosts it names: one it named last time and names no more goes, unless an agent still reports for it. A host
that came by enrolment and is in the list belongs to the list from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from collector.errors import TopologyError
from collector.fleet.agent_status import REVOKED
from collector.fleet.registry import bump_version
from collector.fleet.tables import agents, hosts
from collector.fleet.topology_apply import FILE, IMPORT, bind_by_agent

Row = dict[str, Any]
AT_ONCE = 1_000
SET = ("agency", "is_shared", "role", "via", "tags")


class Taken(NamedTuple):
    made: int
    changed: int
    gone: int
    adopted: int


def owned_by_file(connection: Connection) -> set[str]:
    return set(connection.execute(select(hosts.c.id).where(hosts.c.managed_by == FILE)).scalars())


def take_over(connection: Connection, wanted: Mapping[str, Row]) -> Taken:
    """Make the listed hosts what the list says. Raises TopologyError where one that goes still has an agent."""
    known = {row["id"]: dict(row) for row in connection.execute(select(hosts)).mappings()}
    listed = {host for host, row in known.items() if row["managed_by"] == IMPORT}
    gone = sorted(listed - wanted.keys())
    living = select(agents.c.host, agents.c.id).where(agents.c.status != REVOKED)
    speaking = {row.host: row.id.hex() for row in connection.execute(living)}
    busy = [host for host in gone if host in speaking]
    if busy:
        raise TopologyError(
            [
                f"host {host!r} is no longer in the list, but agent {speaking[host]} reports for it; revoke it first "
                f"(bongsu agent revoke {speaking[host]}) or keep it in the list"
                for host in busy[:50]
            ]
        )
    made = [row | {"managed_by": IMPORT} for host, row in wanted.items() if host not in known]
    adopted = [host for host in wanted if host in known and known[host]["managed_by"] != IMPORT]
    changed = [
        row for host, row in wanted.items() if host in known and any(known[host][key] != row[key] for key in SET)
    ]
    for start in range(0, len(made), AT_ONCE):
        connection.execute(insert(hosts), made[start : start + AT_ONCE])
    if changed:
        values: Mapping[str, Any] = {key: bindparam(f"new_{key}", type_=hosts.c[key].type) for key in SET}
        rows = [{"host": row["id"], **{f"new_{key}": row[key] for key in SET}} for row in changed]
        connection.execute(update(hosts).where(hosts.c.id == bindparam("host")).values(**values), rows)
    if adopted:
        taking = update(hosts).where(hosts.c.id == bindparam("host")).values(managed_by=IMPORT)
        connection.execute(taking, [{"host": host} for host in adopted])
    for start in range(0, len(gone), AT_ONCE):
        connection.execute(delete(hosts).where(hosts.c.id.in_(gone[start : start + AT_ONCE])))
    if made or changed or gone or adopted:
        bind_by_agent(connection)
        bump_version(connection)
    return Taken(len(made), len(changed), len(gone), len(adopted))
