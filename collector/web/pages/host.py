"""``/hosts/{id}`` with its plots' data, ``/hosts/{id}/series``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from agent.link.names import STALE_INTERVALS
from collector.access.caller import Caller
from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.errors import Refused
from collector.fleet.registry import HostEntry
from collector.history.matchers import matcher
from collector.history.source import SeriesData, TooMuch
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.verdicts.standing import NO_DATA
from collector.web import incident_view, plots, site_view, view
from collector.web.check_strip import CheckStrip, check_strips
from collector.web.host_span import RANGES, Span, exact_span, span_of
from collector.web.i18n import Words
from collector.web.queries import known_since, latest_changes
from collector.web.reach_view import reach_of
from collector.web.render import frame_of, packed, page

if TYPE_CHECKING:
    from collector.services import Services

NAMES = "|".join(plots.NAMES)

SHOWN_CHANGES = 20


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/hosts/{host_id}")
    def host(request: Request, caller: Reader, host_id: str) -> Response:
        found = find_host(services, caller, host_id)
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        frame = frame_of(request, services)
        site = fleet.sites[found.site]
        known = live.hosts.get(found.id)
        interval_ms = site.interval_seconds * 1000
        verdict = view.judged(standing.hosts.get(found.id))
        is_current = known is not None and verdict.state != NO_DATA
        recent = plots.grid(frame.now_ms - (STALE_INTERVALS + 2) * interval_ms, frame.now_ms, interval_ms)
        last = plots.make_plots(read(services, caller, found.id, recent), recent) if is_current else []
        span = span_of(request.query_params, frame.now_ms)
        path = f"/hosts/{quote(found.id)}"
        with services.store.reading() as connection:
            changes = latest_changes(connection, [("host", found.id)], SHOWN_CHANGES)
            since_ms = known_since(connection, "host", found.id)
            broken = list_incidents(connection, caller.scope, states=OPEN, with_reaching=True)
        values = {
            "host": found,
            "site": site,
            "verdict": verdict,
            "known": known,
            "is_current": is_current,
            "span": span,
            "ranges": {key: f"{path}?{urlencode({'range': key})}" for key in RANGES},
            "ways": span.ways(path, frame.now_ms),
            "strips": strips_of(services, caller, found.id, span, interval_ms),
            "since_ms": since_ms or 0,
            "kinds": plots.KINDS,
            "missing": [kind.id for kind in plots.KINDS if known is not None and not known.has(kind.of)],
            "last": {plot.id: table_of(plot, frame.words) for plot in last},
            "checks": site_view.checks_of([found], live, standing),
            "series": list(known.series()) if known is not None and is_current else [],
            "uptime": site_view.uptime(known) if known is not None and is_current else None,
            "identity": site_view.identity(known) if known is not None else {},
            "changes": changes,
            "incidents": incident_view.touching(broken, found.site, found.id),
            "reach": reach_of([found.id], fleet, standing, caller.scope),
            "agency": fleet.agencies.get(found.agency),
            "agent": agent_of(services, found),
        }
        return page(request, services, "host.html", values, frame=frame)

    @routes.get("/hosts/{host_id}/series")
    def series(request: Request, caller: Reader, host_id: str) -> Response:
        found = find_host(services, caller, host_id)
        frame = frame_of(request, services)
        from_ms, to_ms = exact_span(request.query_params, frame.now_ms)
        interval_ms = services.registry.fleet.sites[found.site].interval_seconds * 1000
        on = plots.grid(from_ms, to_ms, interval_ms)
        made = plots.make_plots(read(services, caller, found.id, on), on)
        body = {
            "times": on.times_ms // 1000,
            "step_ms": on.step_ms,
            "plots": [plot_of(plot, frame.words) for plot in made],
        }
        answer = packed(request, orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), "application/json")
        answer.headers["cache-control"] = "no-store"
        return answer

    return routes


def find_host(services: Services, caller: Caller, host_id: str) -> HostEntry:
    """Raises Refused 404, also for a host that is there but not the caller's."""
    found = services.registry.fleet.hosts.get(host_id)
    if found is None or not caller.scope.allows(found.agency, found.site):
        raise not_found("host", host_id)
    return found


def agent_of(services: Services, host: HostEntry) -> site_view.AgentLine | None:
    """Whose agent speaks for it, its own or another host's."""
    agent = services.registry.fleet.agents.get(host.agent_id) if host.agent_id is not None else None
    return site_view.agent_line(agent, services.live, services.standing) if agent is not None else None


def read(services: Services, caller: Caller, host_id: str, on: plots.Grid) -> list[SeriesData]:
    """The recorded series the plots need, a little earlier than the grid, so that its first rate has a start."""
    wanted = (matcher("__name__", "=~", NAMES), matcher("instance", "=", host_id))
    end_ms = on.start_ms + on.steps * on.step_ms
    try:
        found: list[SeriesData] = services.history.select(wanted, on.start_ms - on.hold_ms, end_ms + 1, caller.scope)
    except TooMuch as why:
        raise Refused(422, "too_much", str(why)) from why
    return found


def strips_of(services: Services, caller: Caller, host_id: str, span: Span, interval_ms: int) -> dict[str, CheckStrip]:
    """How each check went over the time shown; nothing where that is too much to read."""
    wanted = (matcher("__name__", "=", "bongsu_check_state"), matcher("instance", "=", host_id))
    try:
        found = services.history.select(wanted, span.from_ms, span.to_ms, caller.scope)
    except TooMuch:
        return {}
    return check_strips(found, span.from_ms, span.to_ms, interval_ms)


def label_of(line: plots.Line, words: Words) -> str:
    return words.maybe(f"plot.{line.key}", line.key).format(device=line.device)


def plot_of(plot: plots.Plot, words: Words) -> dict[str, Any]:
    lines = [{"label": label_of(line, words), "values": line.values} for line in plot.lines]
    return {"id": plot.id, "unit": plot.unit, "stack": plot.is_stacked, "lines": lines}


def table_of(plot: plots.Plot, words: Words) -> list[tuple[str, float, str]]:
    """(label, value, unit) of the newest values, for those who have no plot."""
    newest = ((label_of(line, words), plots.last_value(line)) for line in plot.lines)
    return [(label, value, plot.unit) for label, value in newest if value is not None]
