"""Rules every board keeps: those of Grafana's dashboard-linter, worked anew on syntax trees, and our own.

A rule takes a board's JSON (and what is known of metrics) and gives the sentences it has to say against it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlsplit

from promql import Asked, selectors, without_macros

from dashboards import palette, panel
from dashboards import selectors as selectors_of_boards

Board = dict[str, Any]
CHAINS = (("agency", "hub", "site"), ("agency", "hub", "site", "instance"), ("agency", "grade", "system"))
"""What a board's variables may be, large to small."""
LEVELS = tuple(dict.fromkeys(level for chain in CHAINS for level in chain))
PAGES = re.compile(r"/(sites|hosts|systems|runbooks)/[^/?]+|/(incidents|systems|agents|oncall|maintenance)")
"""Our own pages, as a link may name them. The demonstration's tests open them."""
UNITS = frozenset(get_args(panel.Unit))
RATES = {"rate", "irate", "increase"}
MOST_QUERIES = 30
HEAVY_SECONDS = 7 * 86400
RATE_INTERVAL_SECONDS = 3599
"""Stands for $__rate_interval: a length nobody writes by hand."""
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b")
UID = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Known:
    """What exists outside a board: labels by metric name, and the variables of every board by uid."""

    labels: dict[str, frozenset[str]]
    variables: dict[str, frozenset[str]]


def panels(board: Board) -> Iterator[dict[str, Any]]:
    """Every panel, also those in folded rows, without the rows themselves."""
    for each in board["panels"]:
        if each["type"] == "row":
            yield from each["panels"]
        else:
            yield each


def query_variables(board: Board) -> list[dict[str, Any]]:
    return [each for each in board["templating"]["list"] if each["type"] == "query"]


def samples(board: Board) -> dict[str, str]:
    """A value for each variable: what stands for All."""
    return {each["name"]: each["allValue"] for each in query_variables(board)}


def expressions(board: Board) -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression: panels' targets and annotations."""
    for each in panels(board):
        for target in each["targets"]:
            yield f"panel {each['id']} {target['refId']}", target["expr"]
    for note in board["annotations"]["list"]:
        yield f"annotation {note['name']}", note["expr"]


def asked(board: Board) -> Iterator[tuple[str, Asked]]:
    """Every selector, with the variables left in as written."""
    kept = {each["name"]: f"@{each['name']}@" for each in query_variables(board)}
    for where, expr in expressions(board):
        marked = expr.replace("$__rate_interval", f"{RATE_INTERVAL_SECONDS}s")
        for one in selectors(without_macros(marked, kept)):
            yield where, one


def lint_identity(board: Board, _: Known) -> Iterator[str]:
    if board["id"] is not None:
        yield "id must be null"
    if not UID.fullmatch(board["uid"]):
        yield f"uid {board['uid']!r} must be 1 to 40 of A-Z a-z 0-9 _ -"
    if board["editable"] is not False:
        yield "must not be editable"
    if not 39 <= board["schemaVersion"] <= 41:
        yield "schemaVersion must be 39 to 41"
    if "__inputs" in board:
        yield "__inputs makes a board unprovisionable"
    if "$__all" in str(board):
        yield "$__all must not be written into a board"


def lint_datasource(board: Board, _: Known) -> Iterator[str]:
    sources = [each for each in board["templating"]["list"] if each["type"] == "datasource"]
    if [(each["name"], each["label"], each["query"]) for each in sources] != [
        ("datasource", "Data source", "prometheus")
    ]:
        yield "needs one data source variable, named datasource, labelled Data source, of type prometheus"
    for each in panels(board):
        for used in (each["datasource"], *(target["datasource"] for target in each["targets"])):
            if used != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"panel {each['id']} does not use the data source variable"


def lint_variables(board: Board, known: Known) -> Iterator[str]:
    found = query_variables(board)
    names = tuple(each["name"] for each in found)
    if names not in CHAINS:
        yield f"variables must be in order, one of {CHAINS}; found {names}"
    for index, each in enumerate(found):
        name = each["name"]
        if not (each["multi"] and each["includeAll"] and each["refresh"] == 2):
            yield f"variable {name} must be multi, with All, and renewed when the time range changes"
        if each["allValue"] != (".*" if name == "hub" else ".+"):
            yield f"variable {name}: All must be .+ (.* for hub, which a directly reporting site lacks)"
        query = re.fullmatch(r"label_values\((.+), (\w+)\)", each["query"]["query"])
        if query is None or query[2] != name:
            yield f"variable {name} must come from label_values(metric{{...}}, {name})"
            continue
        (one,) = selectors(without_macros(query[1], {level: f"@{level}@" for level in LEVELS}))
        if name not in known.labels.get(one.name, frozenset()):
            yield f"variable {name}: {one.name} has no label {name}"
        if [label for label, _, _ in one.matchers] != list(names[:index]):
            yield f"variable {name} must be narrowed by {names[:index]}"


def lint_panels(board: Board, _: Known) -> Iterator[str]:
    for each in panels(board):
        where = f"panel {each['id']}"
        if not each["title"].strip() or not each["description"].strip():
            yield f"{where} needs a title and a description"
        for text in (each["title"], each["description"]):
            if not re.search("[가-힣]", text) and text != each["title"]:
                yield f"{where} needs Korean too: {text!r}"
        if each["fieldConfig"]["defaults"]["unit"] not in UNITS:
            yield f"{where} has the unknown unit {each['fieldConfig']['defaults']['unit']!r}"
        if not each["fieldConfig"]["defaults"]["thresholds"]["steps"]:
            yield f"{where} has no thresholds"
        if not each["targets"]:
            yield f"{where} asks nothing"
        if any(target["instant"] == target["range"] for target in each["targets"]):
            yield f"{where}: a query is either instant or a range"
        if each["type"] in ("table", "geomap"):
            if any(target["format"] != "table" or not target["instant"] for target in each["targets"]):
                yield f"{where} must ask for an instant table"
            if "job" not in str(each["transformations"]) or "instance" not in str(each["transformations"]):
                yield f"{where} must hide (or show on purpose) job and instance"
        if each["type"] == "heatmap" and any(target["format"] != "heatmap" for target in each["targets"]):
            yield f"{where} must ask for a heatmap"


def lint_grid(board: Board, _: Known) -> Iterator[str]:
    ids = Counter(
        [each["id"] for each in board["panels"]] + [e["id"] for r in board["panels"] for e in r.get("panels", ())]
    )
    yield from (f"id {id} is used {count} times" for id, count in ids.items() if count > 1)
    titles = Counter(each["title"] for each in panels(board))
    yield from (f"title {title!r} is used {count} times" for title, count in titles.items() if count > 1)
    for group in (board["panels"], *(each["panels"] for each in board["panels"] if each["type"] == "row")):
        taken: dict[tuple[int, int], int] = {}
        for each in group:
            place = each["gridPos"]
            if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > 24:
                yield f"panel {each['id']} leaves the 24 columns"
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    other = taken.setdefault((x, y), each["id"])
                    if other != each["id"]:
                        yield f"panels {other} and {each['id']} overlap at {x},{y}"
        lines = Counter(y for _, y in taken)
        yield from (f"line {y} has a hole of {24 - columns} columns" for y, columns in lines.items() if columns < 24)


def lint_metrics(board: Board, known: Known) -> Iterator[str]:
    for where, one in asked(board):
        labels = known.labels.get(one.name)
        if labels is None:
            yield f"{where}: nothing yields {one.name}"
            continue
        for label in {name for name, _, _ in one.matchers} - {"__name__", "job"} - labels:
            yield f"{where}: {one.name} has no label {label}"
        chosen = {each["name"] for each in query_variables(board)}
        if one.name == "up" and one.has("job", "bongsu"):
            continue  # Prometheus' own verdict about the collector: no site of the fleet
        if one.name == "ALERTS" and not any(one.has(level, f"@{level}@") for level in LEVELS):
            continue  # all of them on purpose: many an alert names no site, and a filter would hide it
        for level in LEVELS:
            if level in labels and level in chosen and not one.has(level, f"@{level}@"):
                yield f"{where}: {one.name} is not filtered by ${level}"


def lint_rates(board: Board, known: Known) -> Iterator[str]:
    for where, one in asked(board):
        if one.inside[:1] in (("rate",), ("irate",)) and one.range_seconds != RATE_INTERVAL_SECONDS:
            yield f"{where}: rate and irate take [$__rate_interval], not [{one.range_seconds:.0f}s]"
    for where, one in asked(board):
        if one.name.endswith("_total") and one.name in known.labels and not RATES & set(one.inside):
            yield f"{where}: the counter {one.name} stands outside rate and increase"
        if one.range_seconds is not None and one.range_seconds >= HEAVY_SECONDS:
            yield f"{where}: {one.range_seconds / 86400:.0f} days belong in a recording rule"


def lint_load(board: Board, _: Known) -> Iterator[str]:
    count = sum(len(each["targets"]) for each in board["panels"] if each["type"] != "row")
    if count > MOST_QUERIES:
        yield f"asks {count} queries at once, at most {MOST_QUERIES}"


def lint_links(board: Board, known: Known) -> Iterator[str]:
    for each in panels(board):
        links = each["fieldConfig"]["defaults"]["links"]
        if "noc" in board["tags"] and not links:
            yield f"panel {each['id']} leads nowhere"
        for link in links:
            if link["url"].startswith(selectors_of_boards.PAGES_URL):
                if not PAGES.fullmatch(link["url"].removeprefix(selectors_of_boards.PAGES_URL)):
                    yield f"panel {each['id']} leads to {link['url']}, which is no page of ours"
                continue
            address = urlsplit(link["url"])
            uid = address.path.removeprefix("/d/")
            if uid not in known.variables or uid == board["uid"]:
                yield f"panel {each['id']} leads to {uid!r}, which is no other board of ours"
                continue
            parts = set(address.query.split("&"))
            if "${__url_time_range}" not in parts:
                yield f"panel {each['id']} drops the time range on its way"
            passed = set(re.findall(r"\$\{(\w+):queryparam\}|var-(\w+)=", address.query))
            names = {first or second for first, second in passed}
            own = {one["name"] for one in board["templating"]["list"]}
            if not (own & known.variables[uid]) - {"instance"} - _pinned(names) <= names:
                yield f"panel {each['id']} drops a variable on its way: passes {sorted(names)}"
            if not names <= known.variables[uid]:
                yield f"panel {each['id']} passes {sorted(names - known.variables[uid])}, which {uid} does not have"


def _pinned(names: set[str]) -> set[str]:
    """What need not travel because something smaller decides it: an agency's boards start from all of its hubs."""
    return {"hub", "site"} if names == {"datasource", "agency"} else set()


def lint_colours(board: Board, _: Known) -> Iterator[str]:
    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("color", "fixedColor", "iconColor") and isinstance(value, str):
                    yield value
                elif isinstance(value, str):
                    yield from COLOUR.findall(value)
                else:
                    yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    for colour in set(walk(board)) - palette.COLOURS:
        yield f"the colour {colour} is not of the palette"


RULES = (
    lint_identity,
    lint_datasource,
    lint_variables,
    lint_panels,
    lint_grid,
    lint_metrics,
    lint_rates,
    lint_load,
    lint_links,
    lint_colours,
)
