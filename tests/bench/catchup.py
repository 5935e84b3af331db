"""A post comes back after a day on a thin line of 64 kbit/s and 600 ms: how long until nothing is missing (virtual time).

The product's own spool, sender and intake over a modelled line and disk (``collector.world``), so this is no matter of
the machine it runs on. Several runs, because the moment the line returns falls anywhere in the agent's back-off.
"""

from __future__ import annotations

import logging

from collector.world.catchup import catch_up
from tests.bench.client import BadReply
from tests.bench.figures import Bench, Figure, median

HOURS = 24.0


def measure(bench: Bench) -> list[Figure]:
    logging.disable(logging.CRITICAL)  # nobody needs to hear of the cut
    try:
        runs = [catch_up(bench.folder / f"{seed}", HOURS, seed=seed) for seed in range(bench.pick(5, 1))]
    finally:
        logging.disable(logging.NOTSET)
    for run in runs:
        if run.wrong:
            raise BadReply(f"not every record is there once: {run.wrong[0]}")
    seconds = [run.seconds for run in runs]
    note = (
        f"{HOURS:.0f} h of one agent, {runs[0].bytes_up / 1000:.0f} kB; {min(seconds):.0f} to {max(seconds):.0f} s, first "
        f"live report after {median([run.greeted_seconds for run in runs]):.0f} s, live never older than "
        f"{max(run.oldest_live_seconds for run in runs):.0f} s"
    )
    bench.say(f"median {median(seconds):.0f} s; {note}")
    return [Figure("catchup_s", median(seconds), {}, note)]
