"""``bongsu incidents``: what goes on and what happened; and what is done about one, by options."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from typing import Any

from collector.cli.incident_desk import Desk, at_desk
from collector.cli.options import Verbs, opened_centre, verb
from collector.cli.printing import print_rows, table
from collector.errors import Refused, UsageError
from collector.escalation.queries import pending
from collector.incidents import asked, queries
from collector.incidents.incident import OPEN, STATES, Incident
from collector.incidents.related import related_to
from collector.incidents.report import STAGES, as_text
from collector.incidents.similar import similar_to
from collector.store.scope import EVERYTHING

SHOWN = ("number", "state", "severity", "priority", "site", "title_en", "occurred_at", "acknowledged_by", "assignee")


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "incidents",
        "list incidents, show one, or say what is done about it",
        'bongsu incidents 12 --action "switched to the satellite line"',
        json=True,
    )
    parser.add_argument("number", nargs="?", type=int, metavar="N", help="one incident; without it all that are open")
    parser.add_argument("--state", choices=(*STATES, "all"), help="list these instead of those that are open")
    parser.add_argument("--site", default="", metavar="SITE", help="list those of a site")
    parser.add_argument("--limit", type=int, default=100, metavar="COUNT", help="at most so many (default: 100)")
    group = parser.add_argument_group("what is done about incident N").add_mutually_exclusive_group()
    group.add_argument("--assign", metavar="PERSON", help="give it to somebody")
    group.add_argument("--snooze", type=int, metavar="MINUTES", help="call nobody for a while")
    group.add_argument("--comment", metavar="TEXT", help="write a note")
    group.add_argument("--action", metavar="TEXT", help="write what was done about it")
    group.add_argument("--cause", metavar="TEXT", help="write why it happened, for the final report")
    group.add_argument("--prevention", metavar="TEXT", help="write what keeps it from happening again")
    group.add_argument("--merge-into", type=int, metavar="N", help="it is the same as another open one: go into that")
    group.add_argument("--split", action="store_true", help="undo that it was merged: it stands by itself again")
    group.add_argument("--summon", metavar="TEAM", help="call in a team, whatever the hour")
    group.add_argument("--resolve", action="store_true", help="say that it is over")
    group.add_argument("--close", action="store_true", help="nothing is left to be done about what is resolved")
    group.add_argument("--report", choices=STAGES, help="print a report to paste")
    parser.add_argument("--language", choices=("ko", "en"), default="ko", help="of the report (default: ko)")
    parser.add_argument("--by", default="", metavar="PERSON", help="who does it (default: this account)")


def run(args: argparse.Namespace) -> int:
    with opened_centre(args) as (settings, store):
        desk = at_desk(settings, store, args.by)
        if args.number is None:
            if any(getattr(args, name) is not None for name in ("assign", "snooze", "comment", "action", "report")):
                raise UsageError("this needs the number of an incident: bongsu incidents N …")
            return _list(args, desk)
        try:
            if args.report:
                print(as_text(asked.report_for(desk, desk.caller, args.number, args.report, args.language)), end="")
                return 0
            found = _act(args, desk) or asked.find_for(desk, desk.caller, args.number)
        except Refused as why:
            raise UsageError(why.detail) from why
        _show(args, desk, found)
    return 0


def _list(args: argparse.Namespace, desk: Desk) -> int:
    states = OPEN if args.state is None else STATES if args.state == "all" else (args.state,)
    with desk.store.reading() as connection:
        rows = queries.list_incidents(connection, EVERYTHING, states=states, site=args.site, limit=args.limit)
    print_rows([_row(row) for row in rows], args.json, empty="No incidents.")
    return 0


def _row(found: Incident) -> dict[str, Any]:
    return {name: getattr(found, name) for name in SHOWN}


def _act(args: argparse.Namespace, desk: Desk) -> Incident | None:
    number, caller = args.number, desk.caller
    if args.assign is not None:
        return asked.assign(desk, caller, number, args.assign)
    if args.snooze is not None:
        return asked.snooze(desk, caller, number, desk.now + timedelta(minutes=args.snooze))
    if args.comment is not None or args.action is not None:
        return asked.comment(desk, caller, number, args.action or args.comment, is_action=args.action is not None)
    if args.cause is not None or args.prevention is not None:
        was = asked.find_for(desk, caller, number)
        cause = was.cause_text if args.cause is None else args.cause
        return asked.explain(
            desk, caller, number, cause, was.prevention_text if args.prevention is None else args.prevention
        )
    if args.merge_into is not None:
        return asked.merge(desk, caller, number, args.merge_into)
    if args.split:
        return asked.split(desk, caller, number)
    if args.summon is not None:
        return asked.summon(desk, caller, number, args.summon)
    if args.resolve:
        return asked.resolve(desk, caller, number)
    return asked.close(desk, caller, number) if args.close else None


def _show(args: argparse.Namespace, desk: Desk, found: Incident) -> None:
    with desk.store.reading() as connection:
        events = queries.events_of(connection, found.number)
        waiting = pending(connection, found.number)
        similar = similar_to(connection, EVERYTHING, found)
        related = related_to(connection, EVERYTHING, found)
    if args.json:
        body = {
            **_row(found),
            "key": found.key,
            "reason": found.reason,
            "impact": found.impact,
            "fix_due_at": found.fix_due_at,
            "merged_into": found.merged_into,
            "events": [{"at": e.at, "kind": e.kind, "by": e.by, "data": dict(e.data)} for e in events],
            "waiting": [{"kind": t.kind, "step": t.step, "due_at": t.due_at} for t in waiting],
            "similar": [each.incident.number for each in similar],
            "related": [each.number for each in related],
        }
        print(json.dumps(body, ensure_ascii=False, indent=2, default=str))
        return
    print(f"#{found.number} {found.title_en} ({found.title_ko})")
    print(
        f"{found.state}, {found.severity}, P{found.priority}, {found.reason}"
        + (f", part of #{found.merged_into}" if found.merged_into else "")
    )
    lines = [("when", "what", "who", "")]
    for event in events:
        said = ", ".join(f"{key}={value}" for key, value in event.data.items())
        lines.append((f"{event.at:%Y-%m-%d %H:%M:%S}", event.kind, event.by or "-", said))
    lines += [(f"{timer.due_at:%Y-%m-%d %H:%M:%S}", f"({timer.kind} is due)", "-", "") for timer in waiting]
    print(table(lines))
    for one in related:
        when = "before" if one.opened_at <= found.opened_at else "after"
        print(f"related: #{one.number} {one.title_en} (at the same site, {when} it)")
    for each in similar:
        print(
            f"similar: #{each.incident.number} {each.incident.title_en}"
            + (f": {each.incident.cause_text}" if each.incident.cause_text else "")
        )
