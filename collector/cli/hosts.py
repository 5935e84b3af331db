"""``bongsu hosts``: list hosts and how they stand.

States are those the running collector last wrote, so that this also answers while it does not run.
"""

from __future__ import annotations

import argparse
import dataclasses

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.cli.standing import add_state, in_states, reports_of, say_age, standing
from collector.fleet.queries import list_hosts
from collector.fleet.topology_apply import ENROLMENT
from collector.store.scope import EVERYTHING
from collector.verdicts.queries import never_reported, recorded

ALL = 1_000_000


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(verbs, "hosts", "list hosts and how they stand", "bongsu hosts --site abuja", json=True)
    parser.add_argument("--site", default="", metavar="S", help="only hosts of this site")
    add_state(parser)
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--unmonitored", action="store_true", help="only hosts that are registered and were never reported"
    )
    only.add_argument("--unregistered", action="store_true", help="only hosts that report and no file or list names")


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        found = list_hosts(connection, EVERYTHING, limit=ALL, site=args.site)
        if args.unmonitored or args.unregistered:
            silent = never_reported(connection)
            found = [
                row
                for row in found
                if (row.agent is None or row.id in silent) == args.unmonitored
                and (args.unmonitored or row.managed_by == ENROLMENT)
            ]
        books, reports = recorded(connection), reports_of(connection)
        rows = in_states(
            (
                {
                    "id": row.id,
                    **standing(books, "host", row.id, reports.by_agent.get(row.agent or "")),
                    **dataclasses.asdict(row),
                }
                for row in found
            ),
            args.state,
        )
    print_rows(
        rows,
        args.json,
        empty="None."
        if args.unmonitored or args.unregistered or args.state
        else "No hosts. One appears when an agent joins: bongsu token create --site SITE",
    )
    say_age(reports, SystemClock().wall_ms())
    return 0
