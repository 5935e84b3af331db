"""Webhooks of others: Alertmanager's, Grafana's, and any JSON by a mapping."""

from __future__ import annotations

from typing import Any

from small_alerting import Alerting

ALERTMANAGER, ZABBIX = "/v1/alerts/alertmanager/0123456789abcdef0", "/v1/alerts/json/fedcba98765432100"
# What Grafana 11 sends to a contact point of kind webhook, shortened.
GRAFANA = {
    "receiver": "bongsu", "status": "firing", "orgId": 1, "version": "1", "title": "[FIRING:1]", "state": "alerting",
    "groupKey": "{}:{}", "truncatedAlerts": 0,
    "alerts": [{
        "status": "firing", "labels": {"alertname": "High load", "grafana_folder": "f", "site": "here"},
        "annotations": {"summary": "load"}, "startsAt": "2026-11-22T07:50:00Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://grafana/alerting", "fingerprint": "57c6d9296de2ad39", "silenceURL": "…", "values": {"A": 9.5},
    }],
}  # fmt: skip
EVENT = {"trigger": "NoPing", "host": "web.there", "text": "no ping", "level": "disaster", "state": "PROBLEM",
         "clock": 1795333800}  # fmt: skip


def send(alerting: Alerting, path: str, document: Any) -> tuple[int, Any]:
    answer = alerting.stage.client().post(path, json=document)
    return answer.status_code, answer.json()


def test_grafana(alerting: Alerting) -> None:
    assert send(alerting, ALERTMANAGER, GRAFANA) == (200, {"alerts": 1})
    (alert,) = alerting.book.now(alerting.stage.clock.now)
    assert (alert.name, alert.subject, alert.source) == ("High load", ("site", "here"), "webhook")
    over = GRAFANA | {"alerts": [GRAFANA["alerts"][0] | {"status": "resolved", "endsAt": "2026-11-22T07:59:00Z"}]}  # type: ignore[index, operator]
    send(alerting, ALERTMANAGER, over)
    assert alerting.names() == {"High load": False}


def test_any_json_by_a_mapping(alerting: Alerting) -> None:
    document = {"server": "zbx1", "events": [EVENT, EVENT | {"trigger": "Slow", "level": "Average"}]}
    assert send(alerting, ZABBIX, document) == (200, {"alerts": 2})
    alerts = {alert.name: alert for alert in alerting.book.now(alerting.stage.clock.now)}
    ping = alerts["NoPing"]
    assert (ping.severity, alerts["Slow"].severity, ping.agency) == ("critical", "warning", "owner")
    assert ping.started_at_ms == 1795333800_000
    assert dict(ping.annotations) == {"summary": "no ping", "sent_by": "zbx1"}
    assert dict(ping.labels)["origin"] == "zabbix"
    send(alerting, ZABBIX, {"events": [EVENT | {"state": "ok"}]})
    assert alerting.names() == {"NoPing": False, "Slow": True}


def test_what_is_not_understood_is_refused_whole(alerting: Alerting) -> None:
    wrong: tuple[tuple[str, Any, int, str], ...] = (
        ("/v1/alerts/alertmanager/0000000000000000", GRAFANA, 404, "No intake"),
        (ALERTMANAGER.replace("alertmanager", "json", 1), GRAFANA, 404, "No intake"),
        (ALERTMANAGER, {"alerts": 3}, 400, "noc: alerts: expected a list"),
        (ALERTMANAGER, {"alerts": [{"status": "odd"}]}, 400, "expected 'firing' or 'resolved'"),
        (ZABBIX, {"events": [{"host": "x"}]}, 400, "no label alertname"),
        (ZABBIX, {"events": [EVENT | {"clock": "soon"}]}, 400, "expected RFC 3339"),
        (ZABBIX, {}, 400, "expected each alert to be an object"),
    )
    for path, document, status, said in wrong:
        answered, body = send(alerting, path, document)
        assert answered == status, said
        assert said in body["detail"]
    assert alerting.names() == {}
