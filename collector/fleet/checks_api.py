"""``/api/checks``: what every check of every host says, as its host's newest report has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from collector.access.guard import Reader
from collector.access.paging import After, Limit, Page, page
from collector.store.scope import Scope

if TYPE_CHECKING:
    from collector.services import Services

State = Literal["ok", "warning", "critical", "unknown", "no_data"]
STATES: tuple[State, ...] = ("ok", "warning", "critical", "unknown")
"""By code."""
NO_DATA: State = "no_data"
Id = Annotated[str, Query(max_length=129)]


class Check(BaseModel):
    """``state`` 0 ok, 1 warning, 2 critical, 3 unknown; null (``no_data``) where the host's reports are not current:
    ``last_state`` is what the last one said. ``since_ms``: since when, by the corrected clock. ``text``: the check's own
    words, empty where it has none."""

    host: str
    check: str
    site: str
    agency: str
    state: int | None
    state_name: State
    last_state: int
    since_ms: int
    text: str


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["checks"])

    @routes.get("/api/checks")
    def checks(
        caller: Reader,
        after: After = "",
        limit: Limit = 100,
        host: Annotated[Id, Query(description="Only of this host")] = "",
        site: Annotated[Id, Query(description="Only of hosts of this site")] = "",
        state: Annotated[list[State] | None, Query(description="Only in this state; again for further ones")] = None,
    ) -> Page[Check]:
        """Checks by host and name."""
        found: list[Check] = []
        for check in _checks(services, caller.scope, after, host, site):
            if state is None or check.state_name in state:
                found.append(check)
            if len(found) > limit:
                break
        return page(found, [f"{one.host}/{one.check}" for one in found], limit)

    return routes


def _checks(services: Services, scope: Scope, after: str, host: str, site: str) -> Iterator[Check]:
    """Those behind ``after`` (``HOST/CHECK``) of hosts this scope may see."""
    fleet, live, now_ms = services.registry.fleet, services.live, services.clock.wall_ms()
    last_host, _, last_check = after.partition("/")
    for entry in sorted(fleet.hosts.values(), key=lambda one: one.id):
        if entry.id < last_host or (host and entry.id != host) or (site and entry.site != site):
            continue
        newest = live.hosts.get(entry.id)
        if newest is None or not scope.allows(entry.agency, entry.site):
            continue
        is_current = newest.is_current(now_ms)
        for name, said in sorted(newest.checks.items()):
            if entry.id == last_host and name <= last_check:
                continue
            yield Check(
                host=entry.id,
                check=name,
                site=entry.site,
                agency=entry.agency,
                state=said.state if is_current else None,
                state_name=STATES[said.state] if is_current else NO_DATA,
                last_state=said.state,
                since_ms=said.since_ms,
                text=said.text,
            )
