"""Alertmanager's API over HTTP: alerts in and out, silences, scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from small_alerting import Alerting

from collector.store.scope import Scope

DISK = {"labels": {"alertname": "DiskFull", "instance": "web.here:9100", "agency": "stranger", "severity": "page"}}


def post(alerting: Alerting, *alerts: dict[str, Any], client: Any = None) -> tuple[int, Any]:
    answer = (client or alerting.client).post("/api/v2/alerts", json=list(alerts))
    return answer.status_code, answer.text


def listed(alerting: Alerting, query: str = "", client: Any = None) -> list[str]:
    answer = (client or alerting.client).get(f"/api/v2/alerts{query}")
    assert answer.status_code == 200, answer.text
    return [alert["labels"]["alertname"] for alert in answer.json()]


def silence(alerting: Alerting, minutes: int = 60, client: Any = None, **more: Any) -> Any:
    now = alerting.stage.clock.now
    said = {
        "matchers": [{"name": "alertname", "value": "Disk.*", "isRegex": True, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=minutes)).isoformat(),
        "createdBy": "kim",
        "comment": "disk is being replaced",
    }
    return (client or alerting.client).post("/api/v2/silences", json=said | more)


def test_an_alert_belongs_where_the_registry_says(alerting: Alerting) -> None:
    assert post(alerting, DISK) == (200, "")
    (alert,) = alerting.book.now(alerting.stage.clock.now)
    assert (alert.subject, alert.site, alert.agency, alert.severity) == (
        ("host", "web.here"),
        "here",
        "owner",
        "critical",
    )
    labels = {"agency": "owner", "site": "here", "hub": "mea", "instance": "web.here"}
    assert labels.items() <= dict(alert.labels).items()
    (shown,) = alerting.client.get("/api/v2/alerts").json()
    assert set(shown) == {"annotations", "endsAt", "fingerprint", "receivers", "startsAt", "status", "updatedAt",
                          "generatorURL", "labels"}  # fmt: skip
    assert shown["startsAt"] == "2026-11-22T08:00:00.000Z"
    assert shown["status"] == {"inhibitedBy": [], "silencedBy": [], "mutedBy": [], "state": "active"}


def test_it_is_over_unless_it_is_sent_again(alerting: Alerting) -> None:
    clock = alerting.stage.clock
    post(alerting, DISK)
    clock.move(timedelta(minutes=4))
    post(alerting, DISK)
    clock.move(timedelta(minutes=4))
    assert listed(alerting) == ["DiskFull"]
    clock.move(timedelta(minutes=2))
    assert listed(alerting) == []
    assert alerting.names() == {"DiskFull": False}
    clock.move(timedelta(minutes=16))
    assert alerting.names() == {}
    alerting.job.step(clock.now)
    clock.move(timedelta(hours=1))
    alerting.job.step(clock.now)
    assert alerting.book.size == 0


def test_another_process_reads_what_this_one_took(
    alerting: Alerting,
) -> None:
    post(alerting, DISK)
    silence(alerting)
    alerting.book._received.clear()
    alerting.silences.replace(())
    alerting.job.restore()
    assert listed(alerting, "?silenced=false") == []
    assert listed(alerting) == ["DiskFull"]


def test_filters(alerting: Alerting) -> None:
    post(alerting, DISK)
    for query, names in (
        ("?filter=alertname%3D%22DiskFull%22", ["DiskFull"]),
        ("?filter=site%3D~%22he.%2A%22&filter=severity!%3Dpage", []),
        ("?filter=site%3D~%22he.%2A%22", ["DiskFull"]),
        ("?filter=nothing%3D", ["DiskFull"]),
        ("?receiver=bong.%2A", ["DiskFull"]),
        ("?receiver=bong", []),
        ("?active=false", []),
    ):
        assert listed(alerting, query) == names, query


def test_what_is_wrong_is_said_as_alertmanager_does(alerting: Alerting) -> None:
    status, text = post(alerting, {"labels": {}}, DISK)
    assert (status, text) == (400, '"at least one label pair required"')
    assert listed(alerting) == ["DiskFull"], "the others are taken"
    assert alerting.client.get("/api/v2/alerts?filter=a%3D~(").status_code == 400
    assert alerting.client.post("/api/v2/alerts", content=b"[{").status_code == 400
    assert post(alerting, DISK | {"startsAt": "yesterday"})[0] == 400
    assert alerting.client.get("/api/v2/silence/none").status_code == 404


def test_nobody_speaks_for_or_sees_what_is_not_theirs(alerting: Alerting) -> None:
    stranger = alerting.stage.program("stranger", role="noc_operator", scope=Scope(frozenset({"stranger"})))
    viewer = alerting.stage.program("viewer")
    status, text = post(alerting, DISK, client=stranger)
    assert status == 400
    assert "may speak for" in text
    post(alerting, DISK, {"labels": {"alertname": "Elsewhere"}})
    assert listed(alerting, client=stranger) == []
    name = silence(alerting).json()["silenceID"]
    assert stranger.get("/api/v2/silences").json() == []
    assert stranger.delete(f"/api/v2/silence/{name}").status_code == 404
    assert post(alerting, DISK, client=viewer)[0] == 403 == silence(alerting, client=viewer).status_code
    theirs = silence(alerting, client=stranger).json()["silenceID"]
    labels = {"alertname": "DiskFull", "agency": "stranger"}
    assert set(alerting.silences.by(labels, alerting.stage.clock.now)) == {name, theirs}
    assert alerting.silences.by(labels | {"agency": "owner"}, alerting.stage.clock.now) == [name]


def test_a_silence_from_its_beginning_to_its_end(alerting: Alerting) -> None:
    clock, labels = alerting.stage.clock, {"alertname": "DiskFull", "agency": "owner", "site": "here"}
    post(alerting, DISK)
    name = silence(alerting).json()["silenceID"]
    assert alerting.silences.silenced(labels, clock.now) == name
    (shown,) = alerting.client.get("/api/v2/alerts").json()
    assert shown["status"]["state"] == "suppressed"
    assert shown["status"]["silencedBy"] == [name]
    assert listed(alerting, "?silenced=false") == []
    (group,) = alerting.client.get("/api/v2/alerts/groups").json()
    assert group["labels"] == {"alertname": "DiskFull", "site": "here"}
    kept = alerting.client.get(f"/api/v2/silence/{name}").json()
    assert kept["status"] == {"state": "active"}
    assert kept["createdBy"] == "kim"
    longer = silence(alerting, 120, id=name, startsAt=kept["startsAt"]).json()["silenceID"]
    assert longer == name, "an end may move"
    other = [{"name": "alertname", "value": "DiskFull", "isRegex": False, "isEqual": True}]
    changed = silence(alerting, id=name, matchers=other).json()["silenceID"]
    assert changed != name, "what was silenced is not rewritten"
    states = {one["id"]: one["status"]["state"] for one in alerting.client.get("/api/v2/silences").json()}
    assert states == {name: "expired", changed: "active"}
    assert alerting.client.delete(f"/api/v2/silence/{changed}").status_code == 200
    assert alerting.silences.silenced(labels, clock.now) == ""
    assert alerting.client.delete(f"/api/v2/silence/{changed}").status_code == 500
    clock.move(timedelta(days=31))
    alerting.job.step(clock.now)
    alerting.job.step(clock.now)
    assert alerting.silences.all == ()


def test_a_silence_that_is_none(alerting: Alerting) -> None:
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"endsAt": "2026-11-22T07:00:00Z"}, "start time must be before end time"),
        ({"startsAt": "2026-11-22T06:00:00Z", "endsAt": "2026-11-22T07:00:00Z"}, "in the past"),
        ({"matchers": []}, "at least one matcher"),
        ({"matchers": [{"name": "a", "value": ".*", "isRegex": True}]}, "at least one matcher"),
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, "regexp"),
        ({"comment": 3}, "parsing body"),
        ({"id": "none"}, "not found"),
    )
    for more, said in wrong:
        answer = silence(alerting, **more)
        assert answer.status_code in (400, 404), more
        assert said in answer.json()
    assert alerting.client.get("/api/v2/silences").json() == []


def test_a_token_may_come_as_a_password(alerting: Alerting) -> None:
    alerting.stage.program("amtool", role="noc_operator")
    client = alerting.stage.client()
    assert client.get("/api/v2/alerts").status_code == 401
    assert client.post("/api/v2/alerts", json=[DISK], auth=("any", "secret-amtool")).status_code == 200
    assert client.get("/api/v2/alerts", auth=("any", "none")).status_code == 401
    browser = client.get("/api/v2/alerts", auth=("any", "secret-amtool"), headers={"Sec-Fetch-Site": "cross-site"})
    assert browser.status_code == 401
