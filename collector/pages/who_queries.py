"""Reads what the answer to "who would be called" takes: rosters, people, the policy, and how channels fare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from collector.escalation.policy_apply import current_plan
from collector.fleet.registry import Fleet, Site
from collector.pages.health import FAILING
from collector.pages.page import CRITICAL
from collector.pages.watch_queries import read_health
from collector.pages.who import PRIORITIES, Ground, Who, who
from collector.people.queries import Book, whole_book
from collector.rosters.compile import ground_of
from collector.rosters.duty import Called, answer, called
from collector.rosters.queries import load_rosters
from collector.settings_channels import Channel


class Told(NamedTuple):
    who: Who
    book: Book


def ask_who(
    connection: Connection,
    fleet: Fleet,
    channels: Iterable[Channel],
    site: Site,
    at: datetime,
    severity: str = CRITICAL,
) -> Told:
    """``channels``: those of the settings. Every roster counts, also one the asker may not read: it calls all the same."""
    rosters, book, ground = load_rosters(connection), whole_book(connection), ground_of(fleet)
    policy = current_plan(connection).choose(severity, PRIORITIES[severity], site.id, site.agency)
    named = {word.removeprefix("roster:") for step in policy.steps for word in step.notify}
    others = [roster for roster in rosters if roster.id in named]
    failing = frozenset(one.channel for one in read_health(connection).values() if one.state == FAILING)

    def called_at(now: datetime) -> tuple[Sequence[Called], Mapping[str, Called]]:
        return (
            called(rosters, ground, site.id, site.agency, now),
            {roster.id: answer(roster, ground, now) for roster in others},
        )

    configured = frozenset(channel.name for channel in channels)
    ways = Ground(called_at, book.people, book.teams, configured, failing)
    return Told(who(policy, ways, site, at, severity), book)
