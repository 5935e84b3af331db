"""``bongsu why N``: for each person of the rosters involved, why they were paged for an incident, or why not."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import table
from collector.errors import UsageError
from collector.fleet.registry import Registry
from collector.incidents import queries as incidents
from collector.pages.page import Delivery
from collector.pages.why import IncidentWhy
from collector.pages.why_queries import why_of
from collector.pages.words import say
from collector.store.schema import instant
from collector.store.scope import EVERYTHING


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(verbs, "why", "say why people were paged for an incident, or not", "bongsu why 123", json=True)
    parser.add_argument("incident", metavar="N", type=int, help="the incident's number")


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store):
        registry = Registry(store)
        registry.refresh()
        with store.reading() as connection:
            incident = incidents.find(connection, EVERYTHING, args.incident)
            if incident is None:
                raise UsageError(f"incident {args.incident}: no such incident; bongsu incidents lists them")
            found = why_of(connection, incident, registry.fleet, instant(SystemClock().wall_ms()))
    if args.json:
        print(json.dumps(_plain(incident.number, found), ensure_ascii=False, indent=2))
    else:
        print(f"incident {incident.number} ({incident.state}): {incident.title('en')}")
        _print(found)
    return 0


def _print(found: IncidentWhy) -> None:
    for stage, outcome, detail in found.stages:
        print(f"  {stage:<12}{_words(outcome)}{f': {detail}' if detail else ''}")
    if found.outcome != "passed" and not found.stages:
        print(f"  {_words(found.outcome)}{f': {found.detail}' if found.detail else ''}")
    lines = [("person", "roster", "outcome", "detail", "at")]
    for one in found.people:
        lines.append((one.person, one.roster or "-", _words(one.outcome), one.detail or "-", _at(one.at)))
        lines += [
            (
                f"  {page.channel}",
                page.kind,
                page.state,
                page.receipt or page.error or page.reason or "-",
                _at(_when(page)),
            )
            for page in one.pages
        ]
    print(table(lines) if len(lines) > 1 else "No roster is for this place: nobody would be paged.")


def _words(outcome: str) -> str:
    return say("en", f"outcome.{outcome}")


def _when(page: Delivery) -> datetime | None:
    return page.sent_at or page.due_at


def _at(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if at is not None else "-"


def _plain(number: int, found: IncidentWhy) -> dict[str, Any]:
    return {
        "incident": number,
        "outcome": found.outcome,
        "detail": found.detail,
        "stages": [{"stage": stage, "outcome": outcome, "detail": detail} for stage, outcome, detail in found.stages],
        "people": [
            {
                "person": one.person,
                "roster": one.roster,
                "outcome": one.outcome,
                "detail": one.detail,
                "at": one.at.isoformat() if one.at is not None else None,
                "pages": [
                    {
                        "channel": page.channel,
                        "kind": page.kind,
                        "state": page.state,
                        "key": page.page_key,
                        "sent_at": page.sent_at.isoformat() if page.sent_at is not None else None,
                        "receipt": page.receipt,
                        "reason": page.reason,
                        "error": page.error,
                        "answered_at": page.answered_at.isoformat() if page.answered_at is not None else None,
                    }
                    for page in one.pages
                ],
            }
            for one in found.people
        ],
    }
