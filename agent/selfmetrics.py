"""The agent's own numbers, as series of its host: what it costs, what waits in its spool, how its clock stands."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from agent.checks.base import Sample, counter, gauge
from agent.link.offset import Offset
from agent.link.spool import SpoolFigures

STATM = Path("/proc/self/statm")


@cache
def version() -> str:
    """The installed version; "0" in a checkout that was never installed.

    Read from the name of the distribution's folder: ``importlib.metadata`` would take a third of the agent's start.
    """
    for place in sys.path:
        with contextlib.suppress(OSError):
            for name in os.listdir(place or "."):  # noqa: PTH208 -- names are all that is wanted
                if name.startswith("bongsu-") and name.endswith(".dist-info"):
                    return name.removeprefix("bongsu-").removesuffix(".dist-info")
    return "0"


def resident_bytes() -> float:
    try:
        return float(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return float("nan")


def own_samples(
    figures: SpoolFigures,
    offset: Offset,
    durations: Mapping[str, float],
    wall_ms: int,
    carried: tuple[int, int] = (0, 0),
) -> Iterator[Sample]:
    """``durations``: seconds each check took in the last round. ``carried``: bytes sent and received over the link."""
    yield gauge("agent_info", 1.0, version=version())
    yield gauge("agent_spool_records", float(figures.records))
    yield gauge("agent_spool_bytes", float(figures.bytes))
    yield gauge("agent_spool_oldest_timestamp_seconds", (figures.oldest_ms or wall_ms) / 1000)
    yield gauge("agent_clock_offset_seconds", offset.offset_ms() / 1000)
    yield gauge("agent_process_resident_memory_bytes", resident_bytes())
    times = os.times()
    yield counter("agent_process_cpu_seconds_total", times.user + times.system)
    yield counter("agent_records_lost_total", float(figures.lost))
    yield counter("agent_records_rolled_up_total", float(figures.rolled_up))
    yield counter("agent_spool_damaged_total", float(figures.damaged))
    yield gauge("agent_spool_on_disk", 0.0 if figures.trouble else 1.0)
    yield counter("agent_link_sent_bytes_total", float(carried[0]))
    yield counter("agent_link_received_bytes_total", float(carried[1]))
    for check, seconds in durations.items():
        yield gauge("agent_check_duration_seconds", seconds, check=check)


def policy_samples(version: int, overridden: Sequence[str]) -> Iterator[Sample]:
    """Which policy this agent follows, and in which keys its own file says otherwise."""
    if version:
        yield gauge("agent_policy_info", 1.0, version=str(version), overridden=",".join(overridden))
