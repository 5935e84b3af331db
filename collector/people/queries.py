"""SQL of people and teams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from collector.access.audit import record
from collector.access.caller import Caller
from collector.people.person import Contact, Person, Team
from collector.people.tables import people, people_contacts, team_members, teams
from collector.store.scope import EVERYTHING, Scope


@dataclass(frozen=True, slots=True)
class Book:
    """Everyone and every team at once, by id."""

    people: dict[str, Person]
    teams: dict[str, Team]


def whole_book(connection: Connection) -> Book:
    """Whom the caller shows what of it is for the caller to decide."""
    return Book(
        {person.id: person for person in list_people(connection, EVERYTHING, limit=1_000_000)},
        {team.id: team for team in list_teams(connection, EVERYTHING, limit=1_000_000)},
    )


def zone_of_login(connection: Connection, login: str) -> str:
    """The zone of whoever signs in by this name; empty where that is nobody of the roster file."""
    return connection.execute(select(people.c.timezone).where(people.c.login == login).limit(1)).scalar() or ""


def list_people(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[Person]:
    rows = connection.execute(
        select(people).where(_is_seen(scope, people.c.agency), people.c.id > after).order_by(people.c.id).limit(limit)
    ).all()
    found: dict[str, list[Contact]] = {}
    for row in connection.execute(select(people_contacts).order_by(people_contacts.c.position)):
        found.setdefault(row.person, []).append(Contact(row.channel, row.address, row.verified_at))
    return [
        Person(
            r.id,
            r.name_ko,
            r.name_en,
            r.login,
            r.agency,
            r.languages,
            r.timezone,
            r.quiet_hours,
            tuple(found.get(r.id, ())),
        )
        for r in rows
    ]


def list_teams(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[Team]:
    rows = connection.execute(
        select(teams).where(_is_seen(scope, teams.c.agency), teams.c.id > after).order_by(teams.c.id).limit(limit)
    ).all()
    members: dict[str, list[str]] = {}
    for row in connection.execute(select(team_members).order_by(team_members.c.position)):
        members.setdefault(row.team, []).append(row.person)
    return [Team(r.id, r.name_ko, r.name_en, r.agency, tuple(members.get(r.id, ()))) for r in rows]


def write_person(connection: Connection, person: Person) -> None:
    """Make or change one. An address that stays keeps that it was verified."""
    known = {
        (row.channel, row.address): row.verified_at
        for row in connection.execute(select(people_contacts).where(people_contacts.c.person == person.id))
    }
    connection.execute(delete(people_contacts).where(people_contacts.c.person == person.id))
    row = {
        "name_ko": person.name_ko,
        "name_en": person.name_en,
        "login": person.login,
        "agency": person.agency,
        "languages": person.languages,
        "timezone": person.timezone,
        "quiet_hours": person.quiet_hours,
    }
    if not connection.execute(people.update().where(people.c.id == person.id).values(**row)).rowcount:
        connection.execute(insert(people).values(id=person.id, **row))
    rows = [
        {
            "person": person.id,
            "channel": contact.channel,
            "address": contact.address,
            "position": position,
            "verified_at": known.get((contact.channel, contact.address)),
        }
        for position, contact in enumerate(person.contacts)
    ]
    if rows:
        connection.execute(insert(people_contacts), rows)


def write_team(connection: Connection, team: Team) -> None:
    connection.execute(delete(team_members).where(team_members.c.team == team.id))
    row = {"name_ko": team.name_ko, "name_en": team.name_en, "agency": team.agency}
    if not connection.execute(teams.update().where(teams.c.id == team.id).values(**row)).rowcount:
        connection.execute(insert(teams).values(id=team.id, **row))
    rows = [{"team": team.id, "person": person, "position": at} for at, person in enumerate(team.members)]
    if rows:
        connection.execute(insert(team_members), rows)


def remove_person(connection: Connection, person: str) -> None:
    connection.execute(delete(people).where(people.c.id == person))


def remove_team(connection: Connection, team: str) -> None:
    connection.execute(delete(teams).where(teams.c.id == team))


def may_reach(caller: Caller, person: Person) -> bool:
    """Whether a caller may read how to reach this person: who works and may see them, and themselves."""
    if caller.way == "session" and person.login and caller.name == person.login:
        return True
    return caller.may("reach") and (caller.scope.agencies is None or person.agency in ("", *caller.scope.agencies))


def note_view(connection: Connection, now: datetime, caller: Caller, seen: Iterable[Person], where: str) -> None:
    """Personal data of others was shown: that stays known. ``where`` = the page or route it was shown on."""
    others = sorted(p.id for p in seen if p.contacts and not (caller.way == "session" and p.login == caller.name))
    if others:
        record(connection, now, caller.name, "people.view", where, {"people": others})


def _is_seen(scope: Scope, agency: ColumnElement[str]) -> ColumnElement[bool]:
    """Those of an agency by the agency; who belongs to the operating centre is seen by all."""
    return or_(agency == "", Scope(scope.agencies).where(agency))
