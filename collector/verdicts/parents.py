"""What others lie behind: hubs, and the collector itself. Which of them are out since when, and which came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.hubs import HEARTBEAT_MS, WORK_MS, Child, judge_hub
from collector.verdicts.index import Index
from collector.verdicts.memory import Memory
from collector.verdicts.past import RawSite
from collector.verdicts.senses import Senses
from collector.verdicts.sites import COLLECTOR
from collector.verdicts.standing import MAINTENANCE, NO_DATA, OK, Fact, Recorded
from collector.verdicts.work import Windows, in_window

REMEMBERED_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Parents:
    fleet: Fleet
    index: Index
    senses: Senses
    raw: Mapping[str, RawSite]
    interval_ms: Mapping[str, int]
    """Between the reports of a site."""
    maintained: frozenset[str]
    """Sites whose silence says nothing: agreed work, on them or on all their lines."""
    windows: Windows
    now_ms: int
    started_at_ms: int

    def judge(
        self,
        known: Memory,
        blind: tuple[Fact, ...],
        maintained_before: frozenset[str],
        recorded: Mapping[str, Recorded],
    ) -> tuple[dict[str, Finding], Memory]:
        """Findings of all hubs, and the memory with which parents are out since when, and which came back. ``recorded``:
        how hubs stand in the rows."""
        now_ms = self.now_ms
        suspected = {key: at for key, at in known.suspected.items() if key in self.fleet.hubs or key == COLLECTOR}
        recovered = {key: at for key, at in known.recovered.items() if now_ms - at < REMEMBERED_MS}
        recovered |= {f"site:{site}": now_ms for site in maintained_before - self.maintained}
        found = {}
        for hub in self.fleet.hubs:
            children = self._children(hub)
            was_out = hub in suspected
            seen_ms = known.hubs.get(hub)
            if seen_ms is not None and not was_out:
                seen_ms = max(seen_ms, self.started_at_ms)  # while we were away nobody could be heard
            tally = self.senses.tally(self.index.at_hub.get(hub, ()))
            window = self.windows.get(("hub", hub))
            before = recorded.get(hub)
            was_worked = window is not None or (before is not None and before.state == MAINTENANCE)
            patience_ms = WORK_MS if window is not None else HEARTBEAT_MS
            finding, is_out = judge_hub(hub, seen_ms, children, tally, now_ms, patience_ms)
            if window is not None:
                finding, is_out = in_window(window, finding.evidence), was_out if blind else is_out
            elif blind and (finding.state != OK or (_was_blind(before) and not self._is_heard(hub, known))):
                finding, is_out = Finding(NO_DATA, r.COLLECTOR_BLIND, COLLECTOR, blind), was_out
            elif was_out and not is_out and self._is_starting(hub):
                finding, is_out = Finding(NO_DATA, r.STARTING), True
            elif seen_ms is None and finding.state == OK and not tally.reached and self._is_unheard(hub):
                finding = Finding(NO_DATA, r.STARTING)
            if is_out:
                silent = [
                    child.last_ms for child in children if child.is_silent and now_ms - child.last_ms < REMEMBERED_MS
                ]
                suspected.setdefault(hub, min([seen_ms if seen_ms is not None else now_ms, *silent]))
            elif suspected.pop(hub, None) is not None:
                # After work nobody was told of the hub, so what is not back yet must not be told as its disturbance.
                back = (
                    [f"site:{site}" for site in self.index.sites_by_hub.get(hub, ())] if was_worked else [f"hub:{hub}"]
                )
                recovered |= dict.fromkeys(back, now_ms)
            found[hub] = finding
        if blind:
            suspected.setdefault(COLLECTOR, now_ms)
        elif suspected.pop(COLLECTOR, None) is not None:
            recovered[COLLECTOR] = now_ms
        return found, replace(known, suspected=suspected, recovered=recovered)

    def _children(self, hub: str) -> list[Child]:
        """Sites behind a hub that were ever heard and are not in an agreed window."""
        return [
            Child(
                site,
                self.raw[site].state == NO_DATA and self.raw[site].reason != r.STARTING,
                last_ms,
                self.interval_ms[site],
            )
            for site in self.index.sites_by_hub.get(hub, ())
            if (last_ms := self.raw[site].last_report_ms) is not None and site not in self.maintained
        ]

    def _is_heard(self, hub: str, known: Memory) -> bool:
        """Whether it itself was heard since the start."""
        return known.hubs.get(hub, 0) > self.started_at_ms

    def _is_unheard(self, hub: str) -> bool:
        """Whether nothing behind it was heard yet since the start."""
        sites = self.index.sites_by_hub.get(hub, ())
        return self._is_starting(hub) and all(self.raw[site].state == NO_DATA for site in sites)

    def _is_starting(self, hub: str) -> bool:
        return any(self.raw[site].reason == r.STARTING for site in self.index.sites_by_hub.get(hub, ()))


def _was_blind(recorded: Recorded | None) -> bool:
    return recorded is not None and recorded.reason == r.COLLECTOR_BLIND
