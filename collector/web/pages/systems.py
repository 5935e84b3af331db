"""``/systems``: information systems by grade, interfaces, and what is registered or watched alone; ``/systems/{id}``: one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.agencies.outage_notes import notes_of
from collector.agencies.queries import find_system, list_systems
from collector.verdicts.standing import OK
from collector.web import systems_view
from collector.web.pages.recovery import recovery
from collector.web.pages.status import status_page
from collector.web.queries import latest_changes
from collector.web.render import frame_of, page
from collector.web.view import judged

if TYPE_CHECKING:
    from collector.services import Services

ALL = 1_000_000
SHOWN_CHANGES = 20
SHOWN_SYSTEMS = 500
"""In one page; those that are not well are always among them, for they come first in their grade."""
SHOWN_HOSTS = 200


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/systems")
    def systems(request: Request, caller: Reader, grade: str = "", q: str = "", view: str = "") -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        frame = frame_of(request, services)
        with services.store.reading() as connection:
            seen = [row.id for row in list_systems(connection, caller.scope, limit=ALL) if row.id in fleet.systems]
        members = systems_view.members_of(fleet, live, standing)
        every = [
            systems_view.system_line(fleet.systems[system], fleet, members, standing, caller.scope) for system in seen
        ]
        if view == "recovery":
            return recovery(request, services, caller, every)
        wanted, query = int(grade) if grade in ("1", "2", "3", "4") else None, q.strip()[:100]
        fitting = [line for line in every if _fits(line, wanted, query)]
        fitting.sort(key=lambda line: (line.verdict.state == OK, line.system.grade))
        shown = fitting[:SHOWN_SYSTEMS]
        values = {
            "grades": systems_view.grade_lines(every),
            "by_grade": systems_view.by_grade(shown),
            "grade": wanted,
            "query": query,
            "shown": len(shown),
            "total": len(every),
            "interfaces": systems_view.interface_lines(fleet, standing, caller.scope),
            "lists": systems_view.reconciled(fleet, live, standing, caller.scope),
            "most": SHOWN_HOSTS,
        }
        return page(request, services, "systems.html", values, frame=frame)

    @routes.get("/systems/{system_id}")
    def system(request: Request, caller: Reader, system_id: str) -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        found = fleet.systems.get(system_id)
        with services.store.reading() as connection:
            if found is None or find_system(connection, caller.scope, system_id) is None:
                raise not_found("system", system_id)
            changes = latest_changes(connection, [("system", system_id)], SHOWN_CHANGES)
            note = notes_of(connection, [system_id]).get(system_id)
        members = systems_view.members_of(fleet, live, standing)
        parents = [
            (kind, systems_view.member_line(name, fleet, members, caller.scope), fleet.systems.get(name))
            for kind, names in (("depends_on", found.depends_on), ("uses", found.uses))
            for name in names
        ]
        values = {
            "status_page": status_page(services, found.agency),
            "line": systems_view.system_line(found, fleet, members, standing, caller.scope),
            "parents": parents,
            "children": [
                (judged(standing.systems.get(each.id)), each)
                for each in systems_view.standing_on(system_id, fleet, caller.scope)
            ],
            "interfaces": systems_view.interface_lines(fleet, standing, caller.scope, system_id),
            "changes": changes,
            "note": note,
            "is_hub": services.is_hub,
            "eligible_seconds": standing.system_eligible_seconds.get(system_id, 0.0),
            "downtime_seconds": standing.system_downtime_seconds.get(system_id, 0.0),
        }
        return page(request, services, "system.html", values, frame=frame_of(request, services))

    return routes


def _fits(line: systems_view.SystemLine, grade: int | None, query: str) -> bool:
    named = [line.system, line.agency]
    text = " ".join(part for n in named if n is not None for part in (n.id, n.name_ko, n.name_en)).casefold()
    return (grade is None or line.system.grade == grade) and query.casefold() in text
