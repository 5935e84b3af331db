"""After a start: ``live`` as it was, read back from the log's last minutes."""

from __future__ import annotations

from collector.fleet.registry import Registry
from collector.intake.admit import Admission
from collector.intake.feed import feed
from collector.intake.work import Outcome
from collector.live.board import Live
from collector.log.positions import Positions, read_accepted
from collector.log.queries import newest
from collector.store.engine import Store

WINDOW_MS = 5 * 60_000
"""Longer than three of the longest interval: whatever could still be current is inside."""


def restore_live(store: Store, registry: Registry, admission: Admission, positions: Positions, live: Live) -> int:
    """Feed ``live`` from the log; how many envelopes that took. Counters start anew, as a restart makes them."""
    known = sorted(positions.items(), key=lambda item: item[1].first_received_at_ms)
    for (agent_id, epoch), position in known:
        live.heard(agent_id, epoch, position.last_received_at_ms)
    fleet = registry.fleet
    count = 0
    with store.reading() as connection:
        for row in newest(connection, WINDOW_MS):
            envelope = admission.reread(row.packed, fleet)
            if envelope is None:
                continue
            site = fleet.sites[envelope.agent.site]
            outcome = Outcome(envelope, read_accepted(row.accepted))
            feed(live, outcome, site.id, site.interval_seconds * 1000, row.received_at_ms)
            count += 1
    live.reports.clear()
    return count
