"""How long a push takes while a million series are scraped again and again: 3,334 agents at their pace."""

from __future__ import annotations

import asyncio
import time

from tests.bench.beginning import INTERVAL, begin
from tests.bench.centre import serving
from tests.bench.client import Address, Connection, Pool, Reply, expect, run, send_paced
from tests.bench.figures import Bench, Figure, percentile
from tests.bench.load import make_fleet, now_ms, push
from tests.bench.scrape import SCRAPE, check, get

AGENTS, CONNECTIONS = 3_334, 200


def during_1m_scrape(bench: Bench) -> list[Figure]:
    """p99 of pushes that were under way while a scrape was; scrapes begin each five seconds."""
    data = bench.folder / "centre"
    fleet = make_fleet(data, AGENTS)
    with serving(data) as centre:
        begin(centre.address, fleet)
        expect([run(get(centre.address, SCRAPE))], 200)  # the first in a collector's life makes what later ones find
        start = now_ms() + 1500
        raws = [push([s.report(round(start + n / AGENTS * INTERVAL * 1000))]) for n, s in enumerate(fleet)]
        latencies, took = run(_during(centre.address, raws, bench.pick(3, 1)))
    value = percentile(latencies, 0.99) * 1000
    note = (
        f"{len(latencies)} pushes during scrapes of {', '.join(f'{s:.2f}' for s in took)} s; "
        f"p50 {percentile(latencies, 0.5) * 1000:.1f}, max {max(latencies) * 1000:.0f} ms"
    )
    bench.say(f"p99 {value:.1f} ms: {note}")
    return [Figure("push_p99_ms_during_1m_scrape", value, {}, note)]


async def _during(address: Address, raws: list[bytes], scrapes: int) -> tuple[list[float], list[float]]:
    """Latencies of the pushes that met a scrape, and how long each scrape took."""
    spans: list[tuple[float, float]] = []
    found: list[Reply] = []
    reading, pool = Connection(address), Pool(address, CONNECTIONS)

    async def scrape() -> None:
        for _ in range(scrapes):
            await asyncio.sleep(2.0)
            began = time.perf_counter()
            found.append(await reading.exchange(SCRAPE))
            spans.append((began, time.perf_counter()))
            await asyncio.sleep(2.0)
        await reading.close()

    sent, _ = await asyncio.gather(send_paced(pool, raws, INTERVAL), scrape())
    await pool.close()
    expect(sent.replies, 200)
    for reply in found:
        check(reply, b"node_load1", AGENTS)
    met = [
        latency
        for latency, ended in zip(sent.latencies, sent.ended_at, strict=True)
        if any(began < ended and ended - latency < end for began, end in spans)
    ]
    return met, [end - began for began, end in spans]
