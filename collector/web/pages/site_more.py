"""What the site's page gathers besides its state: the past, lines, power, closures, who is called, what to do there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from collector.access.caller import Caller
from collector.fleet.registry import Site
from collector.maintenance.queries import open_windows
from collector.pages.who_queries import ask_who
from collector.people.queries import may_reach
from collector.store.schema import instant
from collector.verdicts.queries import changes_of
from collector.web import site_more_view, times, view
from collector.web.coming_view import coming_at_site
from collector.web.reach_view import reach_of
from collector.web.site_past import first_ms, past_of
from collector.web.who_view import who_lines

if TYPE_CHECKING:
    from collector.services import Services


def more_of(services: Services, caller: Caller, site: Site, row: view.SiteRow, now_ms: int, language: str) -> dict[str, Any]:  # fmt: skip
    """Template values of a site that is the caller's own. Names of people only: ``/oncall`` tells how to reach them, to
    whom may know."""
    fleet, standing, zone = services.registry.fleet, services.standing, times.zone(site.timezone)
    with services.store.reading() as connection:
        changes = changes_of(connection, "site", site.id, first_ms(now_ms, zone), now_ms + 1)
        windows = open_windows(connection, instant(now_ms))
        told = ask_who(connection, fleet, services.settings.channels, site, instant(now_ms))
    return {
        "past": past_of(changes, row.verdict.state, row.verdict.since_ms, now_ms, zone),
        "links": site_more_view.links_of(site, fleet, standing),
        "power": site_more_view.power_of(view.visible_hosts(fleet, site, caller.scope), services.live, standing),
        "closures": site_more_view.closures_of(site, times.at(now_ms, zone).date()),
        "who": who_lines(told, language, partial(may_reach, caller)),
        "coming": coming_at_site(windows, fleet, site.id, instant(now_ms)),
        "reach": reach_of(fleet.hosts_by_site.get(site.id, ()), fleet, standing, caller.scope),
        "steps": site_more_view.steps_for(row.verdict),
    }
