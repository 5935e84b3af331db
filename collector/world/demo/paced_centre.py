"""The demonstration's centre where people look at it: all background work at its own pace, settings from outside."""

from __future__ import annotations

from pathlib import Path

from collector.app import App
from collector.settings import Settings
from collector.world.clock import Timeline
from collector.world.station import InlineLoop, Station


class PacedCentre(Station):
    def __init__(self, timeline: Timeline, folder: Path, loop: InlineLoop, settings: Settings) -> None:
        super().__init__(timeline, folder, loop)
        self._settings = settings

    @property
    def settings(self) -> Settings:
        return self._settings

    def begin(self) -> App:
        app = super().begin()
        for name, seconds in app.jobs.intervals.items():
            self._timeline.after(seconds, lambda name=name, seconds=seconds: self._turn(app, name, seconds))  # type: ignore[misc]
        return app
