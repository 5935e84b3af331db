"""Server time of the board: until the first byte of the page, for one site and for a thousand that all report."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.centre import Centre, serving
from tests.bench.client import BadReply, Connection, expect, request, run, send_all
from tests.bench.figures import Bench, Figure, median
from tests.bench.load import make_fleet, rounds

PAGE = request("GET", "/?lang=ko", b"", "Accept: text/html", "Accept-Encoding: gzip")
ROW = b'data-site="'


def first_byte(bench: Bench) -> list[Figure]:
    return [_measure(bench, "board_first_byte_ms", 30, 1)]


def of_1000_sites(bench: Bench) -> list[Figure]:
    return [_measure(bench, "board_1000_sites_ms", 1_000, 1_000)]


def _measure(bench: Bench, name: str, agents: int, sites: int) -> Figure:
    data: Path = bench.folder / "centre"
    fleet = make_fleet(data, agents, sites)
    took = []
    with serving(data) as centre:
        for _ in range(bench.pick(15, 5)):
            expect(run(send_all(centre.address, rounds(fleet, 1, 50), 20)).replies, 200)  # so that nothing is as it was
            time.sleep(1.1)  # a verdict tick
            took.append(run(_first_byte(centre, sites)) * 1000)
    note = f"{sites} sites, worst {max(took):.0f} ms"
    bench.say(f"median {median(took):.1f} ms, {note}")
    return Figure(name, median(took), {}, note)


async def _first_byte(centre: Centre, sites: int) -> float:
    """Seconds from the request to the answer's first byte, on a kept connection. Raises BadReply for another page."""
    connection = Connection(centre.address)
    expect([await connection.exchange(request("GET", "/healthz"))], 200)
    seconds, reply = await connection.first_byte(PAGE)
    await connection.close()
    expect([reply], 200)
    if reply.text().count(ROW) < sites:
        raise BadReply(f"{reply.text().count(ROW)} sites on the board, expected {sites}")
    return seconds
