"""What a store gets is what our history shows: live and late samples, missing series, two hosts of an agent, roll-ups."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from archive import HOUR, MINUTE, NOW_MS, Archive
from fake_store import FakeStore, serving
from rollups import rolled
from sender import request
from sqlalchemy import insert

from agent.link.clock import SystemChance
from agent.link.exchange import HttpExchange
from agent.link.model import Series, make_schema
from collector.exposition.remote_write.forwarder import Forwarder
from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts
from collector.history.matchers import matcher
from collector.settings_remote_write import Destination
from collector.store.scope import EVERYTHING
from collector.telemetry import Telemetry

HOST, OTHER = "srv1.abuja", "ups1.abuja"
STEP = 15_000
EVERY_NAME = (matcher("__name__", "=~", ".+"),)
Shown = dict[tuple[tuple[str, str], ...], dict[int, float]]


def forwarder_to(archive: Archive, store: FakeStore) -> tuple[Forwarder, HttpExchange]:
    centre = archive.centre
    exchange = HttpExchange(lambda: 0.0)
    to = Destination(name="test", url=store.url, batch_samples=333)
    report = Telemetry("test").remote_write
    made = Forwarder(
        to, archive.store, centre.registry, archive.history, exchange, centre.clock, SystemChance(), report
    )
    return made, exchange


def shown(archive: Archive) -> Shown:
    """Everything history has, but for the zeros it says of silence itself."""
    found: Shown = {}
    for series in archive.history.select(EVERY_NAME, NOW_MS - 24 * HOUR, NOW_MS + 24 * HOUR, EVERYTHING):
        present = series.present
        values = dict(zip(present.times.tolist(), present.values.tolist(), strict=True))
        if dict(series.labels)["__name__"] == "up":
            values = {at: value for at, value in values.items() if value}
        found[series.labels] = values
    return found


def without_markers(store: FakeStore) -> Shown:
    kept = {
        labels: {at: value for at, value in kept.items() if not math.isnan(value)}
        for labels, kept in store.kept.items()
    }
    return {labels: values for labels, values in kept.items() if values}


def test_a_store_gets_what_history_shows(archive: Archive, tmp_path: Path) -> None:
    centre = archive.centre
    sender = centre.enrolled()
    with archive.store.transaction() as connection:
        host = {"id": OTHER, "name": "ups1", "site": "abuja", "agency": "for", "managed_by": "enrolment"}
        connection.execute(insert(hosts), {**host, "agent_id": sender.agent_id})
        bump_version(connection)
    centre.registry.refresh()
    cpu = [Series(HOST, "node_cpu_seconds_total", 1, (("cpu", str(at)),)) for at in range(3)]
    ups = Series(OTHER, "network_ups_tools_ups_load", 0, (("ups", "a"),))
    schema = make_schema((*cpu, ups), ((HOST, "disk"), (OTHER, "line")))
    chance = np.random.default_rng(1)

    def values(at: int) -> list[float | None]:
        made: list[float | None] = [at + 0.5, at + 1.5, at + 2.5, at % 7.0, 0.0, float(at % 3)]
        if chance.random() < 0.2:
            made[int(chance.integers(4))] = None
        return made

    live = [(NOW_MS + at * STEP, values(at)) for at in range(40)]
    archive.send(sender, schema, live)
    late = [(NOW_MS - HOUR + at * STEP, values(at)) for at in range(100)]
    archive.send(sender, schema, late, received_ms=NOW_MS + 40 * STEP, at_once=True)
    windows = [
        [
            sender.sample(schema, [float(at), 1.0, 2.0, 3.0, 0.0, 1.0], NOW_MS - 5 * HOUR + (20 * window + at) * STEP)
            for at in range(20)
        ]
        for window in range(6)
    ]
    records = [rolled(sender, schema, window) for window in windows]
    assert not centre.answer(request(sender.envelope([], [schema.packed], records))).envelopes
    with serving() as store:
        forwarder, exchange = forwarder_to(archive, store)
        archive.chunk(NOW_MS + 30 * MINUTE)  # chunked or not: the log has it
        while forwarder.step(0.0) == 0.0:
            pass
        exchange.close()
        expected = shown(archive)
        assert sum(map(len, expected.values())) > 1300
        assert without_markers(store) == expected
