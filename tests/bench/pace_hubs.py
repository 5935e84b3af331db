"""The whole job at its real pace through hubs: 1,000 agents each 15 s in the bundles of 20 hubs, one gzip scrape each 15 s.

Each hub's bundle is one request with the 50 envelopes of its agents, as a relay sends them. The window is scaled to an
hour, as in ``pace``.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.beginning import INTERVAL, INTERVALS
from tests.bench.centre import expect_accepted, serving
from tests.bench.client import run
from tests.bench.figures import Bench, Figure, percentile
from tests.bench.load import Sender, make_fleet, now_ms, push
from tests.bench.pace import AGENTS, FULL, QUICK, job
from tests.bench.scrape import SCRAPE

HUBS = 20
BUNDLE = AGENTS // HUBS


def measure(bench: Bench) -> list[Figure]:
    rounds = bench.pick(FULL, QUICK)
    data = bench.folder / "centre"
    fleet = make_fleet(data, AGENTS)
    with serving(data) as centre:
        raws = bundles(fleet, rounds + INTERVALS)
        seconds, used, latencies = run(job(centre.address, raws, INTERVALS, SCRAPE, centre.cpu_seconds, HUBS))
        expect_accepted(centre, AGENTS * (rounds + INTERVALS))
    value = used / seconds * 3600
    note = (
        f"window {seconds:.0f} s, {HUBS} hubs with {BUNDLE} envelopes a request, push p50 "
        f"{percentile(latencies, 0.5) * 1e3:.1f} p99 {percentile(latencies, 0.99) * 1e3:.1f} ms"
    )
    bench.say(f"{value:.0f} CPU s an hour, {note}")
    return [Figure("pace_hubs_cpu_s_per_hour", value, {}, note)]


def bundles(fleet: Sequence[Sender], rounds: int) -> list[list[bytes]]:
    """Requests of each interval, one of each hub; the reports in it were taken within the second before."""
    start = now_ms() + round(len(fleet) * rounds * 0.3)  # signing takes about that long
    step = INTERVAL * 1000
    return [
        [
            push([sender.report(round(start + (at + hub / HUBS) * step)) for sender in fleet[hub::HUBS]])
            for hub in range(HUBS)
        ]
        for at in range(rounds)
    ]
