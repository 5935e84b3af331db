"""``/api/who``: who would be called for a site, and who is on duty for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter

from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.pages.who import turn_rows
from collector.pages.who_queries import ask_who
from collector.people.queries import may_reach
from collector.rosters.answer import answer_rows
from collector.rosters.api import instant_of
from collector.rosters.asked import now_of

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["rosters"])

    @routes.get("/who")
    def who(
        caller: Reader, site: str, at: str = "", severity: Literal["critical", "warning", "info"] = "critical"
    ) -> dict[str, Any]:
        """Who would be called for a site if something of a ``severity`` broke there, now or ``at`` another time (with an
        offset, or by the site's clock): ``turns`` are the steps while nobody answers, ``rosters`` who is on duty and who
        stands in. ``waits_until``: who sleeps is told then."""
        fleet = services.registry.fleet
        there = fleet.sites.get(site)
        if there is None or not caller.scope.allows(there.agency, site):
            raise not_found("site", site)
        when = instant_of(at, there.timezone) if at else now_of(services)
        with services.store.reading() as connection:
            found, book = ask_who(connection, fleet, services.settings.channels, there, when, severity)
        may = partial(may_reach, caller)
        return {
            "site": site,
            "at": when,
            "timezone": there.timezone,
            "severity": severity,
            "policy": found.policy.id,
            "repeat_seconds": found.policy.repeat_seconds,
            "turns": turn_rows(found, book.people, may),
            "rosters": answer_rows(found.called, book.people, when, may),
        }

    return routes
