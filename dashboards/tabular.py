"""Panels that read a table of series: the table itself and the map."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.palette import UNKNOWN, Meaning, code_steps
from dashboards.panel import Head, Links, Panel, Query, Steps, Unit, Words, assemble, field_defaults


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's label columns, in order, and how its number is called and drawn.

    Label columns keep their names: links take values from them by that name.
    """

    labels: tuple[str, ...]
    value: Words
    hidden: tuple[str, ...] = ("Time", "job", "instance")


def table(
    head: Head,
    unit: Unit,
    thresholds: Steps,
    query: Query,
    columns: Columns,
    *,
    link: Links = None,
    meanings: tuple[Meaning, ...] = (),
    worst_first: bool = True,
) -> Panel:
    """One row per series, its labels as columns; sorted by the number."""
    value = columns.value.title
    overrides = [
        {
            "matcher": {"id": "byName", "options": value},
            "properties": [{"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}}],
        }
    ]
    order = {name: index for index, name in enumerate((*columns.labels, "Value"))}
    return assemble(
        "table",
        head,
        field_defaults(unit, thresholds, meanings, link, None)
        | {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True}},
        (query,),
        instant=True,
        form="table",
        overrides=overrides,
    ) | {
        "options": {
            "cellHeight": "sm",
            "frameIndex": 0,
            "showHeader": True,
            "sortBy": [{"displayName": value, "desc": worst_first}],
        },
        "transformations": [
            {
                "id": "organize",
                "options": {
                    "excludeByName": {name: True for name in columns.hidden if name not in columns.labels},
                    "indexByName": order,
                    "renameByName": {"Value": value, "Value #A": value},
                },
            }
        ],
    }


def state_map(head: Head, query: Query, meanings: tuple[Meaning, ...], *, label: str, link: Links = None) -> Panel:
    """Sites on a map, by their ``geohash`` label, named by ``label``.

    Country outlines come from the Grafana server itself, so the map is not blank where no tile server is reached.
    """
    outlines = {
        "type": "geojson",
        "name": "국가 / Countries",
        "config": {
            "src": "public/maps/countries.geojson",
            "rules": [],
            "style": {"color": {"fixed": UNKNOWN}, "opacity": 0.15, "lineWidth": 1},
        },
        "tooltip": False,
    }
    markers = {
        "type": "markers",
        "name": "사이트 / Sites",
        "location": {"mode": "geohash", "geohash": "geohash"},
        "config": {
            "showLegend": False,
            "style": {
                "color": {"field": "Value", "fixed": UNKNOWN},
                "opacity": 0.9,
                "size": {"fixed": 9, "min": 6, "max": 15},
                "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                "text": {"mode": "field", "field": label, "fixed": ""},
                "textConfig": {"fontSize": 12, "offsetX": 0, "offsetY": 16, "textAlign": "center"},
            },
        },
        "tooltip": True,
    }
    defaults = field_defaults("none", code_steps(meanings), meanings, link, None)
    return assemble("geomap", head, defaults, (query,), instant=True, form="table") | {
        "options": {
            "basemap": {"type": "default", "name": "Basemap"},
            "controls": {"mouseWheelZoom": False, "showAttribution": True, "showScale": False, "showZoom": True},
            "layers": [outlines, markers],
            "tooltip": {"mode": "details"},
            "view": {"id": "coords", "lat": 15, "lon": 30, "zoom": 1.5, "allLayers": True},
        },
        "transformations": [
            {"id": "organize", "options": {"excludeByName": {"Time": True, "job": True, "instance": True}}}
        ],
    }
