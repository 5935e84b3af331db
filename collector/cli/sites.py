"""``bongsu sites``: list sites."""

from __future__ import annotations

import argparse
import dataclasses

from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.fleet.queries import list_sites
from collector.store.scope import EVERYTHING

ALL = 1_000_000


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    verb(verbs, "sites", "list sites", "bongsu sites --json", json=True)


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        rows = [dataclasses.asdict(row) for row in list_sites(connection, EVERYTHING, limit=ALL)]
    print_rows(rows, args.json, empty="No sites. Describe them in a file and take it over with: bongsu apply FILE")
    return 0
