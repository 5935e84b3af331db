"""Since when something stands as it does, whether it flaps, and what of that is a change for the rows."""

from __future__ import annotations

from collections.abc import Mapping

from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.flapping import Flap, calmed, changed
from collector.verdicts.past import KINDS, Books
from collector.verdicts.standing import DEGRADED, MAINTENANCE, OK, Change, Fact, Recorded

FLAPPING_KINDS = frozenset({"site", "host", "link"})
_STILL = frozenset(
    {
        r.STARTING,
        r.UNDER_MAINTENANCE,
        r.PLANNED_SHUTDOWN,
        r.BEHIND_WORK,
        r.COLLECTOR_BLIND,
        r.HUB_AFFECTED,
        r.BEHIND,
        r.RECOVERING,
    }
)
"""Not its own doing: going there and back says nothing about it."""


class Conclusions:
    def __init__(
        self,
        books: Books,
        flaps: Mapping[tuple[str, str], Flap],
        facts: Mapping[tuple[str, str], tuple[Fact, ...]],
        now_ms: int,
        started_at_ms: int,
    ) -> None:
        self._books = books
        self._known_facts = facts
        self._now_ms = now_ms
        self._started_at_ms = started_at_ms
        self._changes: list[Change] = []
        self.flaps: dict[tuple[str, str], Flap] = {}
        self.stopped: set[tuple[str, str]] = set()
        """What is flapping no more: to be looked at again."""
        for key, flap in flaps.items():
            now = calmed(flap, now_ms) if flap.is_flapping or now_ms - flap.at_ms > 60_000 else flap
            if now is not None:
                self.flaps[key] = now
            if flap.is_flapping and (now is None or not now.is_flapping):
                self.stopped.add(key)
        self.facts = dict(facts)

    @property
    def changes(self) -> list[Change]:
        """In the same order whoever judges, and whatever order the parts were looked at in."""
        return sorted(self._changes, key=lambda change: (KINDS.index(change.kind), change.id))

    def conclude(self, kind: str, subject: str, found: Finding) -> tuple[Finding, int]:
        """What is to be shown, and since when."""
        recorded = self._books[kind].get(subject)
        if found.reason == r.STARTING:
            if recorded is None or recorded.state == OK:
                return found, self._started_at_ms  # not a conclusion: what is recorded stays
            facts = self._known_facts.get((kind, subject), ())
            return Finding(recorded.state, recorded.reason, recorded.cause, facts), recorded.since_ms
        if kind in FLAPPING_KINDS:
            found = self._damped(kind, subject, found, recorded)
        self._remember(kind, subject, found)
        return found, self._since(kind, subject, found, recorded)

    def _since(self, kind: str, subject: str, found: Finding, recorded: Recorded | None) -> int:
        state, reason, cause, _ = found
        if recorded is not None and recorded.state == state:
            if (recorded.cause, recorded.reason) != (cause, reason):
                since_ms, is_reason = recorded.since_ms, recorded.cause == cause
                change = Change(kind, subject, state, state, self._now_ms, reason, cause, since_ms, is_reason)
                self._changes.append(change)
            return recorded.since_ms
        before = recorded.state if recorded is not None else None
        self._changes.append(Change(kind, subject, before, state, self._now_ms, reason, cause))
        return self._now_ms

    def _damped(self, kind: str, subject: str, found: Finding, recorded: Recorded | None) -> Finding:
        key = (kind, subject)
        flap = self.flaps.get(key)
        is_bad = found.state not in (OK, MAINTENANCE)
        if found.reason not in _STILL and not (is_bad and found.reason in r.SELF_EXPLAINED):
            was_bad = (
                flap.is_bad if flap is not None else recorded is not None and recorded.state not in (OK, MAINTENANCE)
            )
            is_known = flap is not None or (recorded is not None and recorded.reason not in _STILL | r.SELF_EXPLAINED)
            is_known = is_known or (recorded is not None and recorded.state == OK)
            if is_known and was_bad != is_bad:
                flap = self.flaps[key] = changed(flap, is_bad, self._now_ms)
        if flap is not None and flap.is_flapping and found.state == OK:
            return Finding(DEGRADED, r.FLAPPING, "", (Fact("flaps", subject, f"{flap.penalty_at(self._now_ms):.1f}"),))
        return found

    def _remember(self, kind: str, subject: str, found: Finding) -> None:
        if found.state in (OK, MAINTENANCE) or not found.evidence:
            self.facts.pop((kind, subject), None)
        else:
            self.facts[kind, subject] = found.evidence
