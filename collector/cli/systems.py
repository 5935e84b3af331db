"""``bongsu systems``: list information systems."""

from __future__ import annotations

import argparse
import dataclasses

from collector.agencies.queries import list_systems
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.store.scope import EVERYTHING

ALL = 1_000_000


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    verb(verbs, "systems", "list information systems", "bongsu systems --json", json=True)


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        rows = [dataclasses.asdict(row) for row in list_systems(connection, EVERYTHING, limit=ALL)]
    print_rows(
        rows,
        args.json,
        empty="No information systems. Describe them in a file and take it over with: bongsu apply FILE",
    )
    return 0
