"""How sites and hosts stand, as rows tell it: what a running collector last wrote, so that it is there while none runs too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from collector.fleet.queries import list_agents
from collector.log.queries import last_reports
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.verdicts.past import Books
from collector.verdicts.standing import STATES

NOT_JUDGED = "not judged"
ALL = 1_000_000
OLD_SECONDS = 300
"""Longer than any interval: while a collector runs and anything reports, something is newer."""


class Reports(NamedTuple):
    """When the newest report of each was received; only those that ever reported."""

    by_agent: Mapping[str, int]
    by_site: Mapping[str, int]


def add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        choices=(*STATES, NOT_JUDGED.replace(" ", "_")),
        help="only those in this state; again for further ones",
    )


def reports_of(connection: Connection) -> Reports:
    """An agent's newest report is that of every host it speaks for, and of its site."""
    heard = last_reports(connection)
    by_agent: dict[str, int] = {}
    by_site: dict[str, int] = {}
    for agent in list_agents(connection, EVERYTHING, limit=ALL):
        at_ms = heard.get(bytes.fromhex(agent.id))
        if at_ms is not None:
            by_agent[agent.id] = at_ms
            by_site[agent.site] = max(at_ms, by_site.get(agent.site, 0))
    return Reports(by_agent, by_site)


def standing(books: Books, kind: str, subject: str, last_ms: int | None) -> dict[str, Any]:
    """The columns about it."""
    found = books[kind].get(subject)
    return {
        "state": STATES[found.state] if found is not None else NOT_JUDGED,
        "since": instant(found.since_ms) if found is not None else None,
        "last_report": instant(last_ms) if last_ms is not None else None,
        "reason": found.reason if found is not None else "",
        "cause": found.cause if found is not None else "",
    }


def in_states(rows: Iterable[dict[str, Any]], states: list[str]) -> list[dict[str, Any]]:
    """All where no state is asked for."""
    return [row for row in rows if not states or row["state"].replace(" ", "_") in states]


def say_age(reports: Reports, now_ms: int) -> None:
    """On standard error, where nothing came for long: a state that nobody renews must not pass for what is now."""
    newest_ms = max(reports.by_agent.values(), default=None)
    if newest_ms is not None and now_ms - newest_ms > OLD_SECONDS * 1000:
        at = f"{instant(newest_ms):%Y-%m-%d %H:%M} UTC"
        print(f"No report was received since {at}: states may be as old. Does the collector run?", file=sys.stderr)
