"""``/sites/{id}``: one site in words and tables; its planned shutdown is announced there in two clicks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent.link.names import STALE_INTERVALS
from collector.access.guard import Announcer, Reader
from collector.access.problems import not_found
from collector.completeness import queries as completeness_queries
from collector.completeness.hours import HOUR_MS
from collector.completeness.missing import missing_of
from collector.completeness.spooled import Spooled, spooled_of
from collector.errors import Refused
from collector.fleet.registry import Fleet, Site
from collector.history.matchers import matcher
from collector.history.source import TooMuch
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.maintenance.api import LONGEST_MINUTES, announce
from collector.store.schema import instant
from collector.store.scope import Scope
from collector.verdicts.standing import OK
from collector.web import incident_view, plots, site_view, view
from collector.web.completeness_view import SHOWN_HOURS, Strip, strip
from collector.web.link_bytes import RECEIVED, SENT, LinkBytes, bytes_per_minute
from collector.web.pages.site_more import more_of
from collector.web.pages.status import status_page
from collector.web.queries import latest_changes
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

SHOWN_CHANGES = 20
SHOWN_HOSTS = 500
"""In one page, the worst first; also agents, checks that pass, and reports. What fails is shown whole."""


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sites/{site_id}")
    def site(request: Request, caller: Reader, site_id: str) -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        found = view.visible_sites(fleet, caller.scope).get(site_id)
        if found is None:
            raise not_found("site", site_id)
        frame = frame_of(request, services)
        hosts = view.visible_hosts(fleet, found, caller.scope)
        busy = cpu_ratios(services, found, caller.scope, frame.now_ms)
        lines = [site_view.host_line(host, live, standing, busy.get(host.id)) for host in hosts]
        checks = site_view.checks_of(hosts, live, standing)
        agents = site_view.visible_agents(fleet, found, caller.scope)
        subjects = [("host", host.id) for host in hosts] + [("agent", agent.id.hex()) for agent in agents]
        is_own = caller.scope.allows(found.agency, found.id)
        if is_own:
            subjects.append(("site", found.id))
        with services.store.reading() as connection:
            changes = latest_changes(connection, subjects, SHOWN_CHANGES)
            spooled = spooled_of(services.live)
            completeness = strip_of(connection, fleet, found, spooled, frame.now_ms) if is_own else None
            broken = list_incidents(connection, caller.scope, states=OPEN, with_reaching=True)
        row = view.site_row(fleet, live, standing, caller.scope, found)
        values = {
            "site": found,
            "row": row,
            "status_page": status_page(services, found.agency),
            "more": more_of(services, caller, found, row, frame.now_ms, frame.language) if is_own else None,
            "last_ms": view.last_report_ms(fleet, live, found.id),
            "hosts": sorted(lines, key=lambda line: (-line.verdict.state, line.host.id))[:SHOWN_HOSTS],
            "host_total": len(lines),
            "failing": [line for line in checks if line.state != OK],
            "passing": [line for line in checks if line.state == OK][:SHOWN_HOSTS],
            "agents": [site_view.agent_line(agent, live, standing) for agent in agents[:SHOWN_HOSTS]],
            "names": {agent.id.hex(): agent.host for agent in agents},
            "reports": site_view.reports_of(hosts, live)[:SHOWN_HOSTS],
            "link_bytes": line_use(services, found, caller.scope, frame.now_ms),
            "changes": changes,
            "incidents": incident_view.touching(broken, found.id),
            "strip": completeness,
        }
        return page(request, services, "site.html", values, frame=frame)

    @routes.post("/sites/{site_id}/shutdown", response_model=None)
    def shutdown(
        caller: Announcer,
        site_id: str,
        minutes: Annotated[int, Form(ge=1, le=LONGEST_MINUTES)],
        starts_local: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        now = instant(services.clock.wall_ms())
        try:
            starts = datetime.fromisoformat(starts_local) if starts_local else None
        except ValueError:
            raise Refused(422, "bad_time", f"{starts_local!r}: expected a time such as 2026-07-31T10:00") from None
        announce(services, caller, site_id, minutes, "", now, starts)
        return RedirectResponse("/maintenance" if starts else f"/sites/{quote(site_id)}", 303)

    return routes


def strip_of(connection: Connection, fleet: Fleet, site: Site, spooled: Spooled, now_ms: int) -> Strip:
    """The last hours' completeness of a site. One that shares the site with its owner does not see it."""
    settled = completeness_queries.settled_ms(connection) or 0
    from_ms = now_ms - SHOWN_HOURS * HOUR_MS
    known = completeness_queries.site_hours(connection, from_ms, now_ms + 1, settled, site.id)
    gaps = missing_of(completeness_queries.all_gaps(connection), fleet, site, spooled, now_ms)
    return strip(known.get(site.id, ()), gaps, now_ms)


def cpu_ratios(services: Services, site: Site, scope: Scope, now_ms: int) -> dict[str, float]:
    """Busy share of each host of a site by its two newest reports; none where there is too much to read."""
    hold_ms = STALE_INTERVALS * site.interval_seconds * 1000
    wanted = (matcher("__name__", "=", "node_cpu_seconds_total"), matcher("site", "=", site.id))
    try:
        found = services.history.select(wanted, now_ms - 2 * hold_ms, now_ms + 1, scope)
    except TooMuch:
        return {}
    return plots.cpu_ratios(found, hold_ms)


def line_use(services: Services, site: Site, scope: Scope, now_ms: int) -> LinkBytes | None:
    """What the agents of a site put on its line; None where they do not say, or there is too much to read."""
    hold_ms = STALE_INTERVALS * site.interval_seconds * 1000
    wanted = (matcher("__name__", "=~", f"{SENT}|{RECEIVED}"), matcher("site", "=", site.id))
    try:
        found = services.history.select(wanted, now_ms - 2 * hold_ms, now_ms + 1, scope)
    except TooMuch:
        return None
    return bytes_per_minute(found, hold_ms)
