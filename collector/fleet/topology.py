"""The topology file: agencies, systems, hubs, sites and hosts as TOML (``configs/topology.toml`` documents every key).

Pure: text in, ``Topology`` or every mistake at once out, each with its line where it can be told:

    topology.toml:31: sites 'abuja': timezone = 'Africa/Abudja': no such time zone; did you mean 'Africa/Abidjan'?
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from collector.errors import nearest
from collector.fleet import topology_paths, topology_policy, topology_systems
from collector.fleet.registry import INTERVAL_SECONDS
from collector.fleet.toml_text import Mistakes, parse
from collector.fleet.topology_keys import INTERFACE_REFERENCES, KEYS, REFERENCES, SINGULAR, id_of

Row = dict[str, Any]
Rows = dict[str, Row]
NOUNS = ("agencies", "hubs", "sites", "hosts", "links", "systems", "interfaces", "probes", "policies")
"""In the order rows are made; they go in the reverse."""


@dataclass(frozen=True, slots=True)
class Topology:
    """What a file says, as rows by id with every default filled in. ``via`` of a host is what the file calls ``agent``;
    ``hosts`` of a system are all it stands on, the key of that name one of its ``groups``."""

    agencies: Rows = field(default_factory=dict)
    hubs: Rows = field(default_factory=dict)
    sites: Rows = field(default_factory=dict)
    hosts: Rows = field(default_factory=dict)
    systems: Rows = field(default_factory=dict)
    policies: Rows = field(default_factory=dict)
    links: Rows = field(default_factory=dict)
    interfaces: Rows = field(default_factory=dict)
    probes: Rows = field(default_factory=dict)

    def of(self, noun: str) -> Rows:
        found: Rows = getattr(self, noun)
        return found


def read_topology(text: str, file: str = "topology.toml") -> Topology:
    """Raises TopologyError with every mistake found, in the order of the file."""
    return _Reading(parse(text, file), Mistakes(text, file)).read()


class _Reading:
    """One pass over one file, gathering mistakes."""

    def __init__(self, document: Row, mistakes: Mistakes) -> None:
        self._document = document
        self._mistakes = mistakes
        self._found: dict[str, list[tuple[int, Row]]] = {noun: [] for noun in NOUNS}
        self._topology = Topology()

    def read(self) -> Topology:
        for noun, tables in self._document.items():
            if noun not in KEYS:
                self._wrong("", 0, noun, f"{noun}: unknown table; {nearest(noun, NOUNS)}")
            elif not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
                self._wrong("", 0, noun, f"{noun}: expected tables, each written [[{noun}]]")
            else:
                for index, table in enumerate(tables):
                    self._table(noun, index, table)
        for noun in NOUNS:
            for index, row in self._found[noun]:
                self._keep(noun, index, row)
        for noun in NOUNS:
            for index, row in self._found[noun]:
                self._references(noun, index, row)
        self._mistakes.tell()
        return self._topology

    def _table(self, noun: str, index: int, table: Row) -> None:
        keys = KEYS[noun]
        good = True
        row: Row = {}
        for key in table:
            if key not in keys:
                self._wrong(noun, index, key, f"{key}: unknown key; {nearest(key, list(keys))}", table)
        for key, (default, is_right, expected) in keys.items():
            if key not in table:
                if default is None:
                    self._wrong(noun, index, "", f"{key}: missing; expected {expected}", table)
                    good = False
                row[key] = None if default is ... else default
            elif not is_right(table[key]):
                self._wrong(noun, index, key, f"{key} = {table[key]!r}: expected {expected}", table)
                good = False
            else:
                row[key] = table[key]
        if good:
            self._found[noun].append((index, row))

    def _keep(self, noun: str, index: int, row: Row) -> None:
        name = id_of(noun, row)
        rows = self._topology.of(noun)
        if name in rows:
            key = "target" if noun == "probes" else "id" if "id" in row else "name"
            self._wrong(noun, index, key, "is there twice; each id once", row)
            return
        if "name_en" in row:
            row["name_en"] = row["name_en"] or row["name_ko"] or name
            row["name_ko"] = row["name_ko"] or row["name_en"]
        if noun == "hosts":
            site = self._topology.sites.get(row["site"])
            agency = row["agency"] or (site["agency"] if site else "")
            row = {"id": name, "name": row["name"], "site": row["site"], "agency": agency, "is_shared": row["shared"],
                   "role": row["role"], "via": row["agent"], "tags": row["tags"],
                   "behind": tuple(sorted(set(row["behind"])))}  # fmt: skip
        elif noun == "sites":
            row = topology_paths.kept_site(row)
        elif noun == "links":
            row = topology_paths.kept_link(row)
        elif noun == "probes":
            row = topology_paths.kept_probe(row)
        elif noun == "systems":
            row = topology_systems.kept_system(row)
        elif noun == "interfaces":
            row = topology_systems.kept_interface(row, self._topology.systems)
        elif noun == "policies":
            row = topology_policy.kept(row, index)
        if noun in ("sites", "hosts"):
            row["tags"] = tuple(sorted(set(row["tags"])))
        rows[name] = row

    def _references(self, noun: str, index: int, row: Row) -> None:
        references = REFERENCES | INTERFACE_REFERENCES if noun == "interfaces" else REFERENCES
        for key, target in references.items():
            value = row.get(key)
            if value and value not in self._topology.of(target):
                hint = nearest(value, list(self._topology.of(target)))
                text = f"{key} = {value!r}: no such {SINGULAR[target]} among [[{target}]]; {hint}"
                self._wrong(noun, index, key, text, row)
        if noun == "sites":
            self._site(index, row)
        if noun == "hosts" and row["agent"]:
            self._agent(index, row)
        if noun == "policies":
            self._policy(index, row)
        if noun == "probes":
            for key, text in topology_paths.faults_of_probe(row, self._topology.links, self._topology.sites):
                self._wrong(noun, index, key, text, row)
        if noun == "systems":
            self._system(index, row)
        checked = [row["check"].partition("/")[0]] if row.get("check") else []
        named = [("hosts", host) for host in _hosts_of(noun, row)] + [("check", host) for host in checked]
        for key, host in [*named, *(("behind", device) for device in row.get("behind", ()))]:
            # A host need not be listed here, for enrolment makes hosts too; its site must.
            if host.rpartition(".")[2] not in self._topology.sites:
                hint = nearest(host, list(self._topology.hosts))
                self._wrong(noun, index, key, f"{key}: {host!r}: no such site among [[sites]]; {hint}", row)

    def _system(self, index: int, row: Row) -> None:
        for value, text in topology_systems.faults_of_system(row, self._topology.systems):
            self._wrong("systems", index, f'"{value}"', text, row)
        around = topology_systems.circle(self._topology.systems)
        if around and around[0] == row["id"]:
            text = f"stands on itself: {' -> '.join(around)}; take one of these dependencies out"
            self._wrong("systems", index, "depends_on", text, row)

    def _policy(self, index: int, row: Row) -> None:
        hosts = [host for _, host in self._found["hosts"]]
        tags = {tag for rows in (self._topology.sites.values(), hosts) for each in rows for tag in each["tags"]}
        roles = {host["role"] for host in hosts if host["role"]}
        for key, text in topology_policy.strangers(row, self._topology.sites, roles, tags):
            self._wrong("policies", index, key, text, row)

    def _site(self, index: int, row: Row) -> None:
        zone, profile = row["timezone"], row["link_profile"]
        zones = _zones()
        if zone not in zones:
            hint = nearest(zone, sorted(zones)) if _has_near(zone, zones) else "expected one such as 'Asia/Seoul'"
            self._wrong("sites", index, "timezone", f"timezone = {zone!r}: no such time zone; {hint}", row)
        if profile not in INTERVAL_SECONDS:
            hint = nearest(profile, list(INTERVAL_SECONDS))
            self._wrong("sites", index, "link_profile", f"link_profile = {profile!r}: no such profile; {hint}", row)
        if (row["latitude"] is None) != (row["longitude"] is None):
            self._wrong("sites", index, "", "latitude and longitude: give both or neither", row)
        for key, text in topology_paths.faults_of_site(row):
            self._wrong("sites", index, key, text, row)

    def _agent(self, index: int, row: Row) -> None:
        own = f"{row['name']}.{row['site']}"
        if row["agent"] == own:
            self._wrong("hosts", index, "agent", "agent is the host itself; leave it out where an agent runs", row)
        elif row["agent"].rpartition(".")[2] != row["site"]:
            text = (
                f"agent = {row['agent']!r}: at another site; an agent speaks for hosts of its own site {row['site']!r}"
            )
            self._wrong("hosts", index, "agent", text, row)

    def _wrong(self, noun: str, index: int, key: str, text: str, table: Row | None = None) -> None:
        line = self._mistakes.key(noun, index, key) if noun else self._mistakes.top(key)
        name = (table or {}).get("id") or (table or {}).get("name")
        whose = f"{noun} {name!r}: " if name else f"{noun} no. {index + 1}: " if noun else ""
        self._mistakes.add(f"{whose}{text}", line)


def _hosts_of(noun: str, row: Row) -> tuple[str, ...]:
    if noun != "systems":
        return ()
    return topology_systems.hosts_of([*row["groups"], {"members": row["hosts"]}])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads a whole directory tree


def _has_near(word: str, valid: frozenset[str]) -> bool:
    return nearest(word, sorted(valid)).startswith("did you mean")
