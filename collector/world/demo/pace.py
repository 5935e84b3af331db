"""The demonstration by the real clock: first some past, as fast as it goes, then each second when it comes.

What is played is asked for and told by files (``collector.web.stage``).
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from collector.intake.body import Receive, Send, send_problem
from collector.web import stage
from collector.web.stage import Playing, Wish
from collector.world.demo.demo import Demo
from collector.world.demo.scenarios import SCENARIOS, Play

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
SLICE_SECONDS = 30.0
MESSAGES = 100


class Pacer:
    """Steps the world in a thread of its own. ``folder`` is where pages and the command ask."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self.demo = demo
        self.playing: dict[int, Play] = {}
        """By the scenario's number."""
        self._folder = folder
        self._began = monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)

    def catch_up(self, seconds: float, tell: Callable[[float], None]) -> None:
        """Play the past; ``tell`` hears how much of it is done, 0 to 1."""
        done = 0.0
        while done < seconds:
            step = min(SLICE_SECONDS, seconds - done)
            self.demo.play(step)
            done += step
            tell(done / seconds)

    def start(self) -> None:
        stage.make_ready(self._folder)
        self._began = monotonic() - self.demo.timeline.now
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            self._look()
            self.demo.timeline.step(monotonic() - self._began)

    def _look(self) -> None:
        was = list(self.playing)
        for wish in stage.take_wishes(self._folder):
            self._follow(wish)
        self.playing = {number: play for number, play in self.playing.items() if not play.is_over}
        if list(self.playing) != was:
            stage.tell(self._folder, (self._told(play) for play in self.playing.values()))

    def _follow(self, wish: Wish) -> None:
        if wish.is_stop:
            for number, play in self.playing.items():
                if wish.number in (number, None):
                    play.stop()
        elif wish.number in SCENARIOS and wish.number not in self.playing:
            scenario = SCENARIOS[wish.number]
            self.playing[wish.number] = scenario.play(self.demo)
            log.info("scenario begins", extra={"scenario": scenario.number, "title": scenario.name})

    def _told(self, play: Play) -> Playing:
        start_ms = self.demo.timeline.start_ms
        began_ms, ends_ms = (start_ms + int(moment * 1000) for moment in (play.began, play.ends))
        return Playing(play.scenario.number, began_ms, ends_ms)


class Front:
    """Whoever is the centre now answers browsers; agents from outside belong to no such world. Pages to people come back
    here by ``phone_path``: ``phone`` has the newest last."""

    def __init__(self, demo: Demo, phone_path: str) -> None:
        self.phone: deque[dict[str, Any]] = deque(maxlen=MESSAGES)
        self._demo = demo
        self._phone_path = phone_path

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        app = self._demo.centre.app
        if scope["type"] != "http":
            return
        if scope["path"].startswith(self._phone_path) and scope["method"] == "POST":
            await self._ring(scope["path"].removeprefix(self._phone_path), receive, send)
        elif app is None:
            await send_problem(send, 503, "stopped", "the centre is down, as the scenario wants it", 5)
        elif scope["path"].startswith("/v1/") and not scope["path"].startswith("/v1/beats"):
            await send_problem(send, 503, "demo", "this is a demonstration: it takes no reports from outside", 60)
        else:
            await app(scope, receive, send)

    async def _ring(self, channel: str, receive: Receive, send: Send) -> None:
        message = await receive()
        with suppress(ValueError):
            self.phone.append({**json.loads(message.get("body", b"")), "channel": channel})
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
