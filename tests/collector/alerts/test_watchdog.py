"""Signs of life: given while the way is whole, and only then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from stage import START

from agent.link.exchange import Failure, Request, Response
from collector.alerts.watchdog import Pulse, Watchdog
from collector.settings_alerts import WatchdogSettings
from collector.telemetry_alerts import AlertTelemetry


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("judged", "done", "heard", "said"),
    [
        (20, {"pages": 20}, [(5, 1), (5, 2)], ""),
        (19, {"pages": 20}, [(5, 1), (5, 2)], "no verdict"),
        (20, {"pages": 17}, [(5, 1), (5, 2)], "task pages"),
        (20, {}, [(5, 1), (5, 2)], "task pages"),
        (20, {"pages": 20}, [(5, 1), (5, 1)], "nothing of theirs was taken in since 08:00:00"),
        (20, {"pages": 20}, [(5, 1), (0, 1)], ""),
    ],
    ids=["well", "no verdicts", "no pages", "never paged", "nothing newer", "nobody to hear"],
)
def test_pulse(judged: float, done: dict[str, float], heard: list[tuple[int, int]], said: str) -> None:
    now, seen = [0.0], iter(heard)
    pulse = Pulse(
        lambda: at(judged if now[0] else 0),
        lambda: {task: at(minute) for task, minute in done.items()} if now[0] else {"pages": at(0)},
        ("pages",),
        lambda: next(seen),
    )
    assert pulse.trouble(at(0)) == ""
    now[0] = 20
    assert said in pulse.trouble(at(20))


def test_it_asks_so_often_and_withholds_what_would_be_untrue() -> None:
    asked: list[str] = []
    pages: list[tuple[str, str]] = []
    trouble = [""]
    answers: list[Response | Failure] = [
        Response(200, "text/plain", b"OK"),
        Failure("no route"),
        Response(200, "", b""),
    ]

    def exchange(request: Request) -> Response | Failure:
        asked.append(request.base_url + request.path)
        return answers.pop(0)

    settings = WatchdogSettings(
        url="https://hc.test/ping/1?x=2", channel="email", address="dog@example.org", seconds=60
    )
    dog = Watchdog(
        settings,
        lambda _now: trouble[0],
        lambda channel, address, _now: pages.append((channel, address)),
        AlertTelemetry(CollectorRegistry()),
        lambda: 0.0,
        exchange,
    )
    for minute in (0, 0.5, 1, 1.9, 2):
        dog.step(at(minute))
    assert asked == ["https://hc.test/ping/1?x=2"] * 3
    assert pages == [("email", "dog@example.org")] * 3
    trouble[0] = "no verdict was made"
    dog.step(at(5))
    assert (len(asked), len(pages)) == (3, 3)
