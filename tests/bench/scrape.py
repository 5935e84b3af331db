"""Processor time of one scrape, gzip, every value new: what a Prometheus costs us each interval.

Before each scrape every host reports new numbers, so nothing of the last scrape can be used again. What such a thousand
reports at once leave to be done (schemas to be known to history, rules that are asked for the first time) is waited for,
with us as with a peer: it comes once, not with each scrape.
"""

from __future__ import annotations

import zlib

from tests.bench import peers
from tests.bench.centre import serving
from tests.bench.client import Address, BadReply, Connection, Reply, expect, request, run, send_all
from tests.bench.cpu import settle
from tests.bench.figures import Bench, Figure, median
from tests.bench.load import SITE, Sender, make_fleet, rounds

SAMPLES, CONNECTIONS, BUNDLE = 300, 50, 50
CURRENT_SECONDS = 30.0
"""After that the numbers of the first hosts would soon be too old to be shown."""
SCRAPE = request("GET", f"/metrics/sites/{SITE}", b"", "Accept-Encoding: gzip")
SCRAPE_PEER = request("GET", "/metrics", b"", "Accept-Encoding: gzip")


def of_300k(bench: Bench) -> list[Figure]:
    return [_measure(bench, "scrape_300k_cpu_s", 1_000)]


def of_1m(bench: Bench) -> list[Figure]:
    return [_measure(bench, "scrape_1m_cpu_s", 3_334)]


async def get(address: Address, raw: bytes) -> Reply:
    connection = Connection(address)
    reply = await connection.exchange(raw)
    await connection.close()
    return reply


def check(reply: Reply, name: bytes, hosts: int) -> bytes:
    """The text of a scrape. Raises BadReply where it lacks a host."""
    expect([reply], 200)
    text = zlib.decompress(reply.body, 31)
    found = text.count(b"\n" + name + b"{")
    if found < hosts:
        raise BadReply(f"{found} lines of {name.decode()}, expected {hosts}")
    return text


def _measure(bench: Bench, name: str, agents: int) -> Figure:
    data = bench.folder / "centre"
    fleet = make_fleet(data, agents)
    used, sizes = [], []
    with serving(data) as centre:
        for _ in range(bench.pick(7, 3)):
            expect(run(send_all(centre.address, rounds(fleet, 1, BUNDLE, all_new=True), CONNECTIONS)).replies, 200)
            settle(centre.process.pid, CURRENT_SECONDS)
            before = centre.cpu_seconds()
            reply = run(get(centre.address, SCRAPE))
            used.append(centre.cpu_seconds() - before)
            sizes = [len(check(reply, b"node_load1", agents)), len(reply.body)]
        peak = centre.peak_rss_mib()
    note = f"best {min(used):.2f}, worst {max(used):.2f}; {sizes[0] / 1e6:.1f} MB, {sizes[1] / 1e6:.1f} MB gzip, peak {peak:.0f} MiB"
    bench.say(f"{median(used):.3f} CPU s: {note}")
    return Figure(name, median(used), _pushgateway(bench, agents), note)


def _pushgateway(bench: Bench, agents: int) -> dict[str, float]:
    peer = peers.pushgateway(bench.folder)
    if peer is None:
        return {}
    fleet = [Sender(number) for number in range(agents)]
    used = []
    with peer.running() as process:
        for _ in range(bench.pick(3, 1)):
            raws = [peer.push(sender.host, sender.text(all_new=True)) for sender in fleet]
            expect(run(send_all(peer.address, raws, CONNECTIONS)).replies, 200, 202)
            process.settle()
            before = process.cpu_seconds()
            reply = run(get(peer.address, SCRAPE_PEER))
            used.append(process.cpu_seconds() - before)
            check(reply, b"node_load1", agents)
    bench.say(f"pushgateway: {median(used):.2f}")
    return {"pushgateway": median(used)}
