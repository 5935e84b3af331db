"""SQL of what watches over pages: channels' health, and consoles that show the board."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from collector.pages.health import Health
from collector.pages.tables import channel_health, console_watches


def read_health(connection: Connection) -> Mapping[str, Health]:
    of = channel_health.c
    columns = [of[name] for name in Health._fields]
    return {row.channel: Health(*row) for row in connection.execute(select(*columns).order_by(of.channel))}


def write_health(connection: Connection, health: Health) -> None:
    of = channel_health.c
    values = health._asdict()
    if not connection.execute(update(channel_health).where(of.channel == health.channel).values(values)).rowcount:
        connection.execute(insert(channel_health).values(values))


def note_watches(connection: Connection, seen: Mapping[str, tuple[str, datetime]]) -> None:
    """By console: who had a board before them, and when last."""
    of = console_watches.c
    for console, (person, at) in seen.items():
        values = {"person": person, "seen_at": at}
        if not connection.execute(update(console_watches).where(of.console == console).values(values)).rowcount:
            connection.execute(insert(console_watches).values(console=console, **values))


def last_watched(connection: Connection) -> datetime | None:
    found: datetime | None = connection.execute(select(func.max(console_watches.c.seen_at))).scalar_one_or_none()
    return found
