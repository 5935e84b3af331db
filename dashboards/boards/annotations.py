"""Marks on the time axis that boards share. They are queries: no Grafana API, token or upkeep is needed for them."""

from __future__ import annotations

from dashboards.board import Annotation
from dashboards.palette import DOWN, MAINTENANCE
from dashboards.panel import Words
from dashboards.selectors import SITE

WORK_MARKS = Annotation(
    Words("점검", "Maintenance"),
    f"max by (site) (bongsu_maintenance_active{{{SITE}}}) == 1",
    "{{site}}",
    MAINTENANCE,
)

INCIDENT_MARKS = Annotation(
    Words("장애 건", "Incidents"),
    f"max by (site) (bongsu_site_incidents_open{{{SITE}}}) > 0",
    "{{site}}",
    DOWN,
)
