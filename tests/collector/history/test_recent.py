"""The last minutes in memory answer as history does, and say when something came late."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from archive import HOUR, MINUTE, NOW_MS, Archive
from sender import schema_of

from collector.history.matchers import Matchers
from collector.history.promql.parse import parse_selector
from collector.history.recent import Recent
from collector.history.source import SeriesData
from collector.store.scope import EVERYTHING, NOTHING

START = NOW_MS - NOW_MS % MINUTE
LOAD = parse_selector("node_load1")
ALL = parse_selector('{__name__=~"node_load1|node_load5|up"}')


def recent_of(archive: Archive, *asked: Matchers) -> Recent:
    made = Recent(archive.store, archive.centre.registry, archive.history)
    made.keep([(matchers, 5 * MINUTE) for matchers in asked])
    return made


def refresh(recent: Recent, at_ms: int) -> None:
    recent.refresh(datetime.fromtimestamp(at_ms / 1000, UTC))


def told(found: list[SeriesData]) -> dict[object, tuple[list[int], list[int]]]:
    return {one.labels: (one.times.tolist(), one.words.astype(np.uint64).tolist()) for one in found}


def test_it_answers_as_history_does(archive: Archive) -> None:
    """Chunked or not, with a series that ended, another schema, and a host that fell silent."""
    one, two = archive.centre.enrolled("srv1"), archive.centre.enrolled("srv2")
    both = schema_of(one.host, ["node_load1", "node_load5"])
    only = schema_of(one.host, ["node_load1"])
    other = schema_of(two.host, ["node_load1"])
    recent = recent_of(archive, ALL)
    for minute in range(10):
        at_ms = START + minute * MINUTE
        archive.send(
            one,
            both if minute < 6 else only,
            [(at_ms, [minute, None if minute == 3 else 1.0][: 2 if minute < 6 else 1])],
        )
        if minute < 5:
            archive.send(two, other, [(at_ms + 1, [float(minute)])])
        refresh(recent, at_ms)
        if minute == 7:
            archive.chunk(at_ms + HOUR)
        for from_ms in (at_ms - 5 * MINUTE, at_ms - MINUTE, at_ms):
            for matchers in (ALL, LOAD, parse_selector('node_load1{instance="srv2.abuja"}')):
                expected = archive.history.select(matchers, from_ms, at_ms + 1, EVERYTHING)
                assert told(recent.select(matchers, from_ms, at_ms + 1, EVERYTHING)) == told(expected), minute
    assert recent.select(ALL, at_ms - MINUTE, at_ms + 1, NOTHING) == []


def test_what_is_not_kept_is_asked_of_history(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    schema = schema_of(sender.host, ["node_load1", "node_load5"])
    archive.send(sender, schema, [(START + at * 15_000, [1.0, 2.0]) for at in range(4)])
    recent = recent_of(archive, LOAD)
    refresh(recent, START + MINUTE)
    (five,) = recent.select(parse_selector("node_load5"), START, START + MINUTE, EVERYTHING)
    assert five.values.tolist() == [2.0] * 4
    (long_ago,) = recent.select(LOAD, START - HOUR, START + MINUTE, EVERYTHING)
    assert len(long_ago.times) == 4


def test_only_what_is_new_is_opened_and_old_ones_go(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    schema = schema_of(sender.host, ["node_load1"])
    recent = recent_of(archive, LOAD)
    for minute in range(30):
        archive.send(sender, schema, [(START + minute * MINUTE, [float(minute)])])
        refresh(recent, START + minute * MINUTE)
    (kept,) = recent._kept.values()
    assert kept.times[0] >= START + 21 * MINUTE
    assert kept.times[-1] == START + 29 * MINUTE


def test_it_says_when_something_came_late(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    schema = schema_of(sender.host, ["node_load1"])
    recent = recent_of(archive, LOAD)
    archive.send(sender, schema, [(START, [1.0])])
    refresh(recent, START)
    archive.send(sender, schema, [(START + MINUTE, [1.0])])
    refresh(recent, START + MINUTE)
    assert recent.late_since() is None
    archive.send(sender, schema, [(START + at * MINUTE, [1.0]) for at in range(2, 40)], START + 40 * MINUTE)
    refresh(recent, START + 40 * MINUTE)
    assert recent.late_since() == START + 2 * MINUTE
    assert recent.late_since() is None
