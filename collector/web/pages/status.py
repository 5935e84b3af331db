"""``/status/{agency}``: how an agency's information systems are, for anybody; ``/status/{agency}.atom``: the same as a feed.

Only for agencies that ``[access] status_pages`` names, and only a system's name, its state in four words and since when: no
host, no cause, no person. (A page for whoever comes is a decision: without it a stranger learns what fails.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.problems import not_found
from collector.fleet.registry import Named, System
from collector.verdicts.standing import OK, Change
from collector.web import times
from collector.web.i18n import Words
from collector.web.queries import latest_changes
from collector.web.render import frame_of, packed, page
from collector.web.view import judged

if TYPE_CHECKING:
    from collector.services import Services

FEED = ".atom"
ATOM = "http://www.w3.org/2005/Atom"
SHOWN_CHANGES = 50


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/status/{agency}")
    def status(request: Request, agency: str) -> Response:
        fleet, standing = services.registry.fleet, services.standing
        is_feed, name = agency.endswith(FEED), agency.removesuffix(FEED)
        found = fleet.agencies.get(name)
        if found is None or not status_page(services, name):
            raise not_found("status page", name)
        mine = {one.id: one for one in fleet.systems.values() if one.agency == name}
        with services.store.reading() as connection:
            changes = latest_changes(connection, [("system", one) for one in mine], SHOWN_CHANGES)
        frame = frame_of(request, services)
        if is_feed:
            url = f"{services.settings.server.url}/status/{name}"
            return packed(request, feed(url, found, mine, changes, frame.words, frame.now_ms), "application/atom+xml")
        rows = [(one, judged(standing.systems.get(one.id))) for one in mine.values()]
        rows.sort(key=lambda row: (-row[1].state, row[0].grade, row[0].id))
        values = {
            "agency": found,
            "rows": rows,
            "is_well": all(verdict.state == OK for _, verdict in rows),
            "changes": [(change, mine[change.id]) for change in changes],
            "feed": f"/status/{name}{FEED}",
            "signed_out": True,
        }
        return page(request, services, "status.html", values, frame=frame)

    return routes


def status_page(services: Services, agency: str) -> str:
    """The address of an agency's page for everybody; empty where it has none."""
    return f"/status/{agency}" if agency in services.settings.access.status_pages.split() else ""


def feed(
    url: str, agency: Named, systems: dict[str, System], changes: Sequence[Change], t: Words, now_ms: int
) -> bytes:
    """An Atom document (RFC 4287), the newest change first."""
    top = Element("feed", {"xmlns": ATOM, "xml:lang": t.language})
    SubElement(top, "id").text = url
    SubElement(top, "title").text = t("status.title", agency=t.name(agency))
    SubElement(top, "link", {"href": url})
    SubElement(top, "updated").text = times.iso(changes[0].at_ms if changes else now_ms)
    SubElement(SubElement(top, "author"), "name").text = t.name(agency)
    for change in changes:
        entry = SubElement(top, "entry")
        SubElement(entry, "id").text = f"{url}#{change.id}-{change.at_ms}"
        SubElement(entry, "title").text = f"{t.name(systems[change.id])}: {t(f'status.s{change.after}')}"
        SubElement(entry, "link", {"href": url})
        SubElement(entry, "updated").text = times.iso(change.at_ms)
        SubElement(entry, "summary").text = f"{t(f'status.s{change.after}')}, {times.stamp(change.at_ms)} KST"
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + tostring(top)
