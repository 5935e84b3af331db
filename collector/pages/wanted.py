"""Whether a page that is about to leave still says something: what was true when it was made may be over."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.incidents.incident import CLOSED, RESOLVED, TRIGGERED, Incident
from collector.pages import page as p
from collector.pages.page import Delivery

MOST_AGE = timedelta(days=1)
MOST_AGE_OF_SIGNS = timedelta(minutes=15)
"""Of a heartbeat or a code: later it proves nothing."""


def why_not_wanted(page: Delivery, incident: Incident | None, now: datetime) -> str:
    """``over``, ``answered``, ``grouped``, ``back``, ``too_old``; empty where it is to be sent."""
    if now - (page.created_at or now) > (MOST_AGE_OF_SIGNS if page.kind in (p.HEARTBEAT, p.VERIFY) else MOST_AGE):
        return "too_old"
    if incident is None:
        return ""
    is_over = incident.state in (RESOLVED, CLOSED)
    if page.kind in p.CALLS:
        if incident.merged_into is not None:
            return "grouped"
        return "over" if is_over else "answered" if incident.state != TRIGGERED else ""
    if page.kind in (p.FIX_WARNING, p.SUMMONS):
        return "over" if is_over else ""
    if page.kind == p.RECOVERY:
        return "" if is_over else "back"
    return ""
