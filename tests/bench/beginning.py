"""Before the clock runs: a collector that is at its work.

What comes once in its life is no part of the price of a sample: each agent's schema is read, all is judged for the first time,
and rules look up whom they are about the first two times they are asked, which is two seconds of processor time for a
thousand hosts. Rules are first asked when all is judged, and then at each whole minute.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.bench.client import Address, expect, run, send_all
from tests.bench.load import Sender, rounds

INTERVAL = 15.0
INTERVALS = 6
CONNECTIONS = 4
"""Everybody brings a schema at first: where all of them waited at once, a busy machine would turn some away."""
BUNDLE = 50


def begin(address: Address, fleet: Sequence[Sender]) -> int:
    """Everybody's reports, interval after interval, until the collector is at its work; how many each has sent."""
    for _ in range(INTERVALS):
        next_at = time.monotonic() + INTERVAL
        expect(run(send_all(address, rounds(fleet, 1, BUNDLE), CONNECTIONS)).replies, 200)
        time.sleep(max(0.0, next_at - time.monotonic()))
    return INTERVALS
