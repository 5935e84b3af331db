"""``bongsu agent``: who reports, and who no longer may. Holds at once, also while the collector runs."""

from __future__ import annotations

import argparse
import dataclasses

from agent.link.clock import SystemClock
from collector.access.audit import on_command_line, record
from collector.cli.options import Verbs, opened, opened_centre, verb
from collector.cli.printing import print_rows
from collector.fleet.agent_status import ACTIVE, REVOKED, SUSPENDED, find_agent, set_status
from collector.fleet.queries import list_agents
from collector.store.schema import instant
from collector.store.scope import EVERYTHING

STATUS = {"suspend": SUSPENDED, "resume": ACTIVE, "revoke": REVOKED}
SAID = {
    "suspend": "its reports are not taken until: bongsu agent resume; it keeps them meanwhile",
    "resume": "its reports are taken again, with those it kept",
    "revoke": "for good; its host is free for a new agent",
}


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "agent", help="list, suspend, resume and revoke agents", epilog="example: bongsu agent revoke srv1.abuja"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verb(actions, "list", "list agents", "bongsu agent list --json", json=True)
    for name, summary in (
        ("suspend", "take no reports of an agent for now"),
        ("resume", "take the reports of a suspended agent again"),
        ("revoke", "shut an agent out for good and free its host"),
    ):
        one = verb(actions, name, summary, f"bongsu agent {name} srv1.abuja")
        one.add_argument("agent", metavar="AGENT", help="its id, the beginning of it, or the id of its host")


def run(args: argparse.Namespace) -> int:
    with (opened if args.action == "list" else opened_centre)(args) as (_, store):
        if args.action == "list":
            with store.reading() as connection:
                rows = [dataclasses.asdict(row) for row in list_agents(connection, EVERYTHING, limit=1_000_000)]
            print_rows(rows, args.json, empty="No agents. Invite one with: bongsu token create --site SITE")
            return 0
        with store.transaction() as connection:
            agent_id = find_agent(connection, args.agent)
            now = instant(SystemClock().wall_ms())
            changed = set_status(connection, agent_id, STATUS[args.action], now)
            if changed:
                record(
                    connection, now, on_command_line(), f"agent.{args.action}", agent_id.hex(), {"asked": args.agent}
                )
    status = STATUS[args.action]
    print(f"Agent {agent_id.hex()} is {status}: {SAID[args.action]}." if changed else f"It is {status} already.")
    return 0
