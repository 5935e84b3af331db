"""What other Alertmanagers are told, and when: the ledger in a table of minutes, the teller against little servers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry
from stage import HandClock

from collector.alerts.alert import FiringAlert, firing
from collector.alerts.outward import Ledger, disturbance
from collector.alerts.teller import Teller
from collector.fleet.registry import Fleet
from collector.settings_alerts import AlertmanagerTarget
from collector.telemetry_alerts import AlertTelemetry

MIN = 60_000


def alert(name: str, ended: int | None = None) -> FiringAlert:
    labels = (("alertname", name),)
    return firing("rule", labels, (), Fleet(), 0, None if ended is None else ended * MIN)


def told(ledger: Ledger, minute: float, *alerts: FiringAlert, takes: bool = True) -> list[str]:
    """Names of what is due at this minute, with a dot where it is over."""
    now_ms = round(minute * MIN)
    due = ledger.due(alerts, now_ms)
    if takes:
        ledger.sent(due, now_ms)
    return [one.name + ("." if one.ended_at_ms is not None else "") for one in due]


def test_each_minute_until_a_quarter_of_an_hour_after() -> None:
    ledger = Ledger()
    assert told(ledger, 1, alert("A"), alert("Z", 0)) == ["A", "Z."], "as it was before a restart of ours"
    ledger = Ledger()
    assert told(ledger, 1, alert("A")) == ["A"]
    assert told(ledger, 1.5, alert("A")) == []
    assert told(ledger, 1.6, alert("A"), alert("B")) == ["B"], "news at once"
    assert told(ledger, 2, alert("A"), alert("B")) == ["A"]
    assert told(ledger, 2.1, alert("A", 2), alert("B")) == ["A."]
    assert told(ledger, 3.1, alert("A", 2)) == ["B.", "A."], "gone is over"
    assert told(ledger, 16.9, alert("A", 2)) == ["A.", "B."]
    assert told(ledger, 17.5) == []
    assert told(ledger, 18) == ["B."]
    assert told(ledger, 30) == []


def test_who_was_away_hears_the_newest_state_and_not_what_came_and_went() -> None:
    ledger = Ledger()
    assert told(ledger, 1, alert("A")) == ["A"]
    assert told(ledger, 2, alert("A"), alert("B"), takes=False) == ["B", "A"]
    assert ledger.lag_ms(12 * MIN) == 10 * MIN
    assert told(ledger, 60, alert("A", 59), alert("B", 50), alert("C"), takes=False) == ["A.", "C"]
    assert told(ledger, 61, alert("A", 59), alert("C")) == ["A.", "C"]
    assert ledger.lag_ms(62 * MIN) == 0


def test_a_disturbance_is_an_alert_to_those_who_know_nothing_else() -> None:
    found = disturbance("site", "abuja", "power", "critical", 5, Fleet())
    assert dict(found.labels) == {
        "alertname": "SiteTrouble",
        "reason": "power",
        "severity": "critical",
        "site": "abuja",
    }


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, self.headers["authorization"], json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver(status: int = 200) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status = [], status  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def teller(server: ThreadingHTTPServer, alerts: Iterable[FiringAlert], clock: HandClock, token: str = "") -> Teller:
    url = f"http://127.0.0.1:{server.server_port}/am/"
    target = AlertmanagerTarget(name="noc", url=url, bearer_token_file=token, timeout_seconds=5)
    return Teller(target, lambda _now: alerts, clock, AlertTelemetry(CollectorRegistry()), "http://bongsu")


def test_batches_with_a_token(tmp_path: object) -> None:
    secret = f"{tmp_path}/token"
    with open(secret, "w") as file:
        file.write("s3cret\n")
    with receiver() as server:
        one = teller(server, [alert(f"A{n}") for n in range(100)], HandClock(), secret)
        assert one.step() == 1.0
        got = server.got  # type: ignore[attr-defined]
        assert [len(body) for _, _, body in got] == [64, 36]
        assert {(path, token) for path, token, _ in got} == {("/am/api/v2/alerts", "Bearer s3cret")}
        assert got[0][2][0] == {
            "labels": {"alertname": "A0"},
            "annotations": {},
            "startsAt": "1970-01-01T00:00:00.000Z",
            "endsAt": "2026-11-22T08:04:00.000Z",
            "generatorURL": "http://bongsu",
        }


def test_one_that_fails_is_told_again_and_one_that_refuses_is_not() -> None:
    alerts = [alert("A")]
    with receiver(503) as server:
        one = teller(server, alerts, HandClock())
        assert one.step() >= 1.0
        assert one.trouble == "HTTP 503"
        server.status = 200  # type: ignore[attr-defined]
        one.step()
        one.step()
        assert len(server.got) == 2  # type: ignore[attr-defined]
        assert one.trouble == ""
        server.status = 400  # type: ignore[attr-defined]
        alerts.append(alert("B"))
        one.step()
        one.step()
        assert len(server.got) == 3  # type: ignore[attr-defined]
