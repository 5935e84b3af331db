"""The demonstration's centre: the whole application with all of its background work, and settings from outside."""

from __future__ import annotations

from collections.abc import Mapping

from collector.settings import Settings
from collector.world.clock import Timeline
from collector.world.station import InlineLoop, Station


class PacedCentre(Station):
    """Each job at its own interval, and no more often than ``least_seconds`` says."""

    def __init__(self, timeline: Timeline, loop: InlineLoop, settings: Settings) -> None:
        super().__init__(timeline, settings.data_dir, loop)
        self._settings = settings

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def paced(self) -> Mapping[str, float]:
        return self.app.jobs.intervals if self.app is not None else {}
