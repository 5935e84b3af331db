"""A whole board: its variables, time range and panels, as Grafana's classic JSON.

Classic because it is the one form that Grafana 8 to 13 imports, provisions from files and takes over its API.
``id`` stays null and the uid fixed, so the same board lands on the same address in every Grafana; it is not editable,
because a change made there would be lost with the next delivery ("save as" makes a copy that is one's own).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboards.panel import DATASOURCE, Panel, Words

SCHEMA_VERSION = 39
DATASOURCE_UID = "bongsu-prometheus"
DATASOURCE_NAME = "Bongsu Prometheus"
FOLDER_UID = "bongsu"
FOLDER_TITLE = "봉수 Bongsu"
TAG = "bongsu"


@dataclass(frozen=True, slots=True)
class Variable:
    """A drop-down filled from a label of a metric, narrowed by the ones before it.

    ``everything`` is the pattern that stands for All: ``.+``, or ``.*`` where the label may be missing (the hub of a
    site that reports to the centre directly), because ``.+`` would hide exactly those.
    """

    name: str
    label: Words
    metric: str
    everything: str = ".+"


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks on the time axis while an expression holds."""

    title: Words
    expr: str
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Board:
    uid: str
    title: Words
    description: Words
    tags: tuple[str, ...]
    span: str
    refresh: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]
    annotations: tuple[Annotation, ...] = ()

    def json(self) -> dict[str, Any]:
        """The dashboard as Grafana stores it."""
        return {
            "id": None,
            "uid": self.uid,
            "title": self.title.title,
            "description": self.description.text,
            "tags": [TAG, *self.tags],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "liveNow": False,
            "fiscalYearStartMonth": 0,
            "timezone": "",
            "weekStart": "",
            "refresh": self.refresh,
            "time": {"from": f"now-{self.span}", "to": "now"},
            "timepicker": {},
            "annotations": {"list": [_annotation(each) for each in self.annotations]},
            "links": [_navigation()],
            "templating": {"list": [_datasource(), *chain(self.variables)]},
            "panels": list(self.panels),
        }


def chain(variables: tuple[Variable, ...]) -> list[dict[str, Any]]:
    """Query variables, each asking only within what those before it chose, asked again when the time range moves."""
    made = []
    chosen: list[str] = []
    for variable in variables:
        query = f"label_values({variable.metric}{{{','.join(chosen)}}}, {variable.name})"
        made.append(
            {
                "type": "query",
                "name": variable.name,
                "label": variable.label.title,
                "datasource": DATASOURCE,
                "definition": query,
                "query": {"query": query, "refId": f"variable-{variable.name}"},
                "refresh": 2,
                "multi": True,
                "includeAll": True,
                "allValue": variable.everything,
                "hide": 0,
                "options": [],
                "regex": "",
                "skipUrlSync": False,
                "sort": 1,
            }
        )
        chosen.append(f'{variable.name}=~"${variable.name}"')
    return made


def _datasource() -> dict[str, Any]:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "current": {"selected": True, "text": DATASOURCE_NAME, "value": DATASOURCE_UID},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
    }


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "name": annotation.title.title,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": annotation.colour,
        "expr": annotation.expr,
        "step": "60s",
        "titleFormat": annotation.title.title,
        "textFormat": annotation.text,
        "useValueForTime": False,
    }


def _navigation() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "봉수 보드 / Bongsu boards",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
