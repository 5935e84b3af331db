"""An incident as one look leaves it: what it becomes, what is written about it, and what its timers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from collector.escalation.policy import freeze, thaw
from collector.escalation.timer import FIX, KINDS, PURSUIT, RESOLVED, STEP
from collector.incidents import incident as inc
from collector.incidents.from_verdicts import HOSTS_OUT
from collector.incidents.incident import Incident
from collector.incidents.signal import SEVERITIES, Signal

SHARES = dict(zip(FIX, (0.5, 0.8, 1.0), strict=True))
"""Of the time to fix, at which somebody is warned."""


class TimerChange(NamedTuple):
    """``add`` one at ``at``; ``cancel`` those of ``kinds``; ``hold``: none of ``kinds`` before ``at``; ``take`` those of
    ``kinds`` from the incident ``of``."""

    what: str
    kinds: tuple[str, ...]
    at: datetime | None = None
    of: str = ""


@dataclass(slots=True)
class Draft:
    incident: Incident
    before: Incident | None = None
    """As it was read; None = it is new."""
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    timers: list[TimerChange] = field(default_factory=list)
    merged_into: str = ""
    """uid of the incident it goes into with this look."""
    active: list[Signal] = field(default_factory=list)
    """Signals that hold and are its own, after this look."""
    places: frozenset[tuple[str, str]] = frozenset()
    """(agency, site) it reaches, where that is news."""

    @property
    def uid(self) -> str:
        return self.incident.uid

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_told(self) -> bool:
        return self.incident.is_told

    def become(self, **values: Any) -> None:
        self.incident = replace(self.incident, **values)

    def note(self, kind: str, **data: Any) -> None:
        self.events.append((kind, data))

    def cancel(self, kinds: Sequence[str]) -> None:
        self.timers = [t for t in self.timers if t.what != "add" or t.kinds[0] not in kinds]
        if self.before is not None:
            self.timers.append(TimerChange("cancel", tuple(kinds)))

    def add(self, kind: str, at: datetime) -> None:
        self.timers.append(TimerChange("add", (kind,), at))


def tell_from(draft: Draft, due_at: datetime | None) -> None:
    """Let its steps begin at ``due_at``; None = not yet."""
    draft.cancel((STEP,))
    draft.become(due_at=due_at)
    if due_at is not None and thaw(draft.incident.policy).steps:
        draft.add(STEP, due_at)


def start_clock(draft: Draft, fix: timedelta, now: datetime) -> None:
    """Let the clock for fixing run from when it began; warnings that are past are not made up for, but the last."""
    began = draft.incident.occurred_at
    draft.become(fix_due_at=began + fix)
    for kind, share in SHARES.items():
        at = began + fix * share
        if at > now or kind == FIX[-1]:
            draft.add(kind, max(at, now))


def bring_back(draft: Draft, due_at: datetime | None, now: datetime) -> None:
    """What had ended holds again. Where it was resolved, everybody has to hear of it anew."""
    was = draft.incident
    draft.become(recovered_at=None, returns=was.returns + 1)
    if was.state == inc.RESOLVED:
        draft.become(state=inc.TRIGGERED, resolved_at=None, snoozed_until=None)
        draft.cancel((RESOLVED,))
        draft.note("reopened")
        tell_from(draft, due_at)
        if was.fix_due_at is not None:
            start_clock(draft, was.fix_due_at - was.occurred_at, now)
    else:
        draft.note("came_back")
        if not draft.is_told:
            tell_from(draft, due_at)


def lie_still(draft: Draft, recovered_at: datetime, settles_at: datetime) -> None:
    """Nothing of it holds any more: nobody new is told before it is known whether that lasts."""
    draft.become(recovered_at=recovered_at)
    draft.note("recovered")
    if draft.is_told:
        draft.timers.append(TimerChange("hold", (STEP,), settles_at + timedelta(seconds=5)))
    else:
        tell_from(draft, None)


def settle(draft: Draft, now: datetime, *, is_owed: bool = False) -> None:
    """It stayed well. Nobody hears the end of what nobody was told; ``is_owed``: somebody was, of what went into it."""
    draft.cancel((*PURSUIT, *FIX))
    if draft.is_told:
        draft.become(state=inc.RESOLVED, resolved_at=now, snoozed_until=None)
        draft.note("resolved")
        if draft.incident.paged_at is not None:
            draft.add(RESOLVED, now)
    else:
        draft.become(state=inc.CLOSED, resolved_at=now, closed_at=now, snoozed_until=None)
        draft.note("closed_quietly")
        if is_owed:
            draft.add(RESOLVED, now)


def ends_in(child: Draft, parent: Draft) -> bool:
    """Whether what is over goes on in the other; what was about many hosts of a site does not in what is about one."""
    return child.incident.reason not in HOSTS_OUT or parent.incident.subject_kind not in ("host", "agent")


def merge(child: Draft, parent: Draft, now: datetime) -> None:
    """The child lies behind the parent. Whoever was paged for it is not paged again, unless the parent is graver."""
    c, p = child.incident, parent.incident
    child.become(state=inc.CLOSED, closed_at=now, resolved_at=c.resolved_at or now)
    child.merged_into = parent.uid
    child.note("merged", into_uid=parent.uid)
    parent.note("took_in", title_ko=c.title_ko, title_en=c.title_en, number=c.number)
    is_as_grave = SEVERITIES.index(c.severity) <= SEVERITIES.index(p.severity)
    if child.is_told and is_as_grave and not parent.is_told and p.state == inc.TRIGGERED:
        parent.cancel((STEP,))
        parent.become(
            due_at=c.due_at,
            paged_at=c.paged_at,
            policy=c.policy,
            state=c.state if c.state in inc.OPEN else p.state,
            acknowledged_at=c.acknowledged_at,
            acknowledged_by=c.acknowledged_by,
            acknowledged_for=c.acknowledged_for,
            assignee=p.assignee or c.assignee,
            action_at=p.action_at or c.action_at,
        )
        parent.timers.append(TimerChange("take", PURSUIT, of=c.uid))
    child.cancel(KINDS)


def frozen(policy: Any) -> dict[str, Any]:
    """A policy as rows give it back, so that what was read compares with what is new."""
    from collector.store.schema import frozen as plain

    found: dict[str, Any] = plain(freeze(policy))
    return found
