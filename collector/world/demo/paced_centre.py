"""The demonstration's centre: the whole application with all of its background work, and settings from outside."""

from __future__ import annotations

from collector.app import App
from collector.settings import Settings
from collector.world.clock import Timeline
from collector.world.station import InlineLoop, Station


class PacedCentre(Station):
    """Each job at its own interval, and no more often than ``least_seconds``."""

    def __init__(self, timeline: Timeline, loop: InlineLoop, settings: Settings, least_seconds: float = 1.0) -> None:
        super().__init__(timeline, settings.data_dir, loop)
        self._settings = settings
        self._least_seconds = least_seconds

    @property
    def settings(self) -> Settings:
        return self._settings

    def begin(self) -> App:
        app = super().begin()
        for name, interval in app.jobs.intervals.items():
            seconds = max(interval, self._least_seconds)
            self._timeline.after(seconds, lambda name=name, seconds=seconds: self._turn(app, name, seconds))  # type: ignore[misc]
        return app
