"""A hub of the world: the same application with an upstream, whose line is the world's."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

from sqlalchemy import insert

from agent.link.answer import HUB
from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.keys import new_key, save_key
from collector.app import App
from collector.fleet.keys import HubIdentity, hub_key_file, save_hub
from collector.fleet.registry import bump_version
from collector.fleet.tables import hub_keys
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant
from collector.world.centre import empty_database
from collector.world.clock import SeededChance, StepClock, Timeline
from collector.world.station import InlineLoop, Station

TICK_SECONDS = 1e-5


class HubStation(Station):
    """``connect`` makes an exchange towards the centre, for a clock that an exchange moves on. ``settings``: what it has
    besides its data directory and its centre."""

    def __init__(
        self,
        timeline: Timeline,
        folder: Path,
        loop: InlineLoop,
        centre_url: str,
        connect: Callable[[StepClock], Exchange],
        jobs: dict[str, float] | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(timeline, folder, loop, jobs)
        self._settings = settings or Settings()
        self._centre_url = centre_url
        self._connect = connect
        self._steps = StepClock(timeline, self.clock)
        self._turn_number = 0

    @property
    def settings(self) -> Settings:
        upstream = replace(self._settings.upstream, url=self._centre_url)
        return replace(self._settings, data_dir=self.folder, upstream=upstream)

    def begin(self) -> App:
        self._steps.boot()
        app = super().begin()
        assert app.upstream is not None
        app.upstream.use(lambda: self._connect(self._steps), SeededChance(f"{self.folder.name} {self.lives}"))
        self._wake()
        return app

    def answer(self, request: Request, arrives: float = 0.0) -> Response | Failure:
        said = super().answer(request, arrives)
        self._wake()
        return said

    def _wake(self) -> None:
        self._turn_number += 1
        self._plan(self._steps.monotonic(), self._turn_number, self.app)

    def _plan(self, due: float, turn: int, app: App | None) -> None:
        self._timeline.at(self.clock.moment(due) + TICK_SECONDS, lambda: self._upstream_turn(turn, app))

    def _upstream_turn(self, turn: int, app: App | None) -> None:
        if app is None or self.app is not app or turn != self._turn_number:
            return
        if self._steps.is_busy:
            self._plan(self._steps.monotonic(), turn, app)
            return
        assert app.upstream is not None
        with self._steps.step():
            due = app.upstream.step(self.clock.monotonic())
            app.log.step()
        self._plan(max(due, self._steps.monotonic()), turn, app)


def make_hub(
    folder: Path, hub: str, centre_store: Store, centre_public: bytes, now_ms: int, chance: random.Random
) -> None:
    """A new hub's data directory, and the row its joining leaves at the centre."""
    folder.mkdir(parents=True)
    copyfile(empty_database(), folder / "bongsu.db")
    key, ident = new_key(chance.randbytes), chance.randbytes(16)
    save_hub(folder, HubIdentity(HUB, ident.hex(), chance.randbytes(8).hex(), hub), centre_public)
    save_key(hub_key_file(folder), key)
    at = instant(now_ms)
    row = {"id": ident, "hub": hub, "key_no": 1, "public_key": key.public, "status": "active"}
    with centre_store.transaction() as connection:
        connection.execute(insert(hub_keys), {**row, "enrolled_at": at, "status_at": at})
        bump_version(connection)
