"""``bongsu hosts``: list hosts."""

from __future__ import annotations

import argparse
import dataclasses

from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.fleet.queries import list_hosts
from collector.store.scope import EVERYTHING

ALL = 1_000_000


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(verbs, "hosts", "list hosts", "bongsu hosts --site abuja", json=True)
    parser.add_argument("--site", default="", metavar="S", help="only hosts of this site")


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        rows = [dataclasses.asdict(row) for row in list_hosts(connection, EVERYTHING, limit=ALL, site=args.site)]
    print_rows(rows, args.json, empty="No hosts. One appears when an agent joins: bongsu token create --site SITE")
    return 0
