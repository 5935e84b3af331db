"""Signals from alerts that began and ended before anybody could know: what goes into a digest. Pure.

While a line was cut verdicts judged nothing behind it, so nothing here is left to them. What several hosts looked at is
told once, where most of them saw it, and for as long as any did; what a few saw says more about those who looked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from collector.alerts.alert import RULE, FiringAlert, firing
from collector.fleet.registry import Fleet
from collector.incidents.from_alerts import key_of
from collector.incidents.signal import Signal, worst
from collector.rules.past_queries import PastRow

NEAR_MS = 5 * 60_000
"""Votes so close to each other are about the same time."""


def past_signals(rows: Sequence[PastRow], fleet: Fleet) -> list[Signal]:
    """One for each stretch. ``rows`` by when they began."""
    found: list[Signal] = []
    votes: dict[tuple[tuple[str, str], str], list[FiringAlert]] = defaultdict(list)
    for row in rows:
        past = row.alert
        alert = firing(RULE, past.labels, past.annotations, fleet, past.active_at_ms, past.ended_at_ms)
        if dict(alert.labels).get("severity") == "none":
            continue
        if alert.is_vote:
            votes[alert.subject, alert.name].append(alert)
        else:
            found.append(_signal(alert))
    looking = _looking(fleet)
    for (subject, _), cast in votes.items():
        found += [_joined(together) for together in _stretches(cast) if 2 * _voters(together) > looking[subject]]
    return found


def _looking(fleet: Fleet) -> Counter[tuple[str, str]]:
    """How many hosts look at a thing."""
    pairs = {(probe.host, kind, name) for probe in fleet.probes
             for kind, name in (("hub", probe.hub), ("link", probe.link), ("site", probe.site), ("host", probe.of_host))
             if name}  # fmt: skip
    return Counter((kind, name) for _, kind, name in pairs)


def _voters(votes: Sequence[FiringAlert]) -> int:
    return len({dict(vote.labels).get("instance") for vote in votes})


def _stretches(votes: Sequence[FiringAlert]) -> list[list[FiringAlert]]:
    found: list[list[FiringAlert]] = []
    until_ms = 0
    for vote in sorted(votes, key=lambda each: each.started_at_ms):
        if not found or vote.started_at_ms > until_ms + NEAR_MS:
            found.append([])
        found[-1].append(vote)
        until_ms = max(until_ms, vote.ended_at_ms or 0)
    return found


def _joined(votes: Sequence[FiringAlert]) -> Signal:
    first = _signal(votes[0])
    ended_ms = max(vote.ended_at_ms or 0 for vote in votes)
    return first._replace(ended_ms=ended_ms, severity=worst(*(vote.severity for vote in votes)))


def _signal(alert: FiringAlert) -> Signal:
    return Signal(
        key=f"{key_of(alert)}:{alert.started_at_ms}",  # one alert may have come and gone several times
        source=alert.source,
        severity=alert.severity,
        subject=alert.subject,
        site=alert.site,
        agency=alert.agency,
        reason=alert.name,
        since_ms=alert.started_at_ms,
        due_ms=None,
        affected=(),
        evidence=(),
        labels=alert.labels,
        annotations=alert.annotations,
        is_active=False,
        ended_ms=alert.ended_at_ms,
        is_late=True,
    )
