"""Rules as a collector has them: asked of the last minutes every minute, and of the past where reports came late."""

from __future__ import annotations

from collections.abc import Callable

from agent.link.clock import Clock
from collector.history.side import HistorySide
from collector.jobs import Job
from collector.rules.files import configured_rules
from collector.rules.job import SECONDS, RuleJob, interests
from collector.rules.past_job import SECONDS as PAST_SECONDS
from collector.rules.past_job import PastAlertJob
from collector.settings import RuleSettings
from collector.store.engine import Store
from collector.telemetry import Telemetry


class RuleSide:
    def __init__(
        self,
        settings: RuleSettings,
        store: Store,
        kept: HistorySide,
        clock: Clock,
        telemetry: Telemetry,
        is_ready: Callable[[], bool],
    ) -> None:
        """``is_ready``: whether what rules compare with has been sampled since the start."""
        self.now = RuleJob(
            store,
            configured_rules(settings.shipped, settings.folder),
            (kept.recent, kept.own),
            kept.own,
            clock,
            is_ready,
            kept.refresh,
            kept.recent.take_in,
            telemetry.rules_evaluated,
        )
        kept.recent.keep(interests(self.now.groups))
        self._past = PastAlertJob(store, self.now.groups, kept.past.sources, kept.recent.late_sites)

    def jobs(self) -> tuple[Job, ...]:
        return (Job("rules", SECONDS, self.now.step), Job("past_alerts", PAST_SECONDS, self._past.step))
