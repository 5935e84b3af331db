"""What fired and ended only in reports that came late: nobody is called for it now, and nobody should have to look for it.

While a line is cut its site's rules see nothing. When the spool is delivered the same rules, asked about that time, may
say that something was wrong for a while and is not any more: one such stretch is a ``PastAlert``, and all of a cut go
into one digest. What was found at its time (``ALERTS`` was recorded then), or is wrong now, is not past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from collector.history.source import LabelSet
from collector.rules.alert import found_alerts
from collector.rules.rule import Group, Rule

SLACK_INTERVALS = 2
"""An alert found so soon after a stretch is the same one."""


class PastAlert(NamedTuple):
    """One stretch of one alert. ``fired_at_ms`` is when it had lasted for the rule's ``for``; it was over at ``ended_at_ms``."""

    labels: LabelSet
    annotations: LabelSet
    value: float
    active_at_ms: int
    fired_at_ms: int
    ended_at_ms: int

    def touches(self, other: PastAlert) -> bool:
        """Whether the two are one stretch, found in two pieces."""
        return self.active_at_ms <= other.ended_at_ms and other.active_at_ms <= self.ended_at_ms

    def joined(self, other: PastAlert) -> PastAlert:
        first = self if self.active_at_ms <= other.active_at_ms else other
        return first._replace(
            fired_at_ms=min(self.fired_at_ms, other.fired_at_ms), ended_at_ms=max(self.ended_at_ms, other.ended_at_ms)
        )


class Known(NamedTuple):
    """What was found of one alert at its time: instants at which it fired, and at which it was not firing yet."""

    firing: Sequence[int] = ()
    pending: Sequence[int] = ()


def past_alerts(
    group: Group,
    rule: Rule,
    seen: Mapping[LabelSet, Mapping[int, float]],
    ends_ms: int,
    known: Mapping[LabelSet, Known],
) -> list[PastAlert]:
    """Stretches of a rule that lasted for its ``for`` and were over before ``ends_ms``, the last instant looked at.

    ``seen``: what the rule's expression said, by labels and instant. ``known``: by the labels of the alert.
    """
    found = []
    for labels, values in seen.items():
        for first, last in _stretches(sorted(values), group.interval_ms + rule.keep_firing_for_ms):
            fired = next((at for at in sorted(values) if first + rule.for_ms <= at <= last), None)
            if fired is None or last >= ends_ms:
                continue
            (alert,) = found_alerts(rule, [(labels, values[fired])], fired).values()
            past = PastAlert(alert.labels, alert.annotations, alert.value, first, fired, last + group.interval_ms)
            if not _is_known(past, known.get(alert.labels), SLACK_INTERVALS * group.interval_ms):
                found.append(past)
    return sorted(found, key=lambda past: (past.active_at_ms, past.labels))


def _stretches(instants: Sequence[int], gap_ms: int) -> Iterable[tuple[int, int]]:
    """(first, last) of runs of instants no further apart than this."""
    first = last = None
    for at in instants:
        if first is None or last is None or at - last > gap_ms:
            if first is not None and last is not None:
                yield first, last
            first = at
        last = at
    if first is not None and last is not None:
        yield first, last


def _is_known(past: PastAlert, known: Known | None, slack_ms: int) -> bool:
    if known is None:
        return False
    until_ms = past.ended_at_ms + slack_ms
    fired = any(past.active_at_ms <= at <= until_ms for at in known.firing)
    return fired or any(past.ended_at_ms <= at <= until_ms for at in known.pending)
