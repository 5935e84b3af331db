"""What the pages around incidents need of a running collector: alerts that fire, silences, channels, heartbeats."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from world import World

from collector.alerts import beat_api
from collector.alerts.alert import FiringAlert
from collector.alerts.book import AlertBook
from collector.alerts.outward import disturbance
from collector.alerts.received import Sent
from collector.alerts.silence import Silences
from collector.alerts.silence_desk import SilenceDesk
from collector.history.own import OwnSeries
from collector.pages.desk import Ways
from collector.pages.drill_job import DrillJob
from collector.rules.job import RuleJob
from collector.settings_paging import PagingSettings
from collector.store.schema import instant

DISKS = [("srv1.abuja", "warning"), ("srv2.abuja", "warning"), ("srv1.cairo", "critical")]


def with_desk(world: World) -> World:
    """Three alerts from elsewhere and one of a verdict; channels phone, e-mail and text messages. Call before ``app``."""
    book = AlertBook(world.store, world.registry, RuleJob(world.store, (), (), OwnSeries(world.store), world.clock))
    notes = (("summary", "Disk full"), ("summary_ko", "디스크 가득"))
    sent = [
        Sent((("alertname", "DiskFull"), ("instance", host), ("severity", severity)), notes, "", None, None)
        for host, severity in DISKS
    ]
    book.take(sent, "alertmanager", "test", instant(world.clock.wall_ms()), None)

    def disturbances(_at: datetime) -> list[FiringAlert]:
        return [disturbance("site", "beirut", "silent", "critical", world.clock.wall_ms(), world.registry.fleet)]

    ways = Ways(frozenset({"phone", "email", "sms"}), b"s" * 32, "https://bongsu.test")
    pages: Any = SimpleNamespace(
        senders=dict.fromkeys(ways.configured),
        ways=ways,
        drill=DrillJob(world.store, world.registry, ways, PagingSettings()),
        deliveries=SimpleNamespace(wake=lambda: None),
    )
    desk = SilenceDesk(world.store, world.clock, book.now, Silences(), disturbances)
    world.response = SimpleNamespace(silence_desk=desk, pages=pages)
    world.fastapi.include_router(beat_api.router(world))
    return world
