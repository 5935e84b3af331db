"""What agents say of their own spools: a backlog that still drains is late, not missing.

Behind a hub, too: an agent keeps a record until the centre's receipt for it came down.
"""

from __future__ import annotations

from collections.abc import Callable

from collector.live.board import Live

Spooled = Callable[[str], int | None]
"""Host -> when the oldest record was taken that its agent keeps (ms); None where it keeps none, or never said."""


def spooled_of(live: Live) -> Spooled:
    """As of the agents' newest reports."""

    def spooled(host: str) -> int | None:
        shown = live.hosts.get(host)
        if shown is None or not shown.value("agent_spool_records"):
            return None
        oldest = shown.value("agent_spool_oldest_timestamp_seconds")
        return None if oldest is None else round(oldest * 1000)

    return spooled
