"""A summons (비상소집) that somebody decides on: who is called in, and when it is asked whether anybody comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from collector.escalation.policy import thaw
from collector.escalation.queries import add_timer, postpone, summon
from collector.escalation.timer import CALL_IN, SUMMONS
from collector.incidents.incident import Incident
from collector.incidents.queries import note_event
from collector.people.person import Team
from collector.people.queries import Book


def call_in(connection: Connection, incident: Incident, team: Team, book: Book, by: str, now: datetime) -> bool:
    """Whether anybody is called in who was not before. Their pages are made within a second."""
    members = [book.people[name] for name in team.members if name in book.people]
    people = [(one.id, tuple(dict.fromkeys(contact.channel for contact in one.contacts))) for one in members]
    made = summon(connection, incident.number, team.id, people, now)
    if not made:
        return False
    add_timer(connection, incident.number, CALL_IN, now)
    asked_at = now + timedelta(seconds=thaw(incident.policy).summons_seconds)
    if not postpone(connection, incident.number, SUMMONS, asked_at):
        add_timer(connection, incident.number, SUMMONS, asked_at)
    note_event(connection, incident.number, "summoned", by, now, {"team": team.id, "people": list(team.members)})
    return True
