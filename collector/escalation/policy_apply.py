"""Takes a file of escalation over into its row: whole, in the caller's transaction, or not at all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from collector.agencies.tables import agencies
from collector.errors import TopologyError, nearest
from collector.escalation.policy import SHIPPED, Plan
from collector.escalation.policy_file import plan_of, rows_of
from collector.escalation.tables import escalation_policy
from collector.fleet.tables import sites
from collector.fleet.topology_change import Change
from collector.people.tables import people, teams
from collector.rosters.tables import rosters

NAMED: dict[str, Table] = {"roster": rosters, "team": teams, "summons": teams, "person": people}


def current_plan(connection: Connection) -> Plan:
    """What was applied, else the shipped one."""
    definition = connection.execute(select(escalation_policy.c.definition)).scalar()
    return plan_of(definition) if definition is not None else SHIPPED


def apply_escalation(connection: Connection, wanted: Plan) -> list[Change]:
    """Make the row what the file says; the changes made. Raises TopologyError where it names what is not there."""
    _check_named(connection, wanted)
    before, after = _flat(rows_of(current_plan(connection))), _flat(rows_of(wanted))
    changes = []
    for name in dict.fromkeys((*before, *after)):
        then, now = before.get(name, {}), after.get(name, {})
        fields = tuple((k, then.get(k), now.get(k)) for k in dict.fromkeys((*then, *now)) if then.get(k) != now.get(k))
        if fields:
            sign = "~" if name in before and name in after else "+" if name in after else "-"
            changes.append(Change(sign, *name, () if sign == "-" else fields))
    if changes:
        connection.execute(delete(escalation_policy))
        connection.execute(insert(escalation_policy).values(id=1, definition=rows_of(wanted)))
    return changes


def _flat(rows: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """(noun, id) -> fields."""
    found: dict[tuple[str, str], dict[str, Any]] = {
        ("settings", noun): dict(rows[noun]) for noun in ("course", "digest", "fix_seconds")
    }
    for row in rows["policies"]:
        steps = {
            f"step {n}": f"{step['after_seconds']} s: {', '.join(step['notify'])} by {step['channel']}, {step['mode']}"
            for n, step in enumerate(row["steps"], 1)
        }
        found["policies", row["id"]] = {k: v for k, v in row.items() if k not in ("id", "steps")} | steps
    for number, row in enumerate(rows["routes"], 1):
        found["routes", str(number)] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return found


def _check_named(connection: Connection, wanted: Plan) -> None:
    def known(table: Table) -> list[str]:
        return list(connection.execute(select(table.c.id)).scalars())

    problems = []
    for policy in wanted.policies:
        for number, step in enumerate(policy.steps, 1):
            for word in step.notify:
                kind, _, name = word.partition(":")
                if name and name not in (ids := known(NAMED[kind])):
                    text = f"notify: no such {'team' if kind == 'summons' else kind} {name!r}; {nearest(name, ids)}"
                    problems.append(f"policies {policy.id!r}: steps no. {number}: {text}")
    for number, route in enumerate(wanted.routes, 1):
        for noun, table, names in (("site", sites, route.sites), ("agency", agencies, route.agencies)):
            ids = known(table) if names else []
            problems += [
                f"routes no. {number}: no such {noun} {name!r}; {nearest(name, ids)}"
                for name in names
                if name not in ids
            ]
    if problems:
        raise TopologyError(problems)
