"""kill -9 a collector with 1,000 agents; how long until it is ready again and says the right numbers."""

from __future__ import annotations

import time

from tests.bench.centre import Centre, serving
from tests.bench.client import BadReply, expect, request, run, send_all
from tests.bench.figures import Bench, Figure, median
from tests.bench.load import make_fleet, rounds
from tests.bench.scrape import SCRAPE, check, get

AGENTS, KEPT_ROUNDS = 1_000, 4
PATIENCE_SECONDS = 60.0
_OURS = b"node_"


def measure(bench: Bench) -> list[Figure]:
    """Ready = /readyz answers 200 and the site's scrape holds every host's newest numbers, as before the kill."""
    data = bench.folder / "centre"
    fleet = make_fleet(data, AGENTS)
    with serving(data) as centre:
        for _ in range(KEPT_ROUNDS):  # one after the other: each agent's schema comes with its first report
            expect(run(send_all(centre.address, rounds(fleet, 1, 50), 50)).replies, 200)
        before = _numbers(centre)
        centre.kill()
    took = []
    for _ in range(bench.pick(5, 1)):
        began = time.perf_counter()
        with serving(data) as centre:
            _until_ready(centre)
            after = _numbers(centre)
            took.append(time.perf_counter() - began)
            centre.kill()
        if after != before:
            raise BadReply("after the restart the scrape holds other numbers than before")
    note = f"{len(took)} kills, worst {max(took):.1f} s"
    bench.say(f"median {median(took):.2f} s, {note}")
    return [Figure("restart_to_ready_s", median(took), {}, note)]


def _until_ready(centre: Centre) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while run(get(centre.address, request("GET", "/readyz"))).status != 200:
        if time.monotonic() > end:
            raise BadReply(f"not ready after {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.02)


def _numbers(centre: Centre) -> list[bytes]:
    """The hosts' own lines of the site's scrape."""
    reply = run(get(centre.address, SCRAPE))
    text = check(reply, b"node_load1", AGENTS)
    return [line for line in text.splitlines() if line.startswith(_OURS)]
