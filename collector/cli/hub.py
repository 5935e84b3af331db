"""``bongsu hub``: the hubs of this centre, their certificates; and on a hub itself, a new beginning."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from agent.link.clock import SystemChance, SystemClock
from collector.access.audit import on_command_line, record
from collector.cli.options import Verbs, opened_centre, settings_of, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError
from collector.fleet.agent_status import ACTIVE, REVOKED, SUSPENDED
from collector.fleet.authority import make_server_certificate
from collector.fleet.hubs import list_members, set_hub_status
from collector.fleet.keys import is_hub, renew_epoch
from collector.store.schema import instant

STATUS = {"suspend": SUSPENDED, "resume": ACTIVE, "revoke": REVOKED}
SAID = {
    "suspend": "it is given no registry until: bongsu hub resume",
    "resume": "it is given the registry again",
    "revoke": "for good; what it has still to deliver its agents bring themselves",
}


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "hub", help="list, suspend and revoke hubs, and make their certificates", epilog="example: bongsu hub list"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verb(actions, "list", "list the hubs that joined", "bongsu hub list --json", json=True)
    for name, summary in (
        ("suspend", "give a hub no registry for now"),
        ("resume", "give a suspended hub the registry again"),
        ("revoke", "shut a hub's identity out for good"),
    ):
        one = verb(actions, name, summary, f"bongsu hub {name} mea")
        one.add_argument("hub", metavar="HUB", help="its id in the topology, or the beginning of an identity's id")
    certificate = verb(
        actions,
        "certificate",
        "make a server certificate for a hub from this centre's authority, to carry over",
        "bongsu hub certificate mea --names hub-mea.example.org,203.0.113.9 --out ./mea-tls",
    )
    certificate.add_argument("hub", metavar="HUB", help="its id in the topology")
    certificate.add_argument("--names", required=True, metavar="NAMES", help="names and addresses it is reached by")
    certificate.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="where server.pem and server.key go"
    )
    verb(
        actions,
        "renew",
        "on a stopped hub whose database was put back from a copy: let its agents send again what the centre lacks",
        "bongsu hub renew --data /var/lib/bongsu",
    )


def run(args: argparse.Namespace) -> int:
    if args.action == "renew":
        return _renew(args)
    if args.action == "certificate":
        return _certificate(args)
    now = instant(SystemClock().wall_ms())
    with opened_centre(args) as (_, store):
        if args.action == "list":
            with store.reading() as connection:
                rows = [dataclasses.asdict(member) for member in list_members(connection)]
            print_rows(rows, args.json, empty="No hub joined. Invite one with: bongsu token create --hub H")
            return 0
        with store.transaction() as connection:
            changed = set_hub_status(connection, args.hub, STATUS[args.action], now)
            if changed:
                record(connection, now, on_command_line(), f"hub.{args.action}", args.hub)
    for hub_id in changed:
        print(f"Hub identity {hub_id.hex()} is {STATUS[args.action]}: {SAID[args.action]}.")
    if not changed:
        print(f"It is {STATUS[args.action]} already.")
    return 0


def _certificate(args: argparse.Namespace) -> int:
    names = [name.strip() for name in args.names.split(",") if name.strip()]
    if not names:
        raise UsageError("--names: expected host names or addresses, by commas")
    with opened_centre(args) as (settings, _):
        made = make_server_certificate(settings.data_dir, names, instant(SystemClock().wall_ms()), args.out)
    print(f"Certificate {made[0]} and key {made[1]} for hub {args.hub!r}.")
    print("Carry both into tls/ of the hub's data directory before bongsu init --hub, and delete them here.")
    return 0


def _renew(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    if not is_hub(settings.data_dir):
        raise UsageError(f"{settings.data_dir} is not a hub's: only a hub takes a new epoch")
    receiver = renew_epoch(settings.data_dir, SystemChance())
    print(f"Hub {receiver.id} begins epoch {receiver.epoch}: its agents send again what the centre lacks.")
    return 0
