"""The rules' tick on a real database: alerts are rows, a restart changes nothing, late reports move beginnings back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from centre import HandClock
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from collector.access.caller import Caller
from collector.history.own import OwnSeries
from collector.history.promql.memory import Memory
from collector.history.query import Query
from collector.history.source import LabelSet
from collector.rules.api import router
from collector.rules.files import read_rules
from collector.rules.job import RuleJob, interests
from collector.rules.tables import rule_alerts
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope

MINUTE = 60_000
START = 1_790_000_040_000 // MINUTE * MINUTE
RULES = """
groups:
- name: one
  interval: 1m
  rules:
  - record: site:down:sum
    expr: sum by (agency, site) (down)
  - alert: Down
    expr: site:down:sum > 0
    for: 3m
    keep_firing_for: 2m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.site }}: {{ $value }}"}
- name: slow
  interval: 5m
  rules:
  - record: five
    expr: vector(5)
"""


def series(site: str, agency: str = "for") -> LabelSet:
    return (("__name__", "down"), ("agency", agency), ("site", site))


@dataclass
class Desk:
    """A job on rules above, on series a test writes by hand."""

    store: Store
    rules: str = RULES
    memory: Memory = field(default_factory=Memory)
    late_ms: int | None = None

    def __post_init__(self) -> None:
        self.clock = HandClock()
        self.counted = [0, 0]
        self.restart()

    def restart(self) -> None:
        """A new process on the same rows."""
        self.own = OwnSeries(self.store)
        self.own.restore(self.clock.now_ms)
        groups = read_rules(self.rules, "t.yaml")
        self.job = RuleJob(
            self.store,
            groups,
            [self.memory, self.own],
            self.own,
            self.clock,
            refresh=lambda _now: self.late(),
            count=self.count,
        )
        self.job.restore()

    def count(self, ok: int, failed: int) -> None:
        self.counted = [self.counted[0] + ok, self.counted[1] + failed]

    def late(self) -> int | None:
        found, self.late_ms = self.late_ms, None
        return found

    def tick(self, at_ms: int) -> None:
        self.clock.now_ms = at_ms
        self.job.step(datetime.fromtimestamp(at_ms / 1000, UTC))

    def minutes(self, first: int, last: int, **sites: float) -> None:
        """Every minute a sample of each site, and a tick."""
        for minute in range(first, last):
            for site, value in sites.items():
                self.memory.add(series(site), START + minute * MINUTE, value)
            self.tick(START + minute * MINUTE + 500)

    @property
    def alerts(self) -> dict[str, str]:
        """State by site."""
        state = self.job.states["t.yaml;one"].rules[1]
        return {dict(one.labels)["site"]: one.state for one in state.alerts.values()}

    def active_at(self, site: str) -> int:
        """In minutes from the start."""
        alerts = self.job.states["t.yaml;one"].rules[1].alerts.values()
        (found,) = [one.active_at_ms for one in alerts if dict(one.labels)["site"] == site]
        return (found - START) // MINUTE

    def query(self, text: str, minute: int) -> list[Any]:
        return Query([self.own], EVERYTHING).instant(text, START + minute * MINUTE)["result"]  # type: ignore[no-any-return]

    def rows(self) -> int:
        with self.store.reading() as connection:
            return connection.execute(select(func.count()).select_from(rule_alerts)).scalar_one()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_pending_firing_resolved(desk: Desk) -> None:
    desk.minutes(0, 1, abuja=0, dubai=0)
    assert desk.alerts == {}
    desk.minutes(1, 4, abuja=1, dubai=0)
    assert desk.alerts == {"abuja": "pending"}
    desk.minutes(4, 5, abuja=1, dubai=0)
    assert (desk.alerts, desk.active_at("abuja"), desk.rows()) == ({"abuja": "firing"}, 1, 1)
    desk.minutes(5, 7, abuja=0, dubai=0)
    assert desk.alerts == {"abuja": "firing"}  # kept
    desk.minutes(7, 8, abuja=0, dubai=0)
    assert desk.alerts == {"abuja": "resolved"}
    desk.minutes(8, 24, abuja=0, dubai=0)
    assert (desk.alerts, desk.rows()) == ({}, 0)


@pytest.mark.parametrize("at", [1, 3, 5, 7])
def test_a_restart_at_any_minute_changes_nothing(desk: Desk, at: int) -> None:
    story = [0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0]
    states = []
    for minute, value in enumerate(story):
        if minute == at:
            desk.restart()
        desk.minutes(minute, minute + 1, abuja=value)
        states.append(desk.alerts.get("abuja", ""))
    assert states == ["", *["pending"] * 3, *["firing"] * 5, "resolved", "resolved"]
    assert desk.active_at("abuja") == 1


def test_what_rules_write_can_be_asked_for(desk: Desk) -> None:
    desk.minutes(0, 6, abuja=2)
    (recorded,) = desk.query("site:down:sum", 5)
    assert (recorded["metric"]["site"], recorded["value"][1]) == ("abuja", "2")
    (alert,) = desk.query('ALERTS{alertname="Down"}', 5)
    assert alert["metric"]["alertstate"] == "firing"
    assert len(desk.query("ALERTS", 2)) == 1
    assert len(desk.query("five", 5)) == 1
    desk.minutes(6, 12, abuja=0)
    assert desk.query("ALERTS", 11) == []  # ended, not looked back to


def test_a_group_keeps_its_interval_and_its_instants(desk: Desk) -> None:
    desk.minutes(0, 12, abuja=0)
    times = {
        at for at, _ in Query([desk.own], EVERYTHING).instant("five[30m]", START + 12 * MINUTE)["result"][0]["values"]
    }
    assert times == {at // 1000 for at in range(START - START % (5 * MINUTE), START + 12 * MINUTE, 5 * MINUTE)}
    desk.tick(START + 12 * MINUTE)
    before = desk.job.states["t.yaml;one"].evaluated_at_ms
    desk.tick(START + 12 * MINUTE + 30_000)
    assert desk.job.states["t.yaml;one"].evaluated_at_ms == before


def test_late_reports_move_the_beginning_back(desk: Desk) -> None:
    """The line was cut for ten minutes; what comes then says that it has been wrong for eight of them, and still is."""
    desk.rules = RULES.replace("site:down:sum > 0", "sum by (agency, site) (down) > 0")
    desk.restart()
    desk.minutes(0, 1, abuja=0)
    desk.minutes(1, 10)
    for minute in range(1, 11):
        desk.memory.add(series("abuja"), START + minute * MINUTE, float(minute > 2))
    desk.late_ms = START + MINUTE
    desk.tick(START + 10 * MINUTE + 500)
    assert (desk.alerts, desk.active_at("abuja")) == ({"abuja": "firing"}, 3)


def test_what_began_and_ended_during_a_cut_raises_nothing(desk: Desk) -> None:
    desk.rules = RULES.replace("site:down:sum > 0", "sum by (agency, site) (down) > 0")
    desk.restart()
    desk.minutes(0, 1, abuja=0)
    desk.minutes(1, 10)
    for minute in range(1, 11):
        desk.memory.add(series("abuja"), START + minute * MINUTE, float(2 < minute < 9))
    desk.late_ms = START + MINUTE
    desk.tick(START + 10 * MINUTE + 500)
    assert (desk.alerts, desk.rows()) == ({}, 0)


def test_a_rule_that_cannot_be_evaluated_keeps_its_alerts(desk: Desk) -> None:
    desk.minutes(0, 6, abuja=1)
    assert desk.alerts == {"abuja": "firing"}
    desk.rules = RULES.replace("site:down:sum > 0", "site:down:sum + on () group_left () {__name__=~'site.*|down'} > 0")
    desk.restart()
    desk.minutes(6, 10, abuja=0)
    state = desk.job.states["t.yaml;one"].rules[1]
    assert "many-to-many matching not allowed" in state.error
    assert desk.counted[1] == 4
    assert desk.alerts == {"abuja": "firing"}


def test_alerts_of_a_rule_that_is_gone_go_with_it(desk: Desk) -> None:
    desk.minutes(0, 6, abuja=1)
    desk.rules = RULES.replace("alert: Down", "alert: Other")
    desk.restart()
    assert desk.rows() == 0


def test_what_rules_ask_for() -> None:
    found = interests(read_rules(RULES.replace("> 0", "> rate(down[1h] offset 5m)"), "t.yaml"))
    assert [(one[0][0].value, reach) for one in found for reach in [one[1]]] == [
        ("down", 300_000),
        ("site:down:sum", 300_000),
        ("down", 3_900_000),
    ]


@pytest.fixture
def http(desk: Desk) -> Iterator[TestClient]:
    desk.minutes(0, 6, abuja=1)
    desk.memory.add(series("dubai", "koica"), START + 6 * MINUTE, 1.0)
    desk.minutes(6, 7, abuja=1)
    app = FastAPI()

    @app.middleware("http")
    async def who(request: Request, call_next: Any) -> Any:
        agency = request.headers.get("agency")
        request.state.caller = Caller("x", "viewer", Scope(frozenset({agency})) if agency else EVERYTHING)
        return await call_next(request)

    app.include_router(router(desk.job))
    with TestClient(app) as client:
        yield client


def test_rules_and_alerts_in_prometheus_own_form(http: TestClient) -> None:
    groups = http.get("/api/v1/rules").json()["data"]["groups"]
    assert [(group["name"], group["file"], group["interval"]) for group in groups] == [
        ("one", "t.yaml", 60.0),
        ("slow", "t.yaml", 300.0),
    ]
    recording, alerting = groups[0]["rules"]
    assert (recording["type"], recording["health"], recording["query"]) == (
        "recording",
        "ok",
        "sum by (agency, site) (down)",
    )
    assert (alerting["type"], alerting["state"], alerting["duration"], alerting["keepFiringFor"]) == (
        "alerting",
        "firing",
        180.0,
        120.0,
    )
    assert alerting["annotations"] == {"summary": "{{ $labels.site }}: {{ $value }}"}
    alerts = {one["labels"]["site"]: one for one in http.get("/api/v1/alerts").json()["data"]["alerts"]}
    assert (alerts["abuja"]["state"], alerts["dubai"]["state"]) == ("firing", "pending")
    assert alerts["abuja"]["labels"] == {"alertname": "Down", "severity": "critical", "agency": "for", "site": "abuja"}
    assert alerts["abuja"]["annotations"] == {"summary": "abuja: 1"}
    assert alerts["abuja"]["value"] == "1"
    assert alerts["abuja"]["activeAt"] == datetime.fromtimestamp(START / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_only_rules_of_a_kind(http: TestClient) -> None:
    groups = http.get("/api/v1/rules", params={"type": "record"}).json()["data"]["groups"]
    assert [[rule["name"] for rule in group["rules"]] for group in groups] == [["site:down:sum"], ["five"]]
    refused = http.get("/api/v1/rules", params={"type": "other"})
    assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")


def test_a_caller_sees_the_alerts_of_their_agency(http: TestClient) -> None:
    for agency, sites in (("for", ["abuja"]), ("koica", ["dubai"]), ("other", [])):
        alerts = http.get("/api/v1/alerts", headers={"agency": agency}).json()["data"]["alerts"]
        assert [one["labels"]["site"] for one in alerts] == sites
        rules = http.get("/api/v1/rules", headers={"agency": agency}).json()["data"]["groups"][0]["rules"]
        assert [one["labels"]["site"] for one in rules[1]["alerts"]] == sites
