"""The file of rosters: people, teams and rosters as TOML (``configs/rosters.toml`` documents every key).

Pure: text in, ``RosterFile`` or every mistake at once out:

    rosters.toml:31: rosters 'noc': layers 'main': turn = 'dayly': expected 'daily', 'weekly', or a number of …
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from collector.errors import nearest
from collector.fleet.toml_text import Mistakes, parse
from collector.fleet.topology_keys import Key
from collector.rosters.patterns import ALSO_CALLED, PATTERNS
from collector.rosters.roster import CYCLE, SUN
from collector.rosters.roster_keys import CONTACTS, LAYERS, MEMBERSHIPS, PEOPLE, ROSTERS, TEAMS

Row = dict[str, Any]
TABLES: Mapping[str, Mapping[str, Key]] = {"people": PEOPLE, "teams": TEAMS, "rosters": ROSTERS}
INNER: Mapping[str, Mapping[str, Key]] = {"contacts": CONTACTS, "layers": LAYERS, "members": MEMBERSHIPS}


@dataclass(frozen=True, slots=True)
class RosterFile:
    """Rows by id with every default filled in; dates as ISO text, lists as tuples."""

    people: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, Row] = field(default_factory=dict)
    rosters: dict[str, Row] = field(default_factory=dict)

    def of(self, noun: str) -> dict[str, Row]:
        found: dict[str, Row] = getattr(self, noun)
        return found


def is_roster_file(text: str) -> bool:
    """Whether a file is one of rosters by its tables; what is no TOML is not."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return bool(document) and any(noun in document for noun in TABLES)


def read_rosters(text: str, file: str = "rosters.toml") -> RosterFile:
    """Raises TopologyError with every mistake found, in the order of the file."""
    return _Reading(parse(text, file), Mistakes(text, file)).read()


class _Reading:
    """One pass over one file, gathering mistakes."""

    def __init__(self, document: Row, mistakes: Mistakes) -> None:
        self._document = document
        self._mistakes = mistakes
        self._found = RosterFile()

    def read(self) -> RosterFile:
        for noun, tables in self._document.items():
            if noun not in TABLES:
                hint = nearest(noun, list(TABLES))
                self._wrong(noun, 0, f"unknown table in a file of rosters (the fleet has its own file); {hint}")
            elif not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
                self._wrong(noun, 0, f"expected tables, each written [[{noun}]]")
            else:
                for index, table in enumerate(tables):
                    self._table(noun, index, table)
        for noun in TABLES:
            for index, row in enumerate(self._found.of(noun).values()):
                self._references(noun, index, row)
        self._mistakes.tell()
        return self._found

    def _table(self, noun: str, index: int, table: Row) -> None:
        whose = f"{noun} {table.get('id', f'no. {index + 1}')!r}"
        row = self._row(noun, index, whose, TABLES[noun], table)
        for inner in [key for key in row if key in INNER and noun != "teams"]:
            rows = []
            for place, each in enumerate(row[inner]):
                name = each.get("name", each.get("person", f"no. {place + 1}"))
                rows.append(self._row(noun, index, f"{whose}: {inner} {name!r}", INNER[inner], each))
            row[inner] = tuple(rows)
        row["name_en"] = row.get("name_en") or row.get("name_ko") or table.get("id", "")
        row["name_ko"] = row.get("name_ko") or row["name_en"]
        if noun == "rosters":
            for layer in row.get("layers", ()):
                self._layer(index, f"{whose}: layers {layer.get('name')!r}", layer)
            names = [layer.get("name") for layer in row.get("layers", ())]
            if len(set(names)) < len(names) or not names:
                self._wrong(noun, index, f"{whose}: layers: expected at least one, each with a name of its own")
        if noun != "teams":
            self._zone(noun, index, whose, row)
        if "id" in row and row["id"] in self._found.of(noun):
            self._wrong(noun, index, f"{whose}: is there twice; each id once")
        elif "id" in row:
            self._found.of(noun)[row["id"]] = row

    def _row(self, noun: str, index: int, whose: str, keys: Mapping[str, Key], table: Row) -> Row:
        row: Row = {}
        for key in table:
            if key not in keys:
                self._wrong(noun, index, f"{whose}: {key}: unknown key; {nearest(key, list(keys))}")
        for key, (default, is_right, expected) in keys.items():
            if key not in table:
                row[key] = default
                if default is None:
                    del row[key]
                    self._wrong(noun, index, f"{whose}: {key}: missing; expected {expected}")
            elif is_right(table[key]):
                row[key] = _plain(table[key])
            else:
                self._wrong(noun, index, f"{whose}: {key} = {table[key]!r}: expected {expected}")
        return row

    def _layer(self, index: int, whose: str, layer: Row) -> None:
        """Fill a named pattern in, and see that the numbers of a layer fit each other."""
        crews, kind = len(layer.get("crews", ())), layer.get("kind")
        if kind == SUN and crews != len(layer.get("sites", ())):
            self._wrong("rosters", index, f"{whose}: sites: expected one for each of the {crews} crews")
        if kind != CYCLE or "cycle" not in layer:
            if not crews and "crews" in layer:
                self._wrong("rosters", index, f"{whose}: crews: expected at least one")
            return
        named = layer.get("pattern", "")
        pattern = PATTERNS.get(ALSO_CALLED.get(named, named))
        layer["cycle"] = tuple(layer["cycle"].replace(" ", "")) or (pattern.cycle if pattern else ())
        layer["step_days"] = layer.get("step_days") or (pattern.step_days if pattern else 1)
        layer["slots"] = layer.get("slots") or (dict(pattern.slots) if pattern else {})
        strange = set(layer["cycle"]) - {"-", *layer["slots"]}
        if not layer["cycle"] or strange:
            text = f"letters without hours: {' '.join(sorted(strange))}" if strange else "missing"
            self._wrong(
                "rosters", index, f"{whose}: cycle: {text}; give a pattern, or cycle with slots for its letters"
            )
        elif crews * layer["step_days"] != len(layer["cycle"]):
            needed = len(layer["cycle"]) / layer["step_days"]
            text = f"{crews} crews, {layer['step_days']} days apart, do not fill a cycle of {len(layer['cycle'])} days"
            self._wrong("rosters", index, f"{whose}: {text}; expected {needed:g} crews")

    def _zone(self, noun: str, index: int, whose: str, row: Row) -> None:
        zone = row.get("timezone", "Asia/Seoul")
        if zone not in available_timezones():
            hint = "expected one such as 'Asia/Seoul'"
            self._wrong(noun, index, f"{whose}: timezone = {zone!r}: no such time zone; {hint}")

    def _references(self, noun: str, index: int, row: Row) -> None:
        named: list[tuple[str, str]] = []
        if noun == "teams":
            named += [("members", person) for person in row.get("members", ())]
        if noun == "rosters":
            named += [("fallback", each) for each in row.get("fallback", ())]
            named += [("members", each["person"]) for each in row.get("members", ()) if "person" in each]
            crews = [crew for layer in row.get("layers", ()) for crew in layer.get("crews", ())]
            named += [("crews", each) for crew in crews for each in crew]
        for key, name in named:
            kind, wanted = ("teams", name[1:]) if name.startswith("@") else ("people", name)
            if wanted not in self._found.of(kind):
                hint = nearest(wanted, list(self._found.of(kind)))
                text = f"{key}: {name!r}: no such {'team' if kind == 'teams' else 'person'} among [[{kind}]]; {hint}"
                self._wrong(noun, index, f"{noun} {row['id']!r}: {text}")

    def _wrong(self, noun: str, index: int, text: str) -> None:
        self._mistakes.add(text, self._mistakes.head(noun, index))


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return tuple(_plain(each) for each in value)
    return value
