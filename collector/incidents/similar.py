"""Similar past incidents: the same thing first, then the same reason; those somebody explained before the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from collector.incidents.incident import CLOSED, RESOLVED, Incident
from collector.incidents.queries import list_incidents
from collector.store.scope import Scope

LOOKED_AT = 50
SHOWN = 5


class Similar(NamedTuple):
    incident: Incident
    is_same: bool
    """The same thing, not only the same reason."""


def similar_to(connection: Connection, scope: Scope, incident: Incident) -> list[Similar]:
    """At most five that are over, as far as the caller may see them."""
    over = (RESOLVED, CLOSED)
    same = list_incidents(connection, scope, states=over, key=incident.key, before=incident.number, limit=LOOKED_AT)
    alike = list_incidents(
        connection, scope, states=over, reason=incident.reason, before=incident.number, limit=LOOKED_AT
    )
    return ranked(incident, [*same, *alike])


def ranked(incident: Incident, past: Iterable[Incident]) -> list[Similar]:
    once = {each.number: each for each in past if each.number != incident.number and not each.is_digest}
    found = [Similar(each, each.key == incident.key or each.subject == incident.subject) for each in once.values()]
    found.sort(
        key=lambda s: (not s.is_same, not s.incident.cause_text, s.incident.site != incident.site, -s.incident.number)
    )
    return found[:SHOWN]
