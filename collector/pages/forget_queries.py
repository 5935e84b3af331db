"""SQL of pages that are too old to be read again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, not_, select

from collector.incidents.incident import OPEN
from collector.incidents.tables import incidents
from collector.pages import page as p
from collector.pages.tables import page_decisions, page_deliveries


def forget_heartbeats(connection: Connection, before: datetime) -> int:
    """Heartbeats prove something for a day; nobody reads last year's."""
    of = page_deliveries.c
    old = (of.kind == p.HEARTBEAT, of.created_at < before)
    return int(connection.execute(page_deliveries.delete().where(*old)).rowcount)


def forget_pages(connection: Connection, before: datetime, limit: int) -> int:
    """Delete some of the decisions and pages that are older; how many rows. What an open incident sent stays, whatever its
    age, and so does what waits to be sent."""
    held = select(incidents.c.number).where(incidents.c.state.in_(OPEN))
    total = 0
    for table, at, of in (
        (page_decisions, page_decisions.c.at, ()),
        (page_deliveries, page_deliveries.c.created_at, (page_deliveries.c.state.notin_(p.WAITING),)),
    ):
        is_held = and_(table.c.incident.is_not(None), table.c.incident.in_(held))
        old = select(table.c.id).where(at < before, not_(is_held), *of).order_by(table.c.id).limit(limit)
        total += int(connection.execute(table.delete().where(table.c.id.in_(old))).rowcount)
    return total
