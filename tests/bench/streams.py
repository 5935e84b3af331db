"""Open pages: what two hundred event streams cost while nothing changes, and how soon a change is on an open board.

The cost is that of the whole collector, its own background work with it. The delay begins where an agent's end does: its report with a failing check goes out, and the clock stops when
the event stream of an open board says that the site is no longer well.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from contextlib import aclosing

import numpy as np

from agent.link.model import make_schema
from tests.bench import series
from tests.bench.centre import Centre, serving
from tests.bench.client import BadReply, Connection, events, expect, request, run, send_all
from tests.bench.figures import Bench, Figure, percentile
from tests.bench.load import Sender, make_fleet, push, rounds
from tests.bench.scrape import get

STREAMS, SITES, AGENTS = 200, 20, 200
TAKEN_IN_SECONDS = 70
"""By then rules were first asked about every host, which is dear and comes once."""
SETTLING_SECONDS = 5.0
CHECK = "process:watched"
OK, CRITICAL = 0.0, 2.0
DEGRADED = 3
PATIENCE_SECONDS = 30.0


def still(bench: Bench) -> list[Figure]:
    """CPU of the whole collector as a share of one core."""
    data = bench.folder / "centre"
    fleet = make_fleet(data, AGENTS, SITES)
    seconds = float(bench.pick(25, 10))
    with serving(data) as centre:
        expect(run(send_all(centre.address, rounds(fleet, 1, 50), 4)).replies, 200)
        time.sleep(bench.pick(TAKEN_IN_SECONDS, 10))
        expect(run(send_all(centre.address, rounds(fleet, 1, 50), 4)).replies, 200)  # nobody falls silent in the window
        share, seen = run(_still(centre, seconds))
    others = {kind: count for kind, count in seen.items() if kind != "beat"}
    if others or seen["beat"] < STREAMS:
        raise BadReply(f"{seen['beat']} signs of life on {STREAMS} streams, and {others}: something changed")
    note = f"{STREAMS} streams, {AGENTS} hosts at {SITES} sites, {seen['beat']} signs of life; window {seconds:.0f} s"
    bench.say(f"{share:.1f} % of a core, {note}")
    return [Figure("event_streams_cpu", share, {}, note)]


async def _still(centre: Centre, seconds: float) -> tuple[float, Counter[str]]:
    """(share of a core, events by kind) while nothing changes."""
    await asyncio.sleep(SETTLING_SECONDS)
    token = await _token(centre)
    seen: Counter[str] = Counter()
    counts = False

    async def look() -> None:
        async with aclosing(events(centre.address, f"/events?since={token}")) as stream:
            async for kind, _ in stream:
                if counts and kind:
                    seen[kind] += 1

    open_streams = [asyncio.create_task(look()) for _ in range(STREAMS)]
    try:
        await asyncio.sleep(SETTLING_SECONDS)
        counts = True
        share = await _share(centre, seconds)
        counts = False
    finally:
        for one in open_streams:
            one.cancel()
        await asyncio.gather(*open_streams, return_exceptions=True)
    return share, seen


async def _share(centre: Centre, seconds: float) -> float:
    """Per cent of a core that the collector takes in the next ``seconds``."""
    began, before = time.perf_counter(), centre.cpu_seconds()
    await asyncio.sleep(seconds)
    return (centre.cpu_seconds() - before) / (time.perf_counter() - began) * 100


class Watching(Sender):
    """An agent with one check, which fails when it is told to."""

    def __init__(self, like: Sender) -> None:
        self.__dict__.update(like.__dict__)
        self.schema = make_schema(series.of_host(self.host, self.kind), ((self.host, CHECK),))
        self.state = OK

    def numbers(self, all_new: bool) -> bytes:
        return np.append(self.values.step(all_new), self.state).tobytes()


def update(bench: Bench) -> list[Figure]:
    """A change a site, one site after the other, each at its own chance moment of the collector's seconds."""
    data = bench.folder / "centre"
    fleet = [Watching(sender) for sender in make_fleet(data, SITES, SITES)]
    took: list[float] = []
    with serving(data) as centre:
        expect(run(send_all(centre.address, rounds(fleet, 1), 4)).replies, 200)
        time.sleep(SETTLING_SECONDS)
        for turn, sender in enumerate(fleet[: bench.pick(SITES, 6)]):
            expect(run(send_all(centre.address, rounds(fleet, 1), 4)).replies, 200)  # nobody else changes meanwhile
            time.sleep(random.Random(turn).uniform(1.0, 2.0))
            took.append(run(_seen_after(centre, sender)))
    value = percentile(took, 0.95)
    note = f"{len(took)} changes, median {percentile(took, 0.5):.2f}, worst {max(took):.2f} s"
    bench.say(f"95th of a hundred {value:.2f} s, {note}")
    return [Figure("live_update_delay_s", value, {}, note)]


async def _seen_after(centre: Centre, sender: Watching) -> float:
    """Seconds from an agent's report to the event that shows its site degraded. Raises BadReply."""
    mark = f'data-site=\\"{sender.site}\\" data-state=\\"{DEGRADED}\\"'.encode()
    sender.state = CRITICAL
    reporting = Connection(centre.address)
    sent_at = 0.0
    try:
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            aclosing(events(centre.address, f"/events?since={await _token(centre)}")) as stream,
        ):
            async for kind, data in stream:
                if not sent_at:  # the stream is open
                    raw = push([sender.report(time.time_ns() // 1_000_000)])
                    sent_at = time.perf_counter()
                    expect([await reporting.exchange(raw)], 200)
                elif kind == "rows" and mark in data:
                    return time.perf_counter() - sent_at
    except TimeoutError as why:
        raise BadReply(f"no event showed {sender.site} in state {DEGRADED}") from why
    finally:
        await reporting.close()
    raise BadReply("the event stream ended before the change was on it")


async def _token(centre: Centre) -> str:
    """Where a browser stands that has just loaded the board. Raises BadReply."""
    page = (await get(centre.address, request("GET", "/"))).text()
    found = re.search(rb'data-token="([^"]+)"', page)
    if found is None:
        raise BadReply("the board carries no token")
    return found[1].decode()
