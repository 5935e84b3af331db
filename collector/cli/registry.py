"""``bongsu registry``: on a hub at a custodian site, what it keeps of the whole registry, to be read when the centre is gone.

Which systems, sites and hosts there are, not how they are: that is known for the hub's own region alone. Every read checks
the centre's signatures anew.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError
from collector.fleet.keys import HubIdentity, is_hub, load_keys
from collector.fleet.registry_export import RegistryError
from collector.fleet.topology_text import topology_text
from collector.relay.copy_keeping import Kept, read_kept
from collector.relay.copy_view import LISTS, counts, listed, topology_of
from collector.store.schema import instant


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "registry",
        help="on a hub at a custodian site: read its copy of the whole registry",
        epilog="example: bongsu registry list systems",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verb(
        actions,
        "show",
        "say whose copy it is, how old, signed by which key, and how much there is of each",
        "bongsu registry show --json",
        json=True,
    )
    lists = verb(actions, "list", "list what the copy knows", "bongsu registry list systems --json", json=True)
    lists.add_argument("noun", choices=LISTS, metavar="NOUN", help=f"one of {', '.join(LISTS)}")
    topology = verb(
        actions,
        "topology",
        "write the topology file that makes its places and systems again (bongsu apply)",
        "bongsu registry topology --out topology.toml",
    )
    topology.add_argument("--out", type=Path, metavar="FILE", help="a new file; left out = standard output")


def run(args: argparse.Namespace) -> int:
    kept, identity, key = _kept(args)
    if args.action == "list":
        print_rows(listed(kept.tables, args.noun), args.json, empty=f"None: the copy knows no {args.noun}.")
        return 0
    facts = {
        "hub": identity.hub,
        "hub_id": identity.id,
        "centre_key": key.hex(),
        "version": kept.confirmed_version,
        "signed_at": instant(kept.copy.at_ms),
        "confirmed_at": instant(kept.confirmed_ms),
    }
    if args.action == "topology":
        return _write(args.out, f"{_head(facts)}\n{topology_text(topology_of(kept.tables))}")
    return _show(facts, kept, args.json, instant(SystemClock().wall_ms()))


def _kept(args: argparse.Namespace) -> tuple[Kept, HubIdentity, bytes]:
    """The copy, whose it is and the centre's key. Raises UsageError, RegistryError in words."""
    with opened(args) as (settings, store):
        if not is_hub(settings.data_dir):
            raise UsageError(
                f"{settings.data_dir} is a centre's, which has the registry itself (bongsu sites, hosts, systems); "
                "which hubs keep a copy: bongsu hub list"
            )
        keys = load_keys(settings.data_dir)
        assert keys.hub is not None
        try:
            with store.reading() as connection:
                kept = read_kept(connection, keys.centre_public, bytes.fromhex(keys.hub.id))
        except RegistryError as why:
            raise UsageError(f"the copy kept here is not to be believed: {why}; ask another custodian") from why
    if kept is None:
        raise UsageError(
            f"hub {keys.hub.hub!r} keeps no copy of the registry: expected a site of it with custodian = true in the "
            "centre's topology file, and the centre to have been reached since"
        )
    return kept, keys.hub, keys.centre_public


def _show(facts: dict[str, Any], kept: Kept, as_json: bool, now: datetime) -> int:
    found = counts(kept.tables)
    age = now - facts["confirmed_at"]
    if as_json:
        times = {key: f"{value:%Y-%m-%dT%H:%M:%SZ}" for key, value in facts.items() if isinstance(value, datetime)}
        said = facts | times | {"age_seconds": max(0, round(age.total_seconds())), "counts": found}
        print(json.dumps(said, ensure_ascii=False, indent=2))
        return 0
    print(f"Copy of the whole registry, kept by hub {facts['hub']!r} (identity {facts['hub_id']}).")
    print(f"Signed by the centre's key {facts['centre_key']}: every signature holds.")
    print(f"Version {facts['version']}, signed {facts['signed_at']:%Y-%m-%d %H:%M:%S} UTC.")
    print(
        f"The centre last said {facts['confirmed_at']:%Y-%m-%d %H:%M:%S} UTC, {_ago(age)}, that this is all there is."
    )
    print()
    print_rows([{"what": name.replace("_", " "), "count": count} for name, count in found.items()], False, empty="")
    return 0


def _ago(age: timedelta) -> str:
    minutes = max(0, round(age.total_seconds() / 60))
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h ago"
    return f"{hours} h {minutes % 60} min ago" if hours else f"{minutes} min ago"


def _head(facts: dict[str, Any]) -> str:
    return (
        f"# The registry's places and systems, from the copy kept by hub {facts['hub']}, version {facts['version']}, which\n"
        f"# the centre (key {facts['centre_key']})\n"
        f"# confirmed last {facts['confirmed_at']:%Y-%m-%d %H:%M:%S} UTC. Take it over with: bongsu apply FILE\n"
    )


def _write(out: Path | None, text: str) -> int:
    if out is None:
        print(text, end="")
        return 0
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as why:
        raise UsageError(
            f"{out}: cannot be written ({why.strerror}): expected a new file in a folder that is there"
        ) from why
    print(f"Wrote {out}. Take it over at a new centre with: bongsu apply {out}")
    return 0
