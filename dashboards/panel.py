"""Factories of panels: one per kind of panel we use, giving Grafana's classic JSON.

What a reader needs is required by the signature: an id that stays (people link to ``viewPanel=7``), a place on the
24-column grid, a title and description in both languages, a unit and thresholds. Grafana fills nothing in for us.

Stats, gauges, tables and the map ask for *now* (instant queries): a range reduced to its last value would go on
showing a number after its source fell silent. Lines are never drawn across gaps for the same reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dashboards.palette import Meaning, code_steps, value_mapping

Panel = dict[str, Any]
Unit = Literal[
    "none", "short", "percent", "percentunit", "bytes", "Bps", "bps", "s", "dtdurations", "iops", "reqps", "celsius"
]
Steps = tuple[tuple[float | None, str], ...]
"""Thresholds, lowest first: (from this value on, colour); the first one is ``None`` = from anything."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
NO_VALUE = "수신 없음 / no data"
NONE_OR_NO_VALUE = "없음 또는 수신 없음 / none, or no data"
"""Where nothing found is usual. It does not say "none": nothing is found either when nobody answers."""


class Words(NamedTuple):
    """One text in both languages."""

    ko: str
    en: str

    @property
    def title(self) -> str:
        return f"{self.ko} / {self.en}"

    @property
    def text(self) -> str:
        return f"{self.ko}\n\n{self.en}"


class Place(NamedTuple):
    """Columns (24 in all) and rows of the grid."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and the name its series get. ``is_rare``: that it finds nothing is no fault."""

    expr: str
    legend: str = ""
    is_rare: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What every panel has, whatever its kind."""

    id: int
    place: Place
    title: Words
    description: Words


@dataclass(frozen=True, slots=True)
class Link:
    """A data link to another board, or to one of our own pages."""

    title: Words
    url: str

    def json(self) -> dict[str, Any]:
        return {"title": self.title.title, "url": self.url, "targetBlank": False}


Links = Link | tuple[Link, ...] | None


def stat(
    head: Head,
    unit: Unit,
    thresholds: Steps,
    query: Query,
    *,
    link: Links = None,
    meanings: tuple[Meaning, ...] = (),
    decimals: int | None = None,
    text_mode: Literal["auto", "name", "value", "value_and_name"] = "auto",
) -> Panel:
    """One big number (or state) per series, on a coloured ground."""
    defaults = field_defaults(unit, thresholds, meanings, link, decimals)
    return assemble("stat", head, defaults, (query,), instant=True) | {
        "options": {
            "colorMode": "background_solid",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "percentChangeColorMode": "standard",
            "showPercentChange": False,
            "textMode": text_mode,
            "wideLayout": True,
        }
    }


def gauge(head: Head, unit: Unit, thresholds: Steps, query: Query, *, top: float, link: Links = None) -> Panel:
    """A dial from 0 to ``top`` per series."""
    defaults = field_defaults(unit, thresholds, (), link, None) | {"min": 0, "max": top}
    return assemble("gauge", head, defaults, (query,), instant=True) | {
        "options": {
            "minVizHeight": 75,
            "minVizWidth": 75,
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
            "sizing": "auto",
        }
    }


def timeseries(
    head: Head,
    unit: Unit,
    thresholds: Steps,
    queries: tuple[Query, ...],
    *,
    link: Links = None,
    colours: tuple[tuple[str, str], ...] = (),
    stacked: bool = False,
    apart: str = "",
    lowest: float | None = 0,
    highest: float | None = None,
) -> Panel:
    """Lines over time. ``colours`` fixes the colour of series whose name matches a pattern; more than one threshold
    step draws them as lines. ``apart`` is a pattern of series that stay a line of their own in a stack. ``lowest`` and ``highest`` pin the axis."""
    defaults = field_defaults(unit, thresholds, (), link, None) | {
        "color": {"mode": "palette-classic-by-name"},
        "custom": {
            "drawStyle": "line",
            "fillOpacity": 60 if stacked else 8,
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
            "thresholdsStyle": {"mode": "line" if len(thresholds) > 1 else "off"},
        },
    }
    for name, bound in (("min", lowest), ("max", highest)):
        if bound is not None:
            defaults[name] = bound
    overrides = [
        {
            "matcher": {"id": "byRegexp", "options": pattern},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for pattern, colour in colours
    ]
    if apart:
        line = {"group": "A", "mode": "none"}
        overrides.append(
            {
                "matcher": {"id": "byRegexp", "options": apart},
                "properties": [
                    {"id": "custom.stacking", "value": line},
                    {"id": "custom.fillOpacity", "value": 0},
                    {"id": "custom.lineWidth", "value": 2},
                ],
            }
        )
    return assemble("timeseries", head, defaults, queries, overrides=overrides) | {
        "options": {
            "legend": {
                "calcs": ["lastNotNull", "max"],
                "displayMode": "table",
                "placement": "right",
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    }


def state_timeline(
    head: Head, queries: tuple[Query, ...], meanings: tuple[Meaning, ...], *, link: Links = None
) -> Panel:
    """A band per series that changes colour and text with its state; twenty bands a page."""
    defaults = field_defaults("none", code_steps(meanings), meanings, link, None) | {
        "custom": {"fillOpacity": 80, "lineWidth": 0}
    }
    return assemble("state-timeline", head, defaults, queries) | {
        "options": {
            "alignValue": "left",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "mergeValues": True,
            "perPage": 20,
            "rowHeight": 0.85,
            "showValue": "auto",
            "tooltip": {"mode": "single", "sort": "none"},
        }
    }


def status_history(
    head: Head, queries: tuple[Query, ...], meanings: tuple[Meaning, ...], *, every: str, link: Links = None
) -> Panel:
    """A grid: a line per series, a field for each stretch of time (``every``: 1h), coloured by the worst state in it."""
    defaults = field_defaults("none", code_steps(meanings), meanings, link, None) | {
        "custom": {"fillOpacity": 80, "lineWidth": 1}
    }
    return assemble("status-history", head, defaults, queries) | {
        "interval": every,
        "options": {
            "colWidth": 0.9,
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "perPage": 20,
            "rowHeight": 0.85,
            "showValue": "never",
            "tooltip": {"mode": "single", "sort": "none"},
        },
    }


def row(id: int, y: int, title: Words, folded: tuple[Panel, ...] = ()) -> Panel:
    """A heading; with ``folded`` panels it starts closed and queries nothing until someone opens it."""
    return {
        "id": id,
        "type": "row",
        "title": title.title,
        "collapsed": bool(folded),
        "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        "panels": list(folded),
    }


def assemble(
    kind: str,
    head: Head,
    defaults: dict[str, Any],
    queries: tuple[Query, ...],
    *,
    instant: bool = False,
    form: str = "time_series",
    overrides: list[dict[str, Any]] | None = None,
) -> Panel:
    is_rare = all(query.is_rare for query in queries)
    return {
        "id": head.id,
        "type": kind,
        "title": head.title.title,
        "description": head.description.text,
        "gridPos": head.place._asdict(),
        "datasource": DATASOURCE,
        "targets": targets(queries, instant, form),
        "fieldConfig": {
            "defaults": defaults | {"noValue": NONE_OR_NO_VALUE if is_rare else NO_VALUE},
            "overrides": overrides or [],
        },
    }


def field_defaults(
    unit: Unit, thresholds: Steps, meanings: tuple[Meaning, ...], link: Links, decimals: int | None
) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "unit": unit,
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"value": at, "color": colour} for at, colour in thresholds]},
        "mappings": value_mapping(meanings) if meanings else [],
        "links": [each.json() for each in ((link,) if isinstance(link, Link) else link or ())],
    }
    return defaults if decimals is None else defaults | {"decimals": decimals}


def targets(queries: tuple[Query, ...], instant: bool, form: str) -> list[dict[str, Any]]:
    return [
        {
            "refId": chr(ord("A") + index),
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "format": form,
            "instant": instant,
            "range": not instant,
            "legendFormat": query.legend or "__auto",
        }
        for index, query in enumerate(queries)
    ]
