"""Gathers what ``noise.review`` looks at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from collector.fleet.registry import Fleet
from collector.incidents import queries as incidents
from collector.pages import page as p
from collector.pages.noise import Call, Noise, review
from collector.pages.tables import page_deliveries
from collector.rosters.compile import ground_of
from collector.rosters.queries import is_seen, load_rosters
from collector.rosters.shifts import shifts
from collector.store.scope import Scope

MOST = 5_000


def noise_of(connection: Connection, scope: Scope, fleet: Fleet, from_at: datetime, to_at: datetime) -> Noise:
    """Of calls made in ``[from_at, to_at)`` that the caller may see; one that went on by another channel counts once."""
    of = page_deliveries.c
    rows = connection.execute(
        select(of.incident, of.person, of.created_at).where(
            of.created_at >= from_at,
            of.created_at < to_at,
            of.kind.in_(sorted(p.CALLS)),
            of.root == of.page_key,
            scope.where(of.agency, of.site),
        )
    )
    calls = [Call(row.incident, row.person, row.created_at) for row in rows]
    numbers = dict.fromkeys(call.incident for call in calls)
    found = [incidents.find(connection, scope, number) for number in list(numbers)[:MOST]]
    ground = ground_of(fleet)
    on = {
        roster.id: shifts(roster, ground, from_at, to_at)
        for roster in load_rosters(connection)
        if is_seen(scope, roster)
    }
    return review(calls, [one for one in found if one is not None], on)
