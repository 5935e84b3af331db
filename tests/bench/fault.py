"""A watched process dies; how long until the board shows it red, in the configuration as shipped.

Measured as a browser sees it: the process is killed, and the clock stops when the board's event stream says that the
site is no longer ok.
"""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.bench.agent import wait_reports
from tests.bench.agent_process import SITE, agent, collector_with_tls, enrolled
from tests.bench.centre import Centre
from tests.bench.client import BadReply, events, request, run
from tests.bench.figures import Bench, Figure, median
from tests.bench.scrape import get

WATCHED = "bongsu-victim"
CONFIG = f"""\
[[processes]]
name = "{WATCHED}"
"""
OK, DEGRADED = 0, 3
PATIENCE_SECONDS = 60.0


def to_board(bench: Bench) -> list[Figure]:
    program = bench.folder / WATCHED
    program.symlink_to("/bin/sleep")
    took = []
    with collector_with_tls(bench.folder) as centre, ExitStack() as stack:
        argv = enrolled(centre, bench.folder, CONFIG)
        victim = Victim(program)
        stack.callback(victim.die)
        stack.enter_context(agent(argv, bench.folder / "agent.log"))
        wait_reports(centre, 1)
        for turn in range(bench.pick(20, 3)):
            run(_shows(centre, OK))
            time.sleep(random.Random(turn).uniform(0.0, 5.0))  # any phase of the agent's round
            took.append(run(_shows(centre, DEGRADED, victim.die)))
            victim.begin()
    note = f"{len(took)} deaths, {min(took):.1f} to {max(took):.1f} s"
    bench.say(f"median {median(took):.2f} s, {note}")
    return [Figure("fault_to_board_s", median(took), {}, note)]


class Victim:
    """The watched process."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self.begin()

    def begin(self) -> None:
        self._process = subprocess.Popen([str(self._program), "3600"], stdin=subprocess.DEVNULL)

    def die(self) -> None:
        self._process.kill()
        self._process.wait()


async def _shows(centre: Centre, state: int, act: Callable[[], None] = lambda: None) -> float:
    """Seconds from ``act`` until an open board shows the site in a state. Raises BadReply after a minute."""
    mark = f'data-site="{SITE}" data-state="{state}"'.encode()
    acted_at = 0.0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:  # a stream ends where the fleet itself changed, and the browser loads the page anew
                page = (await get(centre.address, request("GET", "/"))).text()
                token = re.search(rb'data-token="([^"]+)"', page)
                if token is None:
                    raise BadReply("the board carries no token")
                async for kind, data in events(centre.address, f"/events?since={token[1].decode()}"):
                    if not acted_at:
                        act()
                        acted_at = time.perf_counter()
                        if mark in page:
                            return 0.0
                    if kind == "rows" and mark.replace(b'"', b'\\"') in data:
                        return time.perf_counter() - acted_at
    except TimeoutError as why:
        raise BadReply(f"the board never showed state {state}") from why
