"""``/api/hubs``, ``/api/sites``, ``/api/hosts`` and ``/api/agents``; beside them checks, join tokens, and what agents ask for
themselves."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from collector.access.guard import Reader
from collector.access.paging import After, Limit, Page, page
from collector.access.problems import not_found
from collector.fleet import checks_api, enrolment_api, queries, signed_api, tokens_api
from collector.fleet.policy_state import policy_state
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RegistryCopy(_Row):
    """What the hub of a custodian site keeps: of which ``version``, and when that was last all there was (both null: none
    yet). ``is_stale``: none, or not confirmed for an hour."""

    version: int | None
    at: datetime | None
    is_stale: bool


class Hub(_Row):
    """A regional hub (거점). ``state`` 0 while its collector is heard, 2 while not, null where none joined; ``contact_at``
    is when it last proved itself. ``registry_copy`` is null unless it keeps a copy of the whole registry."""

    id: str
    name_ko: str
    name_en: str
    url: str
    state: int | None = None
    contact_at: datetime | None = None
    registry_copy: RegistryCopy | None = None


class Site(_Row):
    """A place that is watched; ``hub`` empty = it reports to the centre directly."""

    id: str
    agency: str
    hub: str
    name_ko: str
    name_en: str
    latitude: float | None
    longitude: float | None
    timezone: str
    link_profile: str
    interval_seconds: int
    state: int | None = None
    """0 ok, 1 maintenance, 2 no data, 3 degraded, 4 down; null = not judged yet. Evidence: /api/verdicts/site/ID."""
    since_ms: int | None = None
    reason: str = ""
    cause: str = ""
    last_report_ms: int | None = None
    """When the newest report was received."""


class Host(_Row):
    """A machine or device. ``agent`` speaks for it now; ``via`` names the host whose agent is to, where it has none. Its
    checks: /api/checks?host=ID."""

    id: str
    name: str
    site: str
    agency: str
    shared: bool
    role: str
    managed_by: str
    agent: str | None
    via: str
    state: int | None = None
    """As a site's. Evidence: /api/verdicts/host/ID."""
    since_ms: int | None = None
    reason: str = ""
    cause: str = ""
    last_report_ms: int | None = None


class AgentPolicy(_Row):
    """What the agent is to do, and whether it does: ``state`` none, applied, pending (still on ``applied_version``) or
    unreported; ``overridden`` names the keys where its own file says otherwise."""

    state: str
    version: int
    applied_version: int
    overridden: list[str]


class Agent(_Row):
    """An identity that reports; ``status`` active, suspended or revoked."""

    id: str
    site: str
    host: str
    status: str
    enrolled_at: datetime
    status_at: datetime
    hosts: list[str]
    policy: AgentPolicy


def router(services: Services) -> APIRouter:
    routes = APIRouter()
    _add_places(routes, services)
    _add_machines(routes, services)
    routes.include_router(checks_api.router(services))
    routes.include_router(tokens_api.router(services))
    if not services.is_hub:
        routes.include_router(enrolment_api.router(services))
    routes.include_router(signed_api.router(services))
    return routes


def _add_places(routes: APIRouter, services: Services) -> None:
    store = services.store

    @routes.get("/api/hubs", tags=["hubs"])
    def hubs(caller: Reader, after: After = "", limit: Limit = 100) -> Page[Hub]:
        """Hubs by id."""
        with store.reading() as connection:
            rows = queries.list_hubs(connection, caller.scope, after, limit + 1)
        return page([_hub(services, row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/api/hubs/{hub}", tags=["hubs"])
    def one_hub(caller: Reader, hub: str) -> Hub:
        with store.reading() as connection:
            row = queries.find_hub(connection, caller.scope, hub)
        if row is None:
            raise not_found("hub", hub)
        return _hub(services, row)

    @routes.get("/api/sites", tags=["sites"])
    def sites(caller: Reader, after: After = "", limit: Limit = 100) -> Page[Site]:
        """Sites by id."""
        with store.reading() as connection:
            rows = queries.list_sites(connection, caller.scope, after, limit + 1)
        return page([_site(services, row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/api/sites/{site}", tags=["sites"])
    def one_site(caller: Reader, site: str) -> Site:
        with store.reading() as connection:
            row = queries.find_site(connection, caller.scope, site)
        if row is None:
            raise not_found("site", site)
        return _site(services, row)


def _hub(services: Services, row: queries.HubRow) -> Hub:
    heard_ms = services.hub_contacts.last_ms(row.id)
    return Hub(
        id=row.id,
        name_ko=row.name_ko,
        name_en=row.name_en,
        url=row.url,
        state=services.hub_contacts.states().get(row.id),
        contact_at=None if heard_ms is None else instant(heard_ms),
        registry_copy=registry_copy_of(services, row.id),
    )


def registry_copy_of(services: Services, hub: str) -> RegistryCopy | None:
    """What a custodian keeps, as the centre knows; None where this hub is none."""
    if services.is_hub or hub not in services.registry.fleet.custodians:
        return None
    held = services.hub_contacts.copy_of(hub)
    if held is None:
        return RegistryCopy(version=None, at=None, is_stale=True)
    return RegistryCopy(version=held.version, at=instant(held.at_ms), is_stale=held.is_stale(services.clock.wall_ms()))


def _add_machines(routes: APIRouter, services: Services) -> None:
    store = services.store

    @routes.get("/api/hosts", tags=["hosts"])
    def hosts(
        caller: Reader,
        after: After = "",
        limit: Limit = 100,
        site: Annotated[str, Query(max_length=64, description="Only hosts of this site")] = "",
    ) -> Page[Host]:
        """Hosts by id."""
        with store.reading() as connection:
            rows = queries.list_hosts(connection, caller.scope, after, limit + 1, site=site)
        return page([_host(services, row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/api/hosts/{host}", tags=["hosts"])
    def one_host(caller: Reader, host: str) -> Host:
        with store.reading() as connection:
            row = queries.find_host(connection, caller.scope, host)
        if row is None:
            raise not_found("host", host)
        return _host(services, row)

    @routes.get("/api/agents", tags=["agents"])
    def agents(caller: Reader, after: After = "", limit: Limit = 100) -> Page[Agent]:
        """Agents by id."""
        with store.reading() as connection:
            rows = queries.list_agents(connection, caller.scope, after, limit + 1)
        return page([_agent(services, row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/api/agents/{agent}", tags=["agents"])
    def one_agent(caller: Reader, agent: str) -> Agent:
        with store.reading() as connection:
            row = queries.find_agent(connection, caller.scope, agent)
        if row is None:
            raise not_found("agent", agent)
        return _agent(services, row)


def _agent(services: Services, row: queries.AgentRow) -> Agent:
    known = services.registry.fleet.agents.get(bytes.fromhex(row.id))
    state = policy_state(known.policy[0] if known is not None else 0, services.live.hosts.get(row.host))
    return Agent(
        id=row.id,
        site=row.site,
        host=row.host,
        status=row.status,
        enrolled_at=row.enrolled_at,
        status_at=row.status_at,
        hosts=list(row.hosts),
        policy=AgentPolicy.model_validate(state),
    )


def _site(services: Services, row: queries.SiteRow) -> Site:
    site = Site.model_validate(row)
    if services.standing is not None:
        _judged(site, services.standing.sites.get(row.id))
    return site


def _host(services: Services, row: queries.HostRow) -> Host:
    host = Host.model_validate(row)
    if services.standing is not None:
        _judged(host, services.standing.hosts.get(row.id))
    return host


def _judged(item: Site | Host, found: Any) -> None:
    """``found``: its standing, None where there is none yet."""
    if found is not None:
        item.state, item.since_ms, item.reason, item.cause = found.state, found.since_ms, found.reason, found.cause
        item.last_report_ms = found.last_report_ms
