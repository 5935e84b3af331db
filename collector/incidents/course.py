"""One look: from the incidents there are and the signals that hold, to what each incident becomes. Pure.

In reading order: what lies behind what; who belongs where (and what comes back, or is new); a storm; what ended; what
goes into its parent; what settled; what changed. The writer and the job know nothing of why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from collector.escalation.policy import Plan
from collector.fleet.registry import Fleet
from collector.incidents import incident as inc
from collector.incidents.behind import covering, one_each, root_of
from collector.incidents.change import follow, opened
from collector.incidents.digest import gather_late
from collector.incidents.draft import Draft, bring_back, ends_in, lie_still, merge, settle
from collector.incidents.from_verdicts import WIDE
from collector.incidents.impact import systems_by_host
from collector.incidents.incident import Incident
from collector.incidents.signal import VERDICT, Signal
from collector.incidents.storm import storm_of
from collector.store.schema import instant


class Home(NamedTuple):
    """Where a signal that holds belongs."""

    uid: str
    source: str
    severity: str


class Moved(NamedTuple):
    """A signal that joins an incident, or leaves it; ``signal`` None = it ended, or went on to another."""

    uid: str
    key: str
    signal: Signal | None
    at: datetime


@dataclass(slots=True)
class Memory:
    """What the next look needs besides rows."""

    came_ms: list[int] = field(default_factory=list)
    """When new incidents came, within the last minute."""
    storm_ms: int = 0
    """When there were last too many; 0 = no storm."""
    raising: dict[str, list[Any]] = field(default_factory=dict)
    """uid -> [severity, since_ms] of what looks graver, and may not stay so."""
    late: dict[str, int] = field(default_factory=dict)
    """key -> since_ms of what was told in a digest already."""
    digests: dict[str, int] = field(default_factory=dict)
    """uid of an open digest -> when something was last added."""
    root_ended: dict[str, int] = field(default_factory=dict)
    """uid -> when what it is about ended, while alerts behind it still fire."""
    owed: dict[str, int] = field(default_factory=dict)
    """uid of what took in something that people were called for -> when: they hear its end."""
    worked: dict[str, int] = field(default_factory=dict)
    """uid of what is agreed to be worked on while it is open -> since when: nothing can be told of it meanwhile."""


@dataclass(slots=True)
class Outcome:
    drafts: list[Draft] = field(default_factory=list)
    """Those that changed, parents before what goes into them."""
    moved: list[Moved] = field(default_factory=list)
    late: list[tuple[str, Signal]] = field(default_factory=list)
    """(uid, signal) of what is told in a digest."""


class Course:
    """One look at everything. Make one, call ``look`` once."""

    def __init__(self, plan: Plan, fleet: Fleet, memory: Memory, now: datetime) -> None:
        self.plan, self.fleet, self.memory, self.now = plan, fleet, memory, now
        self.now_ms = round(now.timestamp() * 1000)
        self.on_host = systems_by_host(fleet)
        self.drafts: dict[str, Draft] = {}
        self.moved: list[Moved] = []
        self._kept: set[str] = set()
        self._gone: dict[str, Counter[str]] = {}
        """uid -> where its signals went, with how many."""

    def look(
        self,
        known: Iterable[Incident],
        homes: Mapping[str, Home],
        signals: Sequence[Signal],
        *,
        is_unjudged: bool = False,
        worked: frozenset[str] = frozenset(),
    ) -> Outcome:
        """``is_unjudged``: verdicts cannot be told yet, as after a start; what they said holds until they can. ``worked``:
        keys of verdicts that cannot be told for agreed work: that it began ends nothing that people were called for."""
        self.drafts = {each.uid: Draft(each, each) for each in known}
        active = one_each(signal for signal in signals if signal.is_active and not signal.is_late)
        covers = covering(active.values())
        behind = {key: root_of(signal, covers) for key, signal in active.items()}
        now_homes = self._homes(active, behind, homes)
        self._move(active, behind, homes, now_homes)
        kept = {key for key, home in homes.items() if is_unjudged and home.source == VERDICT and key not in active}
        under = {key for key in worked - active.keys() if key in homes and self._waits_for_work(homes[key].uid)}
        kept |= under
        self._kept = {homes[key].uid for key in kept}
        self._note_work({homes[key].uid for key in under}, is_unjudged=is_unjudged)
        left = {key: home for key, home in homes.items() if key not in active and key not in kept}
        self._end(left, covers, now_homes, {s.key: s.ended_ms for s in signals if not s.is_active})
        self._merge()
        for draft in self.drafts.values():
            self._go_on(draft)
        self._forget()
        late = gather_late(self, [signal for signal in signals if signal.is_late])
        changed = [draft for draft in self.drafts.values() if draft.is_new or draft.incident != draft.before
                   or draft.events or draft.timers]  # fmt: skip
        return Outcome(sorted(changed, key=lambda draft: bool(draft.merged_into)), self.moved, late)

    def open(self, signal: Signal, **values: Any) -> Draft:
        draft = opened(self, signal, **values)
        self.drafts[draft.uid] = draft
        return draft

    def _waits_for_work(self, uid: str) -> bool:
        """What nobody was told of ends quietly, and is judged anew afterwards."""
        draft = self.drafts.get(uid)
        return draft is not None and draft.is_told and draft.incident.state in inc.OPEN

    def _note_work(self, under: set[str], *, is_unjudged: bool) -> None:
        for uid in under - self.memory.worked.keys():
            self.memory.worked[uid] = self.now_ms
            self.drafts[uid].note("work_began")
        for uid in [] if is_unjudged else sorted(self.memory.worked.keys() - under):
            del self.memory.worked[uid]
            if uid in self.drafts and self.drafts[uid].incident.is_open:
                self.drafts[uid].note("work_over")

    def _homes(
        self, active: Mapping[str, Signal], behind: Mapping[str, str], homes: Mapping[str, Home]
    ) -> dict[str, str]:
        """uid by key, of everything that holds. Roots first: what lies behind one follows it."""
        found: dict[str, str] = {}
        by_key = {draft.incident.key: draft for draft in self.drafts.values()}
        new: list[Signal] = []
        for key, signal in active.items():
            home = homes.get(key)
            if home is not None and home.uid in self.drafts:
                if behind[key] == key:
                    found[key] = home.uid
            elif behind[key] == key:
                back = by_key.get(key)
                if back is not None and self._takes_back(back):
                    self.memory.root_ended.pop(back.uid, None)
                    bring_back(back, self.due_of(signal), self.now)
                    found[key] = back.uid
                else:
                    new.append(signal)
        storm = storm_of(self, new)
        for signal in new:
            into = storm if storm is not None and signal.subject[0] not in WIDE else self.open(signal)
            found[signal.key] = into.uid
        for key in active:
            if behind[key] != key:
                found[key] = found[behind[key]]
        if storm is not None:
            self._into_storm(storm, found)
        return found

    def _takes_back(self, draft: Draft) -> bool:
        was = draft.incident
        if was.state == inc.RESOLVED:
            ends_at = (was.resolved_at or self.now) + timedelta(seconds=self.plan.reopen_seconds)
            return self.now < ends_at
        return was.is_open

    def _into_storm(self, storm: Draft, found: dict[str, str]) -> None:
        """What was opened a moment ago and told to nobody is part of it."""
        since = self.now - timedelta(seconds=60)
        small = {
            draft.uid
            for draft in self.drafts.values()
            if draft is not storm and not draft.is_new and not draft.is_told and draft.incident.opened_at > since
            and draft.incident.is_open and not draft.incident.is_storm and not draft.incident.is_digest
            and draft.incident.subject_kind not in WIDE
        }  # fmt: skip
        for key, uid in found.items():
            if uid in small:
                found[key] = storm.uid

    def _move(
        self,
        active: Mapping[str, Signal],
        behind: Mapping[str, str],
        homes: Mapping[str, Home],
        now_homes: Mapping[str, str],
    ) -> None:
        joined: Counter[str] = Counter()
        for key, uid in now_homes.items():
            signal, home = active[key], homes.get(key)
            draft = self.drafts[uid]
            draft.active.append(signal)
            if home is not None and home.uid == uid:
                continue
            self.moved.append(Moved(uid, key, signal, instant(signal.since_ms)))
            if not draft.is_new or behind[key] != key:
                joined[uid] += 1
            if home is not None and home.uid in self.drafts:
                self.moved.append(Moved(home.uid, key, None, self.now))
                self._gone.setdefault(home.uid, Counter())[uid] += 1
        for uid, count in joined.items():
            if not any(kind in ("came_back", "reopened") for kind, _ in self.drafts[uid].events) or count > 1:
                self.drafts[uid].note("joined", count=count)

    def _end(
        self,
        left: Mapping[str, Home],
        covers: Mapping[tuple[str, str], str],
        now_homes: Mapping[str, str],
        ended_ms: Mapping[str, int | None],
    ) -> None:
        for key, home in left.items():
            if home.uid not in self.drafts:
                continue
            at_ms = ended_ms.get(key)
            self.moved.append(Moved(home.uid, key, None, self.now if at_ms is None else instant(at_ms)))
            if key == self.drafts[home.uid].incident.key:
                self.memory.root_ended[home.uid] = self.now_ms if at_ms is None else at_ms
            kind, _, name = key.partition(":")
            parent = now_homes.get(covers.get((kind, name), ""), "") if home.source == VERDICT else ""
            if parent not in ("", home.uid) and ends_in(self.drafts[home.uid], self.drafts[parent]):
                self._gone.setdefault(home.uid, Counter())[parent] += 1

    def _merge(self) -> None:
        """What holds nothing any more because it lies behind another goes into that one."""
        for uid, went in self._gone.items():
            child = self.drafts[uid]
            if not child.active and uid not in self._kept and child.incident.is_open:
                parent = self.drafts[went.most_common(1)[0][0]]
                if not parent.merged_into and parent is not child:
                    if child.is_told or child.uid in self.memory.owed:
                        self.memory.owed[parent.uid] = self.now_ms
                    merge(child, parent, self.now)

    def _go_on(self, draft: Draft) -> None:
        was = draft.incident
        if (
            draft.merged_into
            or was.is_digest
            or was.state == inc.CLOSED
            or (draft.uid in self._kept and not draft.active)
        ):
            return
        if was.state == inc.RESOLVED:
            # Somebody said it was over.
            if draft.active and not self._takes_back(draft):
                bring_back(draft, self.now, self.now)
            return
        ended_at = [moved.at for moved in self.moved if moved.uid == draft.uid and moved.signal is None]
        if draft.active:
            if was.recovered_at is not None and not draft.is_new:
                bring_back(draft, self.due_of(draft.active[0]), self.now)
            follow(self, draft)
        elif was.recovered_at is None:
            root_ms = self.memory.root_ended.pop(draft.uid, None)
            last_at = max(ended_at, default=self.now) if root_ms is None else instant(root_ms)
            recovered_at = max(was.occurred_at, min(self.now, last_at))
            lie_still(draft, recovered_at, self.now + self._settling(was))
        elif self.now >= was.recovered_at + self._settling(was):
            settle(draft, self.now, is_owed=draft.uid in self.memory.owed)

    def _forget(self) -> None:
        for book in (self.memory.raising, self.memory.root_ended, self.memory.owed):
            for uid in [uid for uid in book if uid not in self.drafts or not self.drafts[uid].incident.is_open]:
                del book[uid]

    def _settling(self, was: Incident) -> timedelta:
        """How long it must stay well: twice as long each time it came back."""
        seconds = self.plan.settle_seconds * 2 ** min(was.returns, 16)
        return timedelta(seconds=min(seconds, max(self.plan.settle_seconds, self.plan.settle_most_seconds)))

    def due_of(self, signal: Signal) -> datetime | None:
        """From when on somebody may be told. An alert waits for what it may lie behind."""
        if signal.due_ms is None:
            return None
        due = instant(signal.due_ms)
        if signal.source != VERDICT:
            return max(due, self.now + timedelta(seconds=self.plan.alert_hold_seconds))
        return due
