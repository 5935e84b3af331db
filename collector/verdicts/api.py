"""``/api/verdicts`` and what of it belongs to sites, lines and systems: state, cause and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from pydantic import BaseModel

from collector.access.guard import Reader
from collector.access.paging import After, Limit, Page, page
from collector.access.problems import not_found
from collector.fleet.registry import Fleet
from collector.live.reconcile import unmonitored, unregistered
from collector.store.scope import EVERYTHING, Scope
from collector.verdicts.standing import STATES, Standing

if TYPE_CHECKING:
    from collector.services import Services


class Evidence(BaseModel):
    """``code`` says what kind of thing was seen, ``subject`` of whom, ``value`` and ``at_ms`` what and when."""

    code: str
    subject: str
    value: str
    at_ms: int | None


class Verdict(BaseModel):
    """``cause``: what it lies behind, as ``hub:mea``; empty = its own."""

    kind: str
    id: str
    state: int
    state_name: str
    since_ms: int | None
    reason: str
    cause: str
    evidence: list[Evidence]


class Link(BaseModel):
    """A line of a site, and how it stands."""

    id: str
    site: str
    name: str
    role: str
    kind: str
    carrier: str
    cable: str
    verdict: Verdict | None


class Reconciliation(BaseModel):
    """Both lists should be empty."""

    unmonitored: list[str]
    unregistered: list[str]


class Cause(BaseModel):
    """One disturbance and all that is as it is because of it, as far as the caller may see."""

    id: str
    state: int
    state_name: str
    since_ms: int
    reason: str
    evidence: list[Evidence]
    affected: list[tuple[str, str]]
    due_ms: int | None


def verdict(kind: str, subject: str, found: Any) -> Verdict:
    """Of any standing."""
    facts = [Evidence(**fact._asdict()) for fact in found.evidence]
    return Verdict(kind=kind, id=subject, state=found.state, state_name=STATES[found.state], since_ms=found.since_ms,
                   reason=found.reason, cause=found.cause, evidence=facts)  # fmt: skip


def book_of(standing: Standing, kind: str) -> Mapping[str, Any]:
    books: dict[str, Mapping[str, Any]] = {
        "site": standing.sites,
        "host": standing.hosts,
        "hub": standing.hubs,
        "link": standing.links,
        "system": standing.systems,
        "interface": standing.interfaces,
    }
    return books.get(kind, {})


def may_see(kind: str, subject: str, fleet: Fleet, scope: Scope) -> bool:
    """A thing is seen where its agency and site are; a hub by whoever sees a site behind it."""
    if scope == EVERYTHING:
        return True
    if kind in ("site", "link"):
        site = fleet.sites.get(subject.partition("/")[0])
        return site is not None and scope.allows(site.agency, site.id)
    if kind == "host":
        host = fleet.hosts.get(subject)
        return host is not None and scope.allows(host.agency, host.site)
    if kind == "hub":
        return any(site.hub == subject and scope.allows(site.agency, site.id) for site in fleet.sites.values())
    owners: tuple[str, ...] = ()
    if kind == "system" and subject in fleet.systems:
        owners = (fleet.systems[subject].agency,)
    elif kind == "interface" and subject in fleet.interfaces:
        owners = (fleet.interfaces[subject].source_owner, fleet.interfaces[subject].target_owner)
    return scope.sites is None and any(scope.agencies is None or owner in scope.agencies for owner in owners)


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["verdicts"])

    @routes.get("/api/links")
    def links(caller: Reader, after: After = "", limit: Limit = 100, site: str = "") -> Page[Link]:
        """Lines by id; of one site where ``site`` is given."""
        fleet, standing = services.registry.fleet, services.standing
        seen = [
            link
            for link in sorted(fleet.links.values(), key=lambda link: link.id)
            if link.id > after and (not site or link.site == site) and may_see("link", link.id, fleet, caller.scope)
        ][: limit + 1]
        rows = [
            Link(
                id=link.id,
                site=link.site,
                name=link.name,
                role=link.role,
                kind=link.kind,
                carrier=link.carrier,
                cable=link.cable,
                verdict=_one(standing, "link", link.id),
            )
            for link in seen
        ]
        return page(rows, [row.id for row in rows], limit)

    @routes.get("/api/verdicts/{kind}/{subject:path}")
    def one(caller: Reader, kind: str, subject: str) -> Verdict:
        """Of a site, host, hub, link, system or interface."""
        found = book_of(services.standing, kind).get(subject)
        if found is None or not may_see(kind, subject, services.registry.fleet, caller.scope):
            raise not_found(kind, subject)
        return verdict(kind, subject, found)

    @routes.get("/api/causes")
    def causes(caller: Reader) -> list[Cause]:
        """Every disturbance there is now that affects something the caller may see, the worst first."""
        fleet, found = services.registry.fleet, []
        for cause in services.standing.causes.values():
            kind, _, subject = cause.id.partition(":")
            affected = [pair for pair in cause.affected if may_see(*pair, fleet, caller.scope)]
            is_own = may_see(kind, subject, fleet, caller.scope)
            if affected or is_own:
                facts = [Evidence(**fact._asdict()) for fact in cause.evidence] if is_own else []
                found.append(Cause(id=cause.id, state=cause.state, state_name=STATES[cause.state], since_ms=cause.since_ms,
                                   reason=cause.reason, evidence=facts, affected=affected, due_ms=cause.due_ms))  # fmt: skip
        return sorted(found, key=lambda cause: (-cause.state, cause.since_ms, cause.id))

    @routes.get("/api/reconciliation")
    def reconciliation(caller: Reader) -> Reconciliation:
        """What is registered and not monitored, and what is monitored and not registered; host ids."""
        fleet, live = services.registry.fleet, services.live
        lists = [
            [host.id for host in found if caller.scope.allows(host.agency, host.site)]
            for found in (unmonitored(fleet, live, services.standing.hosts), unregistered(fleet, live))
        ]
        return Reconciliation(unmonitored=lists[0], unregistered=lists[1])

    return routes


def _one(standing: Standing, kind: str, subject: str) -> Verdict | None:
    found = book_of(standing, kind).get(subject)
    return verdict(kind, subject, found) if found is not None else None
