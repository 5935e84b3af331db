"""What else happened at the same site at about the same time: batteries heat up, and an hour later hosts are gone.

Nobody merges them, for each is a disturbance of its own and somebody may have it in hand; but whoever reads of one has to
know of the other.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from collector.incidents.incident import Incident
from collector.incidents.queries import list_incidents
from collector.store.scope import Scope

WITHIN = timedelta(hours=1)
"""Between the openings of two incidents."""
SHOWN = 10


def related_to(connection: Connection, scope: Scope, incident: Incident) -> list[Incident]:
    """Those that opened before or after it within the hour, oldest first, as far as they are the caller's own."""
    if not incident.site or incident.is_digest:
        return []
    began, ended = incident.opened_at - WITHIN, incident.opened_at + WITHIN
    near = list_incidents(connection, scope, site=incident.site, opened_from=began, opened_to=ended)
    found = [each for each in near if each.number != incident.number and not each.is_digest]
    found.sort(key=lambda each: (abs(each.opened_at - incident.opened_at), each.number))
    return sorted(found[:SHOWN], key=lambda each: each.number)
