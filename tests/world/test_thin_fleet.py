"""A fleet on thin lines after three days without them: how long until all is there, how old "now" gets, how many bytes.

One mission of 180 is played exactly, its ten agents behind one line of 64 kbit/s with 600 ms and 5 % loss; missions share
nothing but the centre, so 180 of them take as long as one. What that asks of the centre is printed from the same run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.world.catchup import catch_up, line_use

MISSIONS, AGENTS, HOURS = 180, 10, 72.0
SERIES = 60
INTERVAL = 60.0
BYTES_A_MINUTE = 5_000
"""An agent on the thin profile may send so much on average, with the heads of HTTP."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_an_hour_of_one_agent_comes_back_while_now_stays_now(tmp_path: Path) -> None:
    seen = catch_up(tmp_path, hours=1.0)
    assert seen.wrong == []
    assert seen.seconds < 200
    assert seen.oldest_live_seconds <= 2 * INTERVAL


def test_an_agent_on_a_thin_line_keeps_to_its_bytes(tmp_path: Path) -> None:
    """From its first start on: schema, reports, and a state now and then that is told at once."""
    use = line_use(tmp_path, minutes=60, agents=2, loss=0.05)
    print(
        f"\n{SERIES} series a minute: {use.up:.0f} bytes up and {use.down:.0f} down a minute; at most {BYTES_A_MINUTE}"
    )
    assert use.records >= 2 * 59, "it did report"
    assert use.up <= BYTES_A_MINUTE
    assert use.down <= BYTES_A_MINUTE


@pytest.mark.slow
def test_three_days_of_a_mission_come_back_while_now_stays_now(tmp_path: Path) -> None:
    began = time.process_time()
    seen = catch_up(tmp_path, HOURS, AGENTS, loss=0.05)
    rate = MISSIONS * seen.records / seen.seconds
    print(
        f"\n{AGENTS} agents of one mission, {HOURS:.0f} h cut, 5 % loss: all there after {seen.seconds / 60:.0f} min, "
        f"{seen.bytes_up / 1e6:.1f} MB up in {seen.records} records; each agent's first live report within "
        f"{seen.greeted_seconds:.0f} s, from then on what is shown never older than {seen.oldest_live_seconds:.0f} s "
        f"(95 %: {seen.percentile_95:.0f} s). {MISSIONS} missions at once: {MISSIONS * seen.records / 1e6:.1f} M records, "
        f"{rate:.0f} a second, {rate * SERIES / 1e6:.2f} M samples a second, {MISSIONS * seen.bytes_up / 1e9:.2f} GB. "
        f"({time.process_time() - began:.0f} s of processor time for this run)"
    )
    assert seen.wrong == []
    assert seen.oldest_live_seconds <= 2 * INTERVAL
    assert seen.seconds < 3600
