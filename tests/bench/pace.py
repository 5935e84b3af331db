"""The whole job at its real pace: 1,000 agents each 15 s and one gzip scrape each 15 s, everything on.

The window is whole minutes, scaled to an hour. It begins when the collector is at its work (``tests.bench.beginning``).
Work that comes less often than the window (chunks each quarter of an hour, retention) is in it as far as it fell into it;
the note says how long it was. The same run gives the peak memory of the job, its first minutes included.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from tests.bench import peers
from tests.bench.beginning import INTERVAL, INTERVALS
from tests.bench.centre import expect_accepted, serving
from tests.bench.client import Address, Pool, Reply, expect, run, send_paced
from tests.bench.figures import Bench, Figure, percentile
from tests.bench.load import Sender, make_fleet, now_ms, push
from tests.bench.scrape import SCRAPE, SCRAPE_PEER, check, get

AGENTS, CONNECTIONS = 1_000, 1_000
FULL, QUICK = 8, 4
"""Intervals in it."""


def measure(bench: Bench) -> list[Figure]:
    rounds = bench.pick(FULL, QUICK)
    data = bench.folder / "centre"
    fleet = make_fleet(data, AGENTS)
    with serving(data) as centre:
        raws = reports(fleet, rounds + INTERVALS)
        seconds, used, latencies = run(job(centre.address, raws, INTERVALS, SCRAPE, centre.cpu_seconds))
        expect_accepted(centre, AGENTS * (rounds + INTERVALS))
        peak = centre.peak_rss_mib()
    value = used / seconds * 3600
    note = f"window {seconds:.0f} s, push p50 {percentile(latencies, 0.5) * 1e3:.1f} p99 {percentile(latencies, 0.99) * 1e3:.1f} ms"
    bench.say(f"{value:.0f} CPU s an hour, {note}, peak {peak:.0f} MiB")
    others, peaks = _pushgateway(bench, rounds)
    return [
        Figure("pace_cpu_s_per_hour", value, others, note),
        Figure("collector_rss_mib_300k", peak, peaks, "peak over the whole job"),
    ]


def reports(fleet: Sequence[Sender], rounds: int) -> list[list[bytes]]:
    """Requests of each interval, taken at the time they will be sent."""
    start = now_ms() + round(len(fleet) * rounds * 0.3)  # signing takes about that long
    step = INTERVAL * 1000
    return [
        [push([s.report(round(start + (at + n / len(fleet)) * step))]) for n, s in enumerate(fleet)]
        for at in range(rounds)
    ]


async def job(
    address: Address,
    raws: Sequence[Sequence[bytes]],
    beginning: int,
    scrape: bytes,
    cpu: Callable[[], float],
    connections: int = CONNECTIONS,
) -> tuple[float, float, list[float]]:
    """(seconds, CPU seconds, push latencies) of all intervals but those of the ``beginning``, which are scraped as well."""
    pool = Pool(address, connections)
    for raw in raws[:beginning]:
        expect((await send_paced(pool, raw, INTERVAL)).replies, 200, 202)
        await get(address, scrape)
    began, before = time.perf_counter(), cpu()
    latencies: list[float] = []
    scrapes: list[Reply] = []
    for at, raw in enumerate(raws[beginning:]):
        pushes = asyncio.create_task(send_paced(pool, raw, INTERVAL, began + at * INTERVAL))
        await asyncio.sleep(INTERVAL / 2)
        scrapes.append(await get(address, scrape))
        sent = await pushes
        expect(sent.replies, 200, 202)
        latencies += sent.latencies
        await asyncio.sleep(max(0.0, began + (at + 1) * INTERVAL - time.perf_counter()))
    seconds, used = time.perf_counter() - began, cpu() - before
    await pool.close()
    for reply in scrapes:
        check(reply, b"node_load1", AGENTS)
    return seconds, used, latencies


def _pushgateway(bench: Bench, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    peer = peers.pushgateway(bench.folder)
    if peer is None:
        return {}, {}
    fleet = [Sender(number) for number in range(AGENTS)]
    count = min(rounds, 2)
    with peer.running() as process:
        raws = [[peer.push(s.host, s.text()) for s in fleet] for _ in range(count + 2)]
        seconds, used, _ = run(job(peer.address, raws, 2, SCRAPE_PEER, process.cpu_seconds))
        peak = process.peak_rss_mib()
    bench.say(f"pushgateway: {used / seconds * 3600:.0f} CPU s an hour, peak {peak:.0f} MiB")
    return {"pushgateway": used / seconds * 3600}, {"pushgateway": peak}
