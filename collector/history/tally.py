"""How many samples of each host fell into each hour, how many of them late: counted as they become history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants, Samples
from collector.history.index import Index
from collector.history.records import Origin

HOUR_MS = 3_600_000
REPORT_INTERVAL = "agent_report_interval_seconds"


class Tally(NamedTuple):
    """Samples of one origin in the hour ``[hour_ms, hour_ms + 1 h)`` of corrected time, each number once.

    ``hosts``: those the schema names. ``delays_ms``: of each, from taken to received. ``interval_ms``: how often the
    host was reported, as its agent said last in this hour; 0 where it did not say.
    """

    agent_id: bytes
    epoch: bytes
    hosts: frozenset[str]
    hour_ms: int
    first: tuple[int, int]
    """The smallest number, and when its sample was taken; so too ``last``."""
    last: tuple[int, int]
    delays_ms: Instants
    interval_ms: int


def tally(origin: Origin, index: Index, samples: Samples, received: Instants) -> list[Tally]:
    """By hour. ``received`` is when each of the samples was received."""
    _, once = np.unique(samples.seqs, return_index=True)
    times, seqs, came = samples.times[once], samples.seqs[once], received[once]
    hours = times // HOUR_MS * HOUR_MS
    place = index.place_of(origin.schema_hash, REPORT_INTERVAL)
    found = []
    for hour in np.unique(hours).tolist():
        here = hours == hour
        interval_ms = 0
        if place is not None:
            newest = once[here][int(times[here].argmax())]
            word = samples.words[place, newest : newest + 1]
            seconds = float(word.view(np.float64)[0]) if word[0] != ABSENT_WORD else 0.0
            interval_ms = int(seconds * 1000) if 1 <= seconds <= 3600 else 0
        found.append(
            Tally(
                origin.agent_id,
                origin.epoch,
                index.hosts_of[origin.schema_hash],
                hour,
                (int(seqs[here][0]), int(times[here][0])),
                (int(seqs[here][-1]), int(times[here][-1])),
                came[here] - times[here],
                interval_ms,
            )
        )
    return found
