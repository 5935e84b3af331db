"""``[[links]]`` and ``[[probes]]`` of the topology file, and a site's calendar.

[[links]]
site = "abuja"
name = "main"
role = "primary"                        # or "backup"
kind = "geo"
carrier = "sat-one"
cable = ""

[[probes]]                              # what a series probe_success{target="gw.abuja"} of that host tells about
from = "watch.dc-gwj"
target = "gw.abuja"
link = "abuja/main"                     # or: site, hub, host, or anchor = true
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

from collector.errors import nearest
from collector.fleet.calendar import KOREAN_DAYS, WEEKDAYS, countries, parse_hours, subdivisions
from collector.fleet.paths import LINK_KINDS, LINK_ROLES, PRIMARY

Row = dict[str, Any]
Rows = Mapping[str, Row]
Key = tuple[Any, Callable[[Any], bool], str]
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
HOST_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.[a-z0-9][a-z0-9-]{0,62}")
LINK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}")


def is_text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most and value.isprintable()


def fits(pattern: re.Pattern[str], *, may_be_empty: bool = False) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, str) and (pattern.fullmatch(value) is not None or (may_be_empty and not value))
    )


def list_of(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) <= 1_000 and all(map(is_right, value))


def _is_date(value: Any) -> bool:
    if isinstance(value, date):
        return True
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_hours(value: Any) -> bool:
    return isinstance(value, str) and (value == "" or parse_hours(value) is not None)


def _positive(most: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and 0 < value <= most


SPELT = "of a-z, 0-9 and '-'"
HOSTS: Key = ([], list_of(fits(HOST_ID)), "a list of host ids such as 'router1.abuja'")
SITE_KEYS: Mapping[str, Key] = {
    "facility": (
        "",
        fits(NAME, may_be_empty=True),
        f"a word for the building or data centre it is in, {SPELT}, '' for its own",
    ),
    "behind": HOSTS,
    "collector": (False, lambda value: isinstance(value, bool), "true where this collector stands, else false"),
    "custodian": (
        False,
        lambda value: isinstance(value, bool),
        "true where the site's hub stands here and keeps a copy of the whole registry, else false",
    ),
    "country": ("", lambda value: value == "" or value in countries(), "a country as ISO 3166 has it, such as 'NG'"),
    "subdivision": ("", is_text(8), "a part of that country, such as 'ON'"),
    "weekend": ([], list_of(lambda value: value in WEEKDAYS), f"a list of {', '.join(WEEKDAYS)}; [] = the country's"),
    "korean_days": ([], list_of(lambda value: value in KOREAN_DAYS), f"a list of {', '.join(KOREAN_DAYS)}"),
    "closures": ([], list_of(_is_date), "a list of days such as 2026-12-24"),
    "business_hours": ("09:00-18:00", _is_hours, "local hours such as '09:00-18:00', '' for none"),
}
LINK_KEYS: Mapping[str, Key] = {
    "site": (None, fits(NAME), "the id of a site"),
    "name": (None, fits(NAME), "a word such as 'main', one to a site"),
    "role": (PRIMARY, lambda value: value in LINK_ROLES, " or ".join(LINK_ROLES)),
    "kind": (None, lambda value: value in LINK_KINDS, f"one of {', '.join(LINK_KINDS)}"),
    "carrier": (
        "",
        fits(NAME, may_be_empty=True),
        f"a word for the carrier, {SPELT}, the same on every line it carries",
    ),
    "cable": (
        "",
        fits(NAME, may_be_empty=True),
        f"a word for the cable system, {SPELT}, the same on every line through it",
    ),
    "rtt_ms_limit": (..., _positive(60_000), "milliseconds above which it is slow"),
    "loss_ratio_limit": (..., _positive(1), "a share of packets, above 0 and up to 1"),
    "test_days": (0, lambda value: type(value) is int and 0 <= value <= 3_650, "days, 0 for never"),
}
PROBE_KEYS: Mapping[str, Key] = {
    "from": (None, fits(HOST_ID), "the id of the host that probes, such as 'watch.dc-gwj'"),
    "target": (None, is_text(256), "the label target of its series"),
    "site": ("", fits(NAME, may_be_empty=True), "the id of a site"),
    "link": ("", fits(LINK_ID, may_be_empty=True), "a line SITE/NAME"),
    "hub": ("", fits(NAME, may_be_empty=True), "the id of a hub"),
    "host": ("", fits(HOST_ID, may_be_empty=True), "the id of a host"),
    "anchor": (False, lambda value: isinstance(value, bool), "true or false"),
}
PROBE_SUBJECTS = ("site", "link", "hub", "host")


def kept_site(row: Row) -> Row:
    """A site's row with lists as tuples and days as text."""
    closures = sorted({each.isoformat() if isinstance(each, date) else each for each in row["closures"]})
    weekend = [day for day in WEEKDAYS if day in row["weekend"]]
    rest = {key: value for key, value in row.items() if key not in ("collector", "custodian")}
    return {
        **rest,
        "is_collector": row["collector"],
        "is_custodian": row["custodian"],
        "behind": tuple(sorted(set(row["behind"]))),
        "weekend": tuple(weekend),
        "korean_days": tuple(sorted(set(row["korean_days"]))),
        "closures": tuple(closures),
    }


def kept_link(row: Row) -> Row:
    return {"id": f"{row['site']}/{row['name']}", **row}


def kept_probe(row: Row) -> Row:
    return {
        "id": f"{row['from']}>{row['target']}",
        "host": row["from"],
        "target": row["target"],
        "site": row["site"],
        "link": row["link"],
        "hub": row["hub"],
        "of_host": row["host"],
        "is_anchor": row["anchor"],
    }


def faults_of_site(row: Row) -> list[tuple[str, str]]:
    if row["custodian"] and not row["hub"]:
        return [("custodian", "custodian = true: no hub; give the hub that stands here, it keeps the copy")]
    if row["subdivision"] and row["subdivision"] not in subdivisions(row["country"]):
        known = sorted(subdivisions(row["country"]))
        hint = nearest(row["subdivision"], known) if known else "give its country first"
        return [("subdivision", f"subdivision = {row['subdivision']!r}: no such part of the country; {hint}")]
    return []


def faults_of_probe(row: Row, links: Collection[str], sites: Collection[str]) -> list[tuple[str, str]]:
    """(key, text) of what is wrong with a probe besides its site and hub."""
    faults = []
    given = [key for key in PROBE_SUBJECTS if row[key]]
    if len(given) != 1 and not (row["anchor"] and not given):
        faults.append(("target", "give exactly one of site, link, hub and host, or anchor = true"))
    if row["link"] and row["link"] not in links:
        faults.append(
            ("link", f"link = {row['link']!r}: no such line among [[links]]; {nearest(row['link'], list(links))}")
        )
    faults += [
        (key, f"{key} = {row[key]!r}: no such site among [[sites]]; {nearest(row[key], list(sites))}")
        for key in ("from", "host")
        if row[key] and row[key].rpartition(".")[2] not in sites
    ]
    return faults
