"""A thousand agents come back at once, each with a backlog: they are on the board within two intervals while it drains.

A real collector process; the agents keep one connection each, send what is live first, and come again when they are
turned away, as ``agent.link.send`` does. Prints what it saw.
"""

from __future__ import annotations

import asyncio
import re
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest
from bench.client import Address, Connection, Reply, request, run
from bench.load import Sender, make_fleet, now_ms

from agent.link.model import Sample, Schema, Series, make_schema, pack_values
from agent.link.names import BACKLOG_LANE, ENVELOPES_TYPE, LANE_HEADER, LIVE_LANE
from agent.link.packing import pack_body, pack_envelopes, seal

AGENTS = 1_000
SERIES = 60
"""The core profile's, what thin lines carry."""
CHUNKS, CHUNK = 4, 20
"""A backlog: 80 reports, newest first, twenty together."""
INTERVAL_SECONDS = 15.0
TWO_INTERVALS = 2 * INTERVAL_SECONDS
DRAIN_SECONDS = 300.0


@dataclass
class Seen:
    first_live: list[float] = field(default_factory=list)
    live_seconds: list[float] = field(default_factory=list)
    turned_away: Counter[str] = field(default_factory=Counter)
    on_board: list[tuple[float, int]] = field(default_factory=list)
    drained: float = 0.0


class Returning:
    """One agent after a cut."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._schema: Schema = make_schema(tuple(Series(sender.host, f"node_m{n}", 0, ()) for n in range(SERIES)), ())
        self._seq = CHUNKS * CHUNK
        began = now_ms() - (CHUNKS * CHUNK + 8) * int(1000 * INTERVAL_SECONDS)
        self.backlog = [
            self._post(range(start, start + CHUNK), began, BACKLOG_LANE)
            for start in range(CHUNK * (CHUNKS - 1) + 1, 0, -CHUNK)
        ]

    def live(self) -> bytes:
        self._seq += 1
        return self._post([self._seq], now_ms() - self._seq * int(1000 * INTERVAL_SECONDS), LIVE_LANE)

    def _post(self, seqs: range | list[int], began_ms: int, lane: str) -> bytes:
        step = int(1000 * INTERVAL_SECONDS)
        samples = [
            Sample(seq, began_ms + seq * step, 0, self._schema.hash, pack_values([float(seq)] * SERIES)) for seq in seqs
        ]
        sender = self._sender
        body = pack_body([self._schema.packed], samples, [])
        envelope = seal(sender.agent_id, 1, sender.epoch, list(seqs), body, sender.key.sign)
        headers = (f"Content-Type: {ENVELOPES_TYPE}", f"{LANE_HEADER}: {lane}")
        return request("POST", "/v1/envelopes", pack_envelopes([envelope]), *headers)


async def patiently(connection: Connection, raw: bytes, lane: str, seen: Seen) -> Reply:
    """Again, when it is said to come again, until it is taken."""
    while True:
        reply = await connection.exchange(raw)
        if reply.status != 503:
            assert reply.status == 200, reply
            assert b'"envelopes":[]' in reply.body, reply.body[:300]
            return reply
        seen.turned_away[lane] += 1
        again = re.search(rb"retry-after: (\d+)", reply.head, re.I)
        assert again is not None, reply.head
        await asyncio.sleep(int(again[1]))


async def report(agent: Returning, address: Address, began: float, seen: Seen, first: asyncio.Event) -> None:
    """What is live, at once and then each interval, until cancelled."""
    connection = Connection(address)
    try:
        while True:
            raw, asked = agent.live(), time.monotonic()
            await patiently(connection, raw, LIVE_LANE, seen)
            seen.live_seconds.append(time.monotonic() - asked)
            if not first.is_set():
                seen.first_live.append(time.monotonic() - began)
                first.set()
            await asyncio.sleep(INTERVAL_SECONDS)
    finally:
        await connection.close()


async def drain(agent: Returning, address: Address, seen: Seen, first: asyncio.Event) -> None:
    """The backlog, once the first live report was taken."""
    await first.wait()
    connection = Connection(address)
    for chunk in agent.backlog:
        await patiently(connection, chunk, BACKLOG_LANE, seen)
    await connection.close()


async def board(address: Address, began: float, seen: Seen) -> None:
    """How many agents the collector shows as reporting."""
    connection = Connection(address)
    try:
        while True:
            reply = await connection.exchange(request("GET", "/metrics/sites/abuja"))
            up = len(re.findall(rb"^bongsu_agent_up\{[^}]*\} 1$", reply.text(), re.M))
            seen.on_board.append((time.monotonic() - began, up))
            await asyncio.sleep(1)
    finally:
        await connection.close()


async def stampede(agents: list[Returning], address: Address) -> Seen:
    seen, began = Seen(), time.monotonic()
    first = [asyncio.Event() for _ in agents]
    going_on = [asyncio.create_task(board(address, began, seen))]
    going_on += [
        asyncio.create_task(report(agent, address, began, seen, taken))
        for agent, taken in zip(agents, first, strict=True)
    ]
    async with asyncio.timeout(DRAIN_SECONDS):
        await asyncio.gather(*(drain(agent, address, seen, taken) for agent, taken in zip(agents, first, strict=True)))
    seen.drained = time.monotonic() - began
    await asyncio.sleep(2)
    for task in going_on:
        task.cancel()
    ended = await asyncio.gather(*going_on, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), [end for end in ended if end]
    return seen


@pytest.mark.slow
def test_a_thousand_come_back_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bench.centre import serving

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection for each of them
    data = tmp_path / "data"
    agents = [Returning(sender) for sender in make_fleet(data, AGENTS)]
    with serving(data) as centre:
        seen = run(stampede(agents, centre.address))
        shed = re.findall(r'bongsu_intake_shed_total\{lane="(\w+)"\} (\d+)', centre.get("/metrics").decode())
    all_up = next((at for at, up in seen.on_board if up == AGENTS), None)
    with capsys.disabled():
        print(
            f"\n{AGENTS} agents, {CHUNKS * CHUNK} reports of backlog each: first live report taken after "
            f"{median(seen.first_live):.1f} s (median), {max(seen.first_live):.1f} s (last); all on the board after "
            f"{all_up if all_up is None else round(all_up, 1)} s; live meanwhile {median(seen.live_seconds):.2f} s (median), "
            f"{max(seen.live_seconds):.1f} s (worst); backlog drained after {seen.drained:.0f} s; turned away: "
            f"{dict(shed)}"
        )
    assert {lane: int(count) for lane, count in shed} == {lane: seen.turned_away[lane] for lane in ("live", "backlog")}
    assert max(seen.first_live) < TWO_INTERVALS
    assert all_up is not None
    assert all_up < TWO_INTERVALS + 2
    assert seen.on_board[-1][1] == AGENTS, "they stayed there while the backlog drained"
