"""A hub fails, and ten thousand alerts about what lies behind it come within a minute: how the board answers meanwhile.

A collector as shipped, a fleet that reports, a person on duty whose pages come to a little server of ours. The alerts come as
another Prometheus sends them, over HTTP by Alertmanager's API. There is no figure unless they were one incident and one call.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, update

from agent.link.keys import new_key
from collector.fleet.registry import bump_version
from collector.fleet.tables import hub_keys, hubs, sites
from collector.settings import Settings
from collector.store.engine import Store
from tests.bench.board import PAGE
from tests.bench.centre import Centre, serving
from tests.bench.client import BadReply, Connection, expect, request, run, send_all
from tests.bench.figures import Bench, Figure, median, percentile
from tests.bench.load import Sender, make_fleet, rounds
from tests.bench.page import man_the_centre, receiving

SITES, BEHIND = 30, 20
"""Sites, and how many of them lie behind the hub that fails."""
INTERVAL_SECONDS = 10.0
ALERTS, AT_ONCE, SECONDS = 10_000, 100, 60.0
PATIENCE_SECONDS = 240.0
SETTLED_SECONDS = 45.0
"""After the last alert: longer than any of them waits before somebody is told."""


def board_first_byte(bench: Bench) -> list[Figure]:
    data = bench.folder / "centre"
    fleet = make_fleet(data, SITES, SITES)
    _found_hubs(Settings(data_dir=data).store_url, [sender.site for sender in fleet[BEHIND:]])
    with receiving() as (receiver, url):
        token = man_the_centre(data, bench.folder, url)
        with serving(data) as centre:
            took, still, took_in, before = run(_storm(bench, centre, fleet, token))
            incidents = json.loads(centre.get("/api/incidents?state=triggered&limit=500"))["items"]
        pages = [page for _, page in list(receiver.came.queue)]
    # The numbers of a made-up fleet meet rules of their own; what they opened before, or elsewhere, is not of the storm.
    behind = {sender.site for sender in fleet[:BEHIND]}
    new = {
        one["number"] for one in incidents if one["number"] not in before and (one["site"] in behind or not one["site"])
    }
    hub = next(one["number"] for one in incidents if one["key"] == "hub:mea")
    called = Counter((page["person"], page["kind"]) for page in pages if page["incident"] in {hub, *new})
    if new or called != {("kim", "trigger"): 1}:
        raise BadReply(f"{ALERTS} alerts were {len(new)} incidents besides the hub's, and these calls: {dict(called)}")
    note = (
        f"{ALERTS} alerts taken in {took_in:.0f} s: 1 incident, 1 call; board p95 {percentile(took, 0.95):.0f} ms, worst "
        f"{max(took):.0f} ms of {len(took)}; {median(still):.1f} ms before the storm"
    )
    bench.say(f"median {median(took):.1f} ms; {note}")
    return [Figure("board_first_byte_ms_in_storm", median(took), {}, note)]


async def _storm(
    bench: Bench, centre: Centre, fleet: Sequence[Sender], token: str
) -> tuple[list[float], list[float], float, set[int]]:
    """The board's milliseconds during the storm and before it, the seconds the alerts took, and incidents before it."""
    reporting = asyncio.create_task(_report(centre, fleet))
    try:
        still = await _first_bytes(centre, INTERVAL_SECONDS * 4)
        reporting.cancel()
        reporting = asyncio.create_task(_report(centre, fleet[BEHIND:]))
        before = await _until_hub_is_down(centre)
        bench.say("the hub is down; the alerts come")
        began = time.perf_counter()
        watching = asyncio.create_task(_first_bytes(centre, SECONDS + 15.0))
        await _send_alerts(centre, [sender.host for sender in fleet[:BEHIND]], token)
        took_in = time.perf_counter() - began
        took = await watching
        await asyncio.sleep(SETTLED_SECONDS)
    finally:
        reporting.cancel()
    return took, still, took_in, before


async def _report(centre: Centre, fleet: Sequence[Sender]) -> None:
    while True:
        expect((await send_all(centre.address, rounds(fleet, 1, 10), 3)).replies, 200)
        await asyncio.sleep(INTERVAL_SECONDS)


async def _first_bytes(centre: Centre, seconds: float) -> list[float]:
    """Milliseconds until the board's first byte, twice a second for so long."""
    connection, took, ends = Connection(centre.address), [], time.perf_counter() + seconds
    expect([await connection.exchange(request("GET", "/healthz"))], 200)
    while time.perf_counter() < ends:
        answered, reply = await connection.first_byte(PAGE)
        expect([reply], 200)
        took.append(answered * 1000)
        await asyncio.sleep(0.5)
    await connection.close()
    return took


async def _until_hub_is_down(centre: Centre) -> set[int]:
    """Numbers of the incidents that are open then."""
    connection, ends = Connection(centre.address), time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < ends:
        reply = await connection.exchange(request("GET", "/api/incidents?state=triggered&limit=500"))
        expect([reply], 200)
        found = json.loads(reply.text())["items"]
        if any(one["key"] == "hub:mea" and one["severity"] == "critical" for one in found):
            await connection.close()
            return {one["number"] for one in found}
        await asyncio.sleep(1.0)
    raise BadReply(f"the hub's silence was no incident within {PATIENCE_SECONDS:.0f} s: {reply.text()[:500]!r}")


async def _send_alerts(centre: Centre, hosts: Sequence[str], token: str) -> None:
    """Spread over a minute, at the pace at which they are taken where that is slower."""
    connection, began = Connection(centre.address), time.perf_counter()
    head = (f"Authorization: Bearer {token}", "Content-Type: application/json")
    for start in range(0, ALERTS, AT_ONCE):
        alerts = [
            {
                "labels": {
                    "alertname": "ServiceDown",
                    "severity": "critical",
                    "service": f"s{n}",
                    "instance": hosts[n % len(hosts)],
                }
            }
            for n in range(start, start + AT_ONCE)
        ]
        expect([await connection.exchange(request("POST", "/api/v2/alerts", json.dumps(alerts).encode(), *head))], 200)
        await asyncio.sleep(max(0.0, began + SECONDS * (start + AT_ONCE) / ALERTS - time.perf_counter()))
    await connection.close()


def _found_hubs(store_url: str, elsewhere: Sequence[str]) -> None:
    """The fleet's hub was heard a moment ago; these sites lie behind another."""
    store, now = Store(store_url), datetime.now(UTC)
    with store.transaction() as connection:
        connection.execute(insert(hubs), {"id": "latam", "name_ko": "중남미", "name_en": "LATAM"})
        connection.execute(update(sites).where(sites.c.id.in_(list(elsewhere))).values(hub="latam"))
        row = {"id": b"h" * 16, "hub": "mea", "key_no": 1, "public_key": new_key().public, "status": "active"}
        connection.execute(insert(hub_keys), {**row, "enrolled_at": now, "status_at": now, "contact_at": now})
        bump_version(connection)
    store.close()
