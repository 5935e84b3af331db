"""What the site's page gathers besides its state: the past, lines, power, closures, who is called, what to do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.access.caller import Caller
from collector.fleet.registry import Site
from collector.maintenance.queries import open_windows
from collector.rosters.asked import known, names_of
from collector.rosters.duty import called
from collector.store.schema import instant
from collector.verdicts.queries import changes_of
from collector.web import site_more_view, times, view
from collector.web.coming_view import coming_at_site
from collector.web.reach_view import reach_of
from collector.web.site_past import first_ms, past_of

if TYPE_CHECKING:
    from collector.services import Services


def more_of(services: Services, caller: Caller, site: Site, row: view.SiteRow, now_ms: int, language: str) -> dict[str, Any]:  # fmt: skip
    """Template values of a site that is the caller's own. Names of people only: ``/oncall`` tells how to reach them, to
    whom may know."""
    fleet, standing, zone = services.registry.fleet, services.standing, times.zone(site.timezone)
    with services.store.reading() as connection:
        changes = changes_of(connection, "site", site.id, first_ms(now_ms, zone), now_ms + 1)
        windows = open_windows(connection, instant(now_ms))
    found = known(services, caller)
    asked = called(found.rosters, found.ground, site.id, site.agency, instant(now_ms))
    is_any = any(each.duties for each in asked)  # then nobody stands in for those of whom nobody has to be on duty
    duties = [
        (each.roster, names_of(found.book, each.people, language), each.is_hole)
        for each in asked
        if each.duties or each.is_hole or not is_any
    ]
    return {
        "past": past_of(changes, row.verdict.state, row.verdict.since_ms, now_ms, zone),
        "links": site_more_view.links_of(site, fleet, standing),
        "power": site_more_view.power_of(view.visible_hosts(fleet, site, caller.scope), services.live, standing),
        "closures": site_more_view.closures_of(site, times.at(now_ms, zone).date()),
        "duties": duties,
        "coming": coming_at_site(windows, fleet, site.id, instant(now_ms)),
        "reach": reach_of(fleet.hosts_by_site.get(site.id, ()), fleet, standing, caller.scope),
        "steps": site_more_view.steps_for(row.verdict),
    }
