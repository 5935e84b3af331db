"""``bongsu migrate``: bring the database to this program's schema version."""

from __future__ import annotations

import argparse

from collector.cli.options import Verbs, open_store, settings_of, verb
from collector.store.migrate import upgrade


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    verb(
        verbs,
        "migrate",
        "bring the database to this program's schema version, in one transaction; stop the collector first",
        "bongsu migrate --data /var/lib/bongsu",
    )


def run(args: argparse.Namespace) -> int:
    store = open_store(settings_of(args))
    try:
        before, after = upgrade(store)
    finally:
        store.close()
    print(
        f"Database is at schema version {after}"
        + (", as before." if before == after else f" (was {before or 'empty'}).")
    )
    return 0
