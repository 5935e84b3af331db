"""A small collector with alerts on its stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stage import Stage, set_stage
from starlette.testclient import TestClient

from collector.alerts import alertmanager_api, intake_api
from collector.alerts.book import AlertBook
from collector.alerts.job import AlertJob
from collector.alerts.silence import Silences
from collector.alerts.silence_desk import SilenceDesk
from collector.history.own import OwnSeries
from collector.rules.job import RuleJob
from collector.settings_alerts import Intake
from collector.store.engine import Store

INTAKES = (
    Intake(name="noc", format="alertmanager", key="0123456789abcdef0"),
    Intake(
        name="zabbix",
        format="json",
        key="fedcba98765432100",
        alerts="/events",
        labels={"alertname": "/trigger", "instance": "/host"},
        fixed={"origin": "zabbix"},
        annotations={"summary": "/text", "sent_by": "#/server"},
        severity="/level",
        severities={"Disaster": "critical", "Average": "warning"},
        status="/state",
        resolved="OK",
        starts_at="/clock",
    ),
)


@dataclass
class Alerting:
    stage: Stage
    book: AlertBook
    silences: Silences
    job: AlertJob
    client: TestClient

    def names(self) -> dict[str, Any]:
        """Alerts by name -> still firing."""
        return {alert.name: alert.ended_at_ms is None for alert in self.book.now(self.stage.clock.now)}


def set_alerting(store: Store, tmp_path: Path) -> Alerting:
    stage = set_stage(store, tmp_path)
    stage.settings = replace(stage.settings, intakes=INTAKES)
    rules = RuleJob(store, (), (), OwnSeries(store), stage.clock)
    book, silences = AlertBook(store, stage.registry, rules), Silences()
    desk = SilenceDesk(store, stage.clock, book.now, silences)
    stage.fastapi.include_router(alertmanager_api.router(stage, book, desk))
    stage.fastapi.include_router(intake_api.router(stage, book))
    return Alerting(
        stage, book, silences, AlertJob(store, book, silences), stage.program("prometheus", role="noc_operator")
    )
