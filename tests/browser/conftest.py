"""A real Chromium looks at the real pages. It comes from the system; Playwright only holds the reins."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from real import require

from agent.link.clock import SystemClock

sys.path.append(str(Path(__file__).parents[1] / "collector" / "web"))
from world import World, make_world, on_duty, plant, serving, trouble

from collector.web.build import install

SIZES = {"desk": (1440, 900), "phone": (390, 844), "wall": (3840, 2160)}


class Site:
    """A served world: reports and verdicts go on while ``is_judging``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_judging = True
        self.lock = threading.Lock()
        self._stopping = threading.Event()
        config = uvicorn.Config(world.app(), port=0, log_level="error", timeout_graceful_shutdown=2)
        self.server = uvicorn.Server(config)
        self._threads = [threading.Thread(target=self.server.run), threading.Thread(target=self._judge)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        while not self.server.started:
            self._stopping.wait(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"

    def _judge(self) -> None:
        while not self._stopping.wait(1.0):
            if self.is_judging:
                self.step()

    def step(self) -> None:
        with self.lock:
            self.world.step()

    def stop_serving(self) -> None:
        self.world.streams.close()
        self.server.should_exit = True
        self._threads[0].join(10)

    def stop(self) -> None:
        self._stopping.set()
        self.stop_serving()
        self._threads[1].join(10)
        self.world.store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = serving(plant(make_world(tmp_path, SystemClock())))
    now = world.clock.wall_ms()
    world.remember("srv2.dc-djn", now - 2 * 3_600_000, now, (now - 3_000_000, now - 2_500_000))
    served = Site(on_duty(trouble(world)))
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = require("chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, as locked."""
    work = tmp_path_factory.mktemp("npm")
    install(work, with_dev=True)
    return (work / "node_modules/axe-core/axe.min.js").read_text("utf-8")


class Watched:
    """A page and everything it did that it should not have done."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.faults: list[str] = []
        page.on("console", lambda message: message.type in ("error", "warning") and self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.faults.append(f"asked {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


class Served(Protocol):
    """Whatever answers at an address."""

    @property
    def address(self) -> str: ...


@contextmanager
def looking(
    browser: Browser, site: Served, size: str = "desk", language: str = "ko", scheme: str = "light", script: bool = True
) -> Iterator[Watched]:
    width, height = SIZES[size]
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height},
        locale={"ko": "ko-KR", "en": "en-US"}[language],
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    try:
        yield Watched(context.new_page(), site.address)
    finally:
        context.close()
