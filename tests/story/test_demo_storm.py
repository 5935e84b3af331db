"""A hub fails, and ten thousand alerts about what lies behind it come within a minute: one incident, one call each.

The demonstration's small world and its whole application; the alerts come as another Prometheus sends them, by the book
that its API fills.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from paged_demo import paged_demo

from collector.alerts.alert import ALERTMANAGER
from collector.alerts.received import Sent
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.world.demo.demo import hub_url
from collector.world.topology import AT

pytestmark = pytest.mark.slow
BEGAN = datetime(2026, 11, 17, 1, 39, tzinfo=ZoneInfo("Asia/Seoul"))
HUB, ALERTS, PARTS = "mea", 10_000, 10


def test_ten_thousand_alerts_from_one_failed_hub_are_one_call(tmp_path: Path) -> None:
    with paged_demo(tmp_path, BEGAN, is_small=True, least_seconds=3.0, interval_seconds=15.0) as (demo, calls):
        demo.play(180)
        app = demo.centre.app
        assert app is not None
        behind = [host for host in demo.agents if AT[host.rpartition(".")[2]].hub == HUB]
        assert len(behind) >= 4
        demo.stations[hub_url(HUB)].end()
        demo.condition.dead_hosts.update(behind)  # nothing of the region comes by any other way either
        demo.play(60)
        for part in range(PARTS):
            now = instant(demo.centre.clock.wall_ms())
            at_ms = demo.centre.clock.wall_ms()
            sent = [
                Sent(
                    tuple(sorted({"alertname": "ServiceDown", "severity": "critical", "service": f"s{n}",
                                  "instance": behind[n % len(behind)]}.items())),
                    (), "", at_ms,
                )
                for n in range(part, ALERTS, PARTS)
            ]  # fmt: skip
            assert app.response.alerts.take(sent, ALERTMANAGER, "prometheus", now, 3_600_000) == []
            demo.play(6)
        assert app.response.alerts.size == ALERTS
        demo.play(120)
        with app.store.reading() as connection:
            found = list_incidents(connection, EVERYTHING, states=OPEN)
        assert [(one.key, one.severity) for one in found] == [(f"hub:{HUB}", "critical")]
        assert calls.called == [("kim", "email", "trigger")], "and whoever sleeps, sleeps"
