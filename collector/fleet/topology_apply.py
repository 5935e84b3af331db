"""Takes a topology over into the rows: whole, in the caller's transaction, or not at all.

The file owns every agency, hub, site and system, and the hosts it names. A host that came by enrolment stays until its
agent is revoked; it belongs to its site's agency until the file names it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from collector.agencies.tables import agencies, interfaces, system_hosts, systems
from collector.errors import TopologyError
from collector.fleet.registry import bump_version
from collector.fleet.tables import (
    agent_keys,
    agents,
    hosts,
    hub_keys,
    hub_tokens,
    hubs,
    join_tokens,
    links,
    policies,
    probes,
    sites,
)
from collector.fleet.topology import NOUNS, Row, Topology
from collector.fleet.topology_change import Change, difference
from collector.fleet.topology_keys import KEYS

TABLES: dict[str, Table] = {"agencies": agencies, "hubs": hubs, "sites": sites, "hosts": hosts, "links": links,
                             "systems": systems, "interfaces": interfaces, "probes": probes,
                             "policies": policies}  # fmt: skip
ROW_KEYS = {"sites": {"is_collector", "is_custodian"}, "links": {"id"}, "probes": {"id", "host", "of_host", "is_anchor"},
            "policies": {"position"}}  # fmt: skip
"""Keys of a row that the file has no key of that name for."""
HOST_KEYS = ("id", "name", "site", "agency", "is_shared", "role", "via", "tags", "behind")
FILE, ENROLMENT, IMPORT = "file", "enrolment", "import"


def apply_topology(connection: Connection, wanted: Topology) -> list[Change]:
    """Make the rows what the topology says; the changes made, none where it says what is.

    Raises TopologyError where something that goes is still in use, or a system stands on a host that is not there.
    """
    now = current_topology(connection)
    enrolled = _enrolled_hosts(connection)
    adopted = {name: row for name, row in enrolled.items() if name in wanted.hosts}
    now = replace(now, hosts=now.hosts | adopted)
    changes = difference(now, wanted)
    _check_free(connection, changes, wanted, enrolled)
    if not changes and not adopted:
        return []
    for change in changes:
        if change.sign != "-":
            _write(connection, change, wanted.of(change.noun)[change.id])
    for name in adopted:
        connection.execute(update(hosts).where(hosts.c.id == name).values(managed_by=FILE))
    _follow_site(connection)
    for change in changes:
        if change.sign == "-":
            _remove(connection, change)
    bind_by_agent(connection)
    bump_version(connection)
    return changes


def current_topology(connection: Connection) -> Topology:
    """The rows the file owns, in the shape of a file's."""
    on_hosts: dict[str, list[str]] = {}
    for link in connection.execute(select(system_hosts)):
        on_hosts.setdefault(link.system, []).append(link.host)
    found: dict[str, dict[str, Row]] = {noun: {} for noun in NOUNS}
    for noun, table in TABLES.items():
        if noun != "hosts":
            for row in connection.execute(select(table)).mappings():
                found[noun][row["id"]] = file_row(noun, dict(row))
    for name, system in found["systems"].items():
        system["hosts"] = tuple(sorted(on_hosts.get(name, ())))
    found["hosts"] = _hosts(connection, FILE)
    return Topology(**found)


def _hosts(connection: Connection, *managed_by: str) -> dict[str, Row]:
    columns = [hosts.c[key] for key in HOST_KEYS]
    rows = connection.execute(select(*columns).where(hosts.c.managed_by.in_(managed_by))).mappings()
    return {row["id"]: dict(row) for row in rows}


def _enrolled_hosts(connection: Connection) -> dict[str, Row]:
    """Those of lists too: the file may adopt either."""
    return _hosts(connection, ENROLMENT, IMPORT)


def file_row(noun: str, row: Row) -> Row:
    """What the file says of a row; columns it has no key for are others'."""
    row = {key: value for key, value in row.items() if key in KEYS[noun] or key in ROW_KEYS.get(noun, ())}
    if noun == "sites":
        row["hub"] = row["hub"] or ""
    return row


def _check_free(connection: Connection, changes: list[Change], wanted: Topology, enrolled: dict[str, Row]) -> None:
    """Raises TopologyError, with a line for each thing that cannot go yet or is not there."""
    problems = []
    going = {(change.noun, change.id) for change in changes if change.sign == "-"}
    living = [
        row for row in connection.execute(select(agents).order_by(agents.c.enrolled_at)) if row.status != "revoked"
    ]
    for agent in living:
        remedy = f"revoke it first (bongsu agent revoke {agent.id.hex()}) or keep it in the file"
        if ("sites", agent.site) in going:
            problems.append(
                f"site {agent.site!r} is in use: agent {agent.id.hex()} of host {agent.host} is there; {remedy}"
            )
        elif ("hosts", agent.host) in going:
            problems.append(f"host {agent.host!r} is in use: agent {agent.id.hex()} reports for it; {remedy}")
        if wanted.hosts.get(agent.host, {}).get("via"):
            problems.append(
                f"host {agent.host!r} has an agent of its own, {agent.id.hex()}: revoke that one "
                f"(bongsu agent revoke {agent.id.hex()}), or leave the key agent out"
            )
    remaining = set(wanted.hosts) | {name for name, row in enrolled.items() if row["site"] in wanted.sites}
    for system, row in wanted.systems.items():
        problems += [
            f"system {system!r}: host {host!r} is neither in the file under [[hosts]] nor enrolled"
            for host in row["hosts"]
            if host not in remaining
        ]
    if problems:
        raise TopologyError(problems)


def _write(connection: Connection, change: Change, wanted: Row) -> None:
    table = TABLES[change.noun]
    row: dict[str, Any] = {key: value for key, value in wanted.items() if key in table.c}
    if change.noun == "sites":
        row["hub"] = row["hub"] or None
    if change.sign == "+":
        extra = {"managed_by": FILE} if change.noun == "hosts" else {}
        connection.execute(insert(table).values(**row, **extra))
    else:
        if change.noun == "hosts" and any(key == "via" for key, _, _ in change.fields):
            row["agent_id"] = None if _is_target(connection, change.id) else hosts.c.agent_id
        connection.execute(update(table).where(table.c.id == change.id).values(**row))
    if change.noun == "systems":
        connection.execute(delete(system_hosts).where(system_hosts.c.system == change.id))
        links = [{"system": change.id, "host": host} for host in wanted["hosts"]]
        if links:
            connection.execute(insert(system_hosts), links)


def _is_target(connection: Connection, host: str) -> bool:
    """Whether no living agent runs on this host itself."""
    found = select(agents.c.id).where(agents.c.host == host, agents.c.status != "revoked")
    return connection.execute(found).first() is None


def _remove(connection: Connection, change: Change) -> None:
    if change.noun == "sites":
        # Only revoked agents can be left here: their keys, unused join tokens and enrolled hosts go with the site.
        gone = select(agents.c.id).where(agents.c.site == change.id)
        connection.execute(delete(agent_keys).where(agent_keys.c.agent_id.in_(gone)))
        for table in (join_tokens, agents, hosts):
            connection.execute(delete(table).where(table.c.site == change.id))
    if change.noun == "hubs":
        for table in (hub_tokens, hub_keys):
            connection.execute(delete(table).where(table.c.hub == change.id))
    table = TABLES[change.noun]
    connection.execute(delete(table).where(table.c.id == change.id))


def _follow_site(connection: Connection) -> None:
    of_site = select(sites.c.agency).where(sites.c.id == hosts.c.site).scalar_subquery()
    connection.execute(update(hosts).where(hosts.c.managed_by == ENROLMENT).values(agency=of_site))


def bind_by_agent(connection: Connection) -> None:
    """Give every host with an ``agent`` to that agent, where it has joined."""
    joined = select(agents.c.id, agents.c.host).where(agents.c.status != "revoked")
    bindings = [{"agent": row.id, "runs_on": row.host} for row in connection.execute(joined)]
    if bindings:
        statement = update(hosts).where(hosts.c.via == bindparam("runs_on")).values(agent_id=bindparam("agent"))
        connection.execute(statement, bindings)
