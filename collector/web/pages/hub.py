"""``/hubs/{id}``: a hub, how it is, who is called, agreed work, and the sites that report through it with their lines and how
whole their data is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.caller import Caller
from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.completeness.hours import HOUR_MS, SiteHour
from collector.completeness.queries import settled_ms, site_hours
from collector.fleet.api import registry_copy_of
from collector.fleet.registry import Site
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.maintenance.queries import is_seen, open_windows
from collector.rosters.asked import known as known_rosters
from collector.rosters.duty import called
from collector.store.schema import instant
from collector.verdicts.api import may_see
from collector.web import view
from collector.web.arrivals_view import Arrival, arrival
from collector.web.coming_view import coming_at_hub
from collector.web.completeness_view import SHOWN_HOURS
from collector.web.incident_view import in_order
from collector.web.queries import latest_changes
from collector.web.reach_view import reach_of
from collector.web.render import Frame, frame_of, page
from collector.web.rows import Boards
from collector.web.site_more_view import links_of
from collector.web.who_view import DutyLine, duty_lines

if TYPE_CHECKING:
    from collector.services import Services

SHOWN_CHANGES = 20
MOST_SITES = 500


def router(services: Services, boards: Boards) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/hubs/{hub_id}")
    def hub(request: Request, caller: Reader, hub_id: str) -> Response:
        fleet, standing = services.registry.fleet, services.standing
        found = fleet.hubs.get(hub_id)
        if found is None or not may_see("hub", hub_id, fleet, caller.scope):
            raise not_found("hub", hub_id)
        frame = frame_of(request, services)
        snapshot = boards.of(caller.scope).observe(fleet, services.live, standing)
        rows = [row for row in snapshot.rows.values() if row.site.hub == hub_id]
        rows.sort(key=lambda row: (-row.verdict.state, row.site.id))
        mine = {row.site.id for row in rows}
        now = instant(frame.now_ms)
        with services.store.reading() as connection:
            changes = latest_changes(connection, [("hub", hub_id)], SHOWN_CHANGES)
            broken = list_incidents(connection, caller.scope, states=OPEN)
            windows = [row for row in open_windows(connection, now) if is_seen(row, fleet, caller.scope)]
            settled = settled_ms(connection) or 0
            known = site_hours(connection, frame.now_ms - SHOWN_HOURS * HOUR_MS, frame.now_ms + 1, settled)
        shown = [row.site for row in rows[:MOST_SITES]]
        own = [site for site in shown if caller.scope.allows(site.agency, site.id)]
        hosts = [host for site in own for host in fleet.hosts_by_site.get(site.id, ())]
        values = {
            "hub": found,
            "verdict": view.judged(standing.hubs.get(hub_id)),
            "rows": rows[:MOST_SITES],
            "total": len(rows),
            "counts": view.counts_by_state(rows),
            "seen": snapshot.seen,
            "hours": SHOWN_HOURS,
            "changes": changes,
            "contact_ms": None if services.is_hub else services.hub_contacts.last_ms(hub_id),
            "copy": registry_copy_of(services, hub_id),
            "lines": {site.id: links_of(site, fleet, standing) for site in shown},
            "arrivals": {site.id: arrival_of(services, site, known, frame.now_ms) for site in own},
            "duties": duties_of(services, caller, own, frame),
            "coming": coming_at_hub(windows, fleet, hub_id, mine, now),
            "reach": reach_of(hosts, fleet, standing, caller.scope),
            "names": {hub_id: frame.words.name(found)},
            "incidents": in_order(one for one in broken if one.subject == ("hub", hub_id) or one.site in mine),
        }
        return page(request, services, "hub.html", values, frame=frame)

    return routes


def arrival_of(services: Services, site: Site, known: Mapping[str, Sequence[SiteHour]], now_ms: int) -> Arrival:
    fleet, live = services.registry.fleet, services.live
    heard = [live.hosts[host].received_at_ms for host in fleet.hosts_by_site.get(site.id, ()) if host in live.hosts]
    verdict = view.judged(services.standing.sites.get(site.id))
    return arrival(site, verdict, heard, known.get(site.id, ()), now_ms)


def duties_of(services: Services, caller: Caller, sites: Iterable[Site], frame: Frame) -> list[DutyLine]:
    """Of every roster that is called for one of the sites, the most particular first. Names only: ``/oncall`` tells the
    rest, to whom may know."""
    found, now = known_rosters(services, caller), instant(frame.now_ms)
    asked = (each for site in sites for each in called(found.rosters, found.ground, site.id, site.agency, now))
    return duty_lines({each.roster.id: each for each in asked}.values(), found.book, frame.language)
