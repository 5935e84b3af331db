"""Takes a file of rosters over into the rows: whole, in the caller's transaction, or not at all.

The file owns every person, team and roster. Overrides of a roster that goes, go with it; hand-over notes stay.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from collector.access.tables import persons
from collector.agencies.tables import agencies
from collector.errors import TopologyError, nearest
from collector.fleet.tables import sites
from collector.fleet.topology_change import Change
from collector.people.person import Contact, Person, Team
from collector.people.queries import remove_person, remove_team, whole_book, write_person, write_team
from collector.rosters.roster_file import TABLES, RosterFile, Row
from collector.rosters.tables import rosters


def apply_rosters(connection: Connection, wanted: RosterFile) -> list[Change]:
    """Make the rows what the file says; the changes made, none where it says what is.

    Raises TopologyError where it names an agency, a site or a login that is not there.
    """
    _check_named(connection, wanted)
    now = current_file(connection)
    changes: list[Change] = []
    for noun in TABLES:
        before, after = now.of(noun), wanted.of(noun)
        for name in sorted(after):
            if name not in before:
                changes.append(Change("+", noun, name, _fields({}, _brief(after[name]))))
            elif before[name] != after[name]:
                changes.append(Change("~", noun, name, _fields(_flat(before[name]), _flat(after[name]))))
    for noun in reversed(list(TABLES)):
        changes += [Change("-", noun, name) for name in sorted(now.of(noun)) if name not in wanted.of(noun)]
    for change in changes:
        _write(connection, change, wanted)
    return changes


def current_file(connection: Connection) -> RosterFile:
    """The rows in the shape of a file's."""
    book = whole_book(connection)
    people = {
        person.id: {
            "id": person.id,
            "name_ko": person.name_ko,
            "name_en": person.name_en,
            "agency": person.agency,
            "login": person.login,
            "languages": person.languages,
            "timezone": person.timezone,
            "quiet_hours": person.quiet_hours,
            "contacts": tuple({"channel": c.channel, "address": c.address} for c in person.contacts),
        }
        for person in book.people.values()
    }
    teams = {
        team.id: {
            "id": team.id,
            "name_ko": team.name_ko,
            "name_en": team.name_en,
            "agency": team.agency,
            "members": team.members,
        }
        for team in book.teams.values()
    }
    defined: dict[str, Row] = {row.id: row.definition for row in connection.execute(select(rosters))}
    return RosterFile(people, teams, defined)


def _fields(before: Row, after: Row) -> tuple[tuple[str, Any, Any], ...]:
    keys = dict.fromkeys((*before, *after))
    return tuple((key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key))


def _brief(row: Row) -> Row:
    """What is worth a word of a row that is made: a roster's layers by name only."""
    usual = {"languages": ("ko",), "timezone": "Asia/Seoul", "cover": "always", "id": row["id"]}
    shown = {key: value for key, value in row.items() if usual.get(key) != value}
    return shown | ({"layers": tuple(layer["name"] for layer in row["layers"])} if "layers" in row else {})


def _flat(row: Row) -> Row:
    """A roster's layers key by key, so that a change shows the key and not all of them."""
    flat = {key: value for key, value in row.items() if key != "layers"}
    for layer in row.get("layers", ()):
        flat |= {f"layers.{layer['name']}.{key}": value for key, value in layer.items()}
    return flat


def _write(connection: Connection, change: Change, wanted: RosterFile) -> None:
    if change.sign == "-":
        if change.noun == "rosters":
            connection.execute(delete(rosters).where(rosters.c.id == change.id))
        elif change.noun == "teams":
            remove_team(connection, change.id)
        else:
            remove_person(connection, change.id)
        return
    row = wanted.of(change.noun)[change.id]
    if change.noun == "people":
        contacts = tuple(Contact(each["channel"], each["address"]) for each in row["contacts"])
        write_person(connection, Person(**{**row, "contacts": contacts}))
    elif change.noun == "teams":
        write_team(connection, Team(**row))
    elif change.sign == "+":
        connection.execute(insert(rosters).values(id=row["id"], agency=row["agency"], definition=row))
    else:
        connection.execute(
            update(rosters).where(rosters.c.id == row["id"]).values(agency=row["agency"], definition=row)
        )


def _check_named(connection: Connection, wanted: RosterFile) -> None:
    known: dict[str, list[str]] = {
        "agency": list(connection.execute(select(agencies.c.id)).scalars()),
        "site": list(connection.execute(select(sites.c.id)).scalars()),
        "login": list(connection.execute(select(persons.c.username)).scalars()),
    }
    problems = []
    for noun in TABLES:
        for name, row in wanted.of(noun).items():
            for kind, key, value in _named(row):
                if value and value not in known[kind]:
                    problems.append(f"{noun} {name!r}: {key}: no such {kind} {value!r}; {nearest(value, known[kind])}")
    if problems:
        raise TopologyError(problems)


def _named(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = [("agency", "agency", row["agency"]), ("login", "login", row.get("login", ""))]
    found += [("agency", "agencies", each) for each in row.get("agencies", ())]
    found += [("site", "sites", each) for each in row.get("sites", ())]
    found.append(("site", "calendar", row.get("calendar", "")))
    for layer in row.get("layers", ()):
        found += [("site", f"layers {layer['name']!r}: sites", each) for each in layer["sites"]]
    return found
