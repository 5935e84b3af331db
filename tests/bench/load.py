"""A fleet to measure with: agents in the database of a new collector, and their signed reports.

Agents are put into the tables the way enrolment leaves them, because a thousand enrolments would measure enrolment.
Reports are made and signed before the clock runs; a report is an ordinary envelope by docs/protocol.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert

from agent.link.clock import SystemChance
from agent.link.keys import new_key
from agent.link.model import Sample, make_schema
from agent.link.names import ENVELOPES_TYPE
from agent.link.packing import pack_body, pack_envelopes, seal
from collector.agencies.tables import agencies
from collector.cli.init import initialise
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts, hubs, sites
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant
from tests.bench import series
from tests.bench.client import request

SITE = "abuja"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sender:
    """One agent with one host."""

    def __init__(self, number: int, site: str = SITE) -> None:
        self.host = f"srv{number}.{site}"
        self.site = site
        self.agent_id = os.urandom(16)
        self.key = new_key()
        self.epoch = os.urandom(8)
        self.kind = number % len(series.MACHINES)
        self.schema = make_schema(series.of_host(self.host, self.kind), ())
        self.values = series.values(self.kind, number)
        self._seq = 0

    def report(self, at_ms: int, all_new: bool = False) -> bytes:
        """An envelope with one sample; the first of all carries the schema."""
        self._seq += 1
        sample = Sample(self._seq, at_ms, 0, self.schema.hash, self.numbers(all_new))
        body = pack_body([self.schema.packed] if self._seq == 1 else [], [sample], [])
        return seal(self.agent_id, 1, self.epoch, [self._seq], body, self.key.sign)

    def numbers(self, all_new: bool) -> bytes:
        return self.values.step(all_new).tobytes()

    def text(self, all_new: bool = False) -> bytes:
        """The next report as text, for the peers."""
        return series.text(self.kind, self.values.step(all_new))


def push(envelopes: Sequence[bytes]) -> bytes:
    """The HTTP request that delivers envelopes."""
    return request("POST", "/v1/envelopes", pack_envelopes(envelopes), f"Content-Type: {ENVELOPES_TYPE}")


def rounds(fleet: Sequence[Sender], count: int, bundle: int = 1, all_new: bool = False) -> list[bytes]:
    """Requests for ``count`` reports of everyone, ``bundle`` envelopes in each."""
    return [
        push([sender.report(now_ms(), all_new) for sender in fleet[start : start + bundle]])
        for _ in range(count)
        for start in range(0, len(fleet), bundle)
    ]


def make_fleet(data: Path, count: int, site_count: int = 1) -> list[Sender]:
    """A new data directory with ``count`` enrolled agents, spread over sites of the lan profile."""
    settings = Settings(data_dir=data)
    now = instant(now_ms())
    initialise(settings, now, SystemChance(), password="not used in a benchmark")
    names = [SITE] if site_count == 1 else [f"site{n}" for n in range(site_count)]
    fleet = [Sender(number, names[number % site_count]) for number in range(count)]
    store = Store(settings.store_url)
    try:
        with store.transaction() as connection:
            connection.execute(insert(agencies), {"id": "for", "name_ko": "외교정보처", "name_en": "Foreign"})
            connection.execute(insert(hubs), {"id": "mea", "name_ko": "중동", "name_en": "MEA"})
            place = {"agency": "for", "hub": "mea", "timezone": "Africa/Lagos", "link_profile": "lan"}
            connection.execute(
                insert(sites), [{"id": name, "name_ko": name, "name_en": name, **place} for name in names]
            )
            connection.execute(
                insert(agents),
                [
                    {
                        "id": s.agent_id,
                        "site": s.site,
                        "host": s.host,
                        "status": "active",
                        "enrolled_at": now,
                        "status_at": now,
                    }
                    for s in fleet
                ],
            )
            connection.execute(
                insert(agent_keys),
                [{"agent_id": s.agent_id, "key_no": 1, "public_key": s.key.public, "created_at": now} for s in fleet],
            )
            connection.execute(
                insert(hosts),
                [
                    {
                        "id": s.host,
                        "name": s.host.partition(".")[0],
                        "site": s.site,
                        "agency": "for",
                        "managed_by": "enrolment",
                        "agent_id": s.agent_id,
                    }
                    for s in fleet
                ],
            )
            bump_version(connection)
    finally:
        store.close()
    return fleet
