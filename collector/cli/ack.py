"""``bongsu ack N``: acknowledge an incident by name, or for somebody (대리 인지)."""

from __future__ import annotations

import argparse

from collector.cli.incident_desk import at_desk
from collector.cli.options import Verbs, opened_centre, verb
from collector.errors import Refused, UsageError
from collector.incidents import asked


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(verbs, "ack", "acknowledge an incident, so that calling ends", "bongsu ack 12 --for kim")
    parser.add_argument("number", type=int, metavar="N", help="the incident's number")
    parser.add_argument("--for", dest="for_", default="", metavar="PERSON", help="for whom you say it (대리 인지)")
    parser.add_argument("--by", default="", metavar="PERSON", help="who you are (default: whose login this account is)")


def run(args: argparse.Namespace) -> int:
    with opened_centre(args) as (settings, store):
        desk = at_desk(settings, store, args.by)
        try:
            found = asked.acknowledge(desk, desk.caller, args.number, args.for_, way="cli")
        except Refused as why:
            raise UsageError(why.detail) from why
    for_ = f" for {found.acknowledged_for}" if found.acknowledged_for else ""
    print(f"#{found.number} {found.title_en}: acknowledged by {found.acknowledged_by}{for_}")
    return 0
