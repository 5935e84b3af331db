"""``bongsu sites``: list sites and how they stand.

States are those the running collector last wrote, so that this also answers while it does not run.
"""

from __future__ import annotations

import argparse
import dataclasses

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.cli.standing import add_state, in_states, reports_of, say_age, standing
from collector.fleet.queries import list_sites
from collector.store.scope import EVERYTHING
from collector.verdicts.queries import recorded

ALL = 1_000_000
ONLY_JSON = ("latitude", "longitude", "timezone", "interval_seconds")


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs, "sites", "list sites and how they stand", "bongsu sites --state down --state no_data", json=True
    )
    add_state(parser)


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        books, reports = recorded(connection), reports_of(connection)
        rows = [
            {"id": row.id, **standing(books, "site", row.id, reports.by_site.get(row.id)), **dataclasses.asdict(row)}
            for row in list_sites(connection, EVERYTHING, limit=ALL)
        ]
    shown = in_states(rows, args.state)
    if not args.json:
        shown = [{key: value for key, value in row.items() if key not in ONLY_JSON} for row in shown]
    print_rows(
        shown,
        args.json,
        empty="None." if rows else "No sites. Describe them in a file and take it over with: bongsu apply FILE",
    )
    say_age(reports, SystemClock().wall_ms())
    return 0
