"""``/api/sites/{site}/completeness``: what came of what should have, hour by hour, and which numbers are missing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.completeness import queries
from collector.completeness.hours import HOUR_MS, LOST_KINDS, SiteHour
from collector.completeness.missing import missing_of
from collector.completeness.spooled import spooled_of
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

SHOWN_HOURS = 48
MOST_HOURS = 24 * 92


class Lost(BaseModel):
    """Numbers without a record. ``rolled_up`` ones are in a roll-up; ``missing`` ones nobody explained."""

    declared: int
    expired: int
    rolled_up: int
    missing: int


class Hour(BaseModel):
    """``[hour, hour + 1 h)`` in UTC by corrected sample time. ``state``: complete, late, partial, nothing, lost or open
    (not judged yet); ``ratio``: share of what was expected that came, null where nothing was."""

    hour: datetime
    state: str
    expected: int
    received: int
    late: int
    lost: Lost
    ratio: float | None


class Missing(BaseModel):
    """Sequence numbers of an agent's epoch that neither came nor were declared lost for more than two intervals."""

    agent: str
    host: str
    epoch: str
    first: int
    last: int
    since: datetime


class Completeness(BaseModel):
    """Hours before ``settled_before`` are judged; later samples still change them."""

    site: str
    settled_before: datetime | None
    items: list[Hour]
    missing: list[Missing]


Hours = Annotated[int, Query(ge=1, le=MOST_HOURS, description="How many hours back")]


def router(services: Services) -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/sites/{site}/completeness", tags=["sites"])
    def completeness(caller: Reader, site: str, hours: Hours = SHOWN_HOURS) -> Completeness:
        """Expected, received, late and lost reports of a site, oldest hour first."""
        fleet = services.registry.fleet
        found = fleet.sites.get(site)
        if found is None or not caller.scope.allows(found.agency, found.id):
            raise not_found("site", site)
        now_ms = services.clock.wall_ms()
        first = now_ms // HOUR_MS * HOUR_MS - (hours - 1) * HOUR_MS
        with services.store.reading() as connection:
            settled = queries.settled_ms(connection)
            known = queries.site_hours(connection, first, now_ms + 1, settled or 0, site).get(site, [])
            gaps = missing_of(queries.all_gaps(connection), fleet, found, spooled_of(services.live), now_ms)
        return Completeness(
            site=site,
            settled_before=None if settled is None else instant(settled),
            items=[_hour(hour) for hour in known],
            missing=[
                Missing(
                    agent=gap.agent_id.hex(),
                    host=gap.host,
                    epoch=gap.epoch.hex(),
                    first=gap.first,
                    last=gap.last,
                    since=instant(gap.since_ms),
                )
                for gap in gaps
            ],
        )

    return routes


def _hour(hour: SiteHour) -> Hour:
    return Hour(
        hour=instant(hour.hour_ms),
        state=hour.state,
        expected=hour.expected,
        received=hour.received,
        late=hour.late,
        lost=Lost(**{kind: hour.lost.get(kind, 0) for kind in LOST_KINDS}),
        ratio=hour.ratio,
    )
