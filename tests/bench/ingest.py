"""Processor time of a million samples taken in: 1,000 agents x 300 samples over 50 kept connections.

Everything the product does is on: signature, durable commit before the answer, receipt, live state, verdicts, rules. Peers
take the same numbers as text; VictoriaMetrics stores history too, the pushgateway keeps the latest values only. The floor
(``tests.bench.floor``) is the least a program of this contract can do.
"""

from __future__ import annotations

import sys

from tests.bench import peers
from tests.bench.beginning import begin
from tests.bench.centre import expect_accepted, port_of, serving
from tests.bench.client import Address, expect, run, send_all
from tests.bench.cpu import cpu_seconds
from tests.bench.figures import Bench, Figure
from tests.bench.load import Sender, make_fleet, rounds
from tests.bench.program import running

AGENTS, SAMPLES, CONNECTIONS = 1_000, 300, 50
PORTION = 5
"""Rounds signed at a time: enough to keep the collector at work for seconds, few enough to be young when they arrive."""
TAKEN = b'"envelopes":[]'


def direct(bench: Bench) -> list[Figure]:
    """One report a request."""
    own, note = _own(bench, 1)
    return [Figure("ingest_cpu_s_per_msample", own, {"floor": _floor(bench, 1), **_peers(bench)}, note)]


def bundled(bench: Bench) -> list[Figure]:
    """Fifty envelopes a request, as a hub sends them."""
    own, note = _own(bench, 50)
    return [Figure("ingest_bundle_cpu_s_per_msample", own, {"floor": _floor(bench, 50)}, note)]


def _own(bench: Bench, bundle: int) -> tuple[float, str]:
    data = bench.folder / "centre"
    fleet = make_fleet(data, AGENTS)
    count, used, seconds = bench.pick(15, 5), 0.0, 0.0
    connections = min(CONNECTIONS, AGENTS // bundle // 4)  # or an agent's next report would overtake its last
    with serving(data) as centre:
        sent_before = begin(centre.address, fleet)
        for _ in range(count // PORTION):
            raws = rounds(fleet, PORTION, bundle)
            before = centre.cpu_seconds()
            sent = run(send_all(centre.address, raws, connections))
            used += centre.cpu_seconds() - before
            seconds += sent.seconds
            expect(sent.replies, 200, has=TAKEN)
        expect_accepted(centre, AGENTS * (count + sent_before))
    samples = AGENTS * count * SAMPLES
    rate = f"{samples / seconds / 1000:,.0f} k samples/s, {used / AGENTS / count * 1e6:.0f} us a report"
    bench.say(f"{bundle} a request: {rate}")
    return used / samples * 1e6, rate


def _floor(bench: Bench, bundle: int) -> float:
    """The same reports through ``tests.bench.floor``."""
    fleet = [Sender(number) for number in range(AGENTS)]
    keys, log = bench.folder / "floor.keys", bench.folder / "floor.log"
    keys.write_bytes(b"".join(sender.agent_id + sender.key.public for sender in fleet))
    log.write_bytes(b"")
    argv = (sys.executable, "-m", "tests.bench.floor", str(bench.folder / "floor.db"), str(keys))
    count = bench.pick(10, 5)
    with running(argv, log, lambda: port_of(log) > 0) as process:
        address = Address(port_of(log))
        expect(run(send_all(address, rounds(fleet, 1, bundle), CONNECTIONS)).replies, 200)
        used = 0.0
        for _ in range(count // PORTION):
            raws = rounds(fleet, PORTION, bundle)
            before = cpu_seconds(process.pid)
            expect(run(send_all(address, raws, CONNECTIONS)).replies, 200)
            used += cpu_seconds(process.pid) - before
    value = used / (AGENTS * count * SAMPLES) * 1e6
    bench.say(f"floor: {value:.2f}")
    return value


def _peers(bench: Bench) -> dict[str, float]:
    return {peer.name: _peer(bench, peer) for peer in peers.takers(bench.folder)}


def _peer(bench: Bench, peer: peers.Taker) -> float:
    fleet = [Sender(number) for number in range(AGENTS)]
    count = bench.pick(3, 1)
    with peer.running() as process:
        first = run(send_all(peer.address, [peer.push(s.host, s.text()) for s in fleet], CONNECTIONS))
        raws = [peer.push(s.host, s.text()) for _ in range(count) for s in fleet]
        before = process.cpu_seconds()
        sent = run(send_all(peer.address, raws, CONNECTIONS))
        used = process.cpu_seconds() - before
        expect(first.replies + sent.replies, 200, 202, 204)
    value = used / (AGENTS * count * SAMPLES) * 1e6
    bench.say(f"{peer.name}: {value:.2f}")
    return value
