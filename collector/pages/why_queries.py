"""Gathers what ``why.explain`` looks at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from collector.fleet.registry import Fleet
from collector.incidents.incident import Incident
from collector.incidents.shift import called_for
from collector.pages.queries import decisions_of, pages_of
from collector.pages.recipients import enrolled
from collector.pages.why import IncidentWhy, explain
from collector.rosters.compile import ground_of
from collector.rosters.queries import load_rosters


def why_of(connection: Connection, incident: Incident, fleet: Fleet, now: datetime) -> IncidentWhy:
    """The caller has checked that the incident may be seen."""
    called = called_for(incident, load_rosters(connection), ground_of(fleet), fleet, now)
    return explain(
        incident,
        decisions_of(connection, incident.number),
        pages_of(connection, incident.number),
        enrolled(called),
        now,
    )
