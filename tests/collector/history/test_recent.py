"""The last minutes in memory answer as history does, and say when something came late."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from archive import HOUR, MINUTE, NOW_MS, Archive
from sender import schema_of

from agent.link.names import ABSENT_WORD
from collector.history.matchers import Matchers
from collector.history.promql.parse import parse_selector
from collector.history.recent import Recent
from collector.history.source import SeriesData
from collector.intake.work import Outcome
from collector.store.scope import EVERYTHING, NOTHING

START = NOW_MS - NOW_MS % MINUTE
LOAD = parse_selector("node_load1")
LOADS = parse_selector('{__name__=~"node_load1|node_load5"}')
Told = dict[object, tuple[list[int], list[int]]]
ALL = parse_selector('{__name__=~"node_load1|node_load5|up"}')


def recent_of(archive: Archive, *asked: Matchers) -> Recent:
    made = Recent(archive.store, archive.centre.registry, archive.history)
    made.keep([(matchers, 5 * MINUTE) for matchers in asked])
    return made


def refresh(recent: Recent, at_ms: int) -> None:
    recent.refresh(datetime.fromtimestamp(at_ms / 1000, UTC))


def told(found: list[SeriesData]) -> Told:
    return {one.labels: (one.times.tolist(), one.words.astype(np.uint64).tolist()) for one in found}


def assert_side_by_side(recent: Recent, matchers: Matchers, from_ms: int, to_ms: int, expected: Told) -> None:
    """The newest of each, and all of each, are what history has; or it says that it cannot tell."""
    newest = recent.newest(matchers, from_ms, to_ms, EVERYTHING)
    spans = recent.spans(matchers, from_ms, to_ms, EVERYTHING)
    assert (newest is None) == (spans is None)
    if newest is None or spans is None:
        return
    last = {labels: (times[-1], words[-1]) for labels, (times, words) in expected.items() if words[-1] != ABSENT_WORD}
    rows = zip(newest.labels, newest.times.tolist(), newest.words.tolist(), strict=True)
    assert {labels: (time, word) for labels, time, word in rows if word != ABSENT_WORD} == last
    seen = {}
    for labels, times, words in zip(spans.labels, spans.times.tolist(), spans.words.tolist(), strict=True):
        here = [(time, word) for time, word in zip(times, words, strict=True) if word != ABSENT_WORD]
        if here:
            seen[labels] = here
    assert seen == {
        labels: [(time, word) for time, word in zip(*both, strict=True) if word != ABSENT_WORD]
        for labels, both in expected.items()
    }


def test_it_answers_as_history_does(archive: Archive) -> None:
    """Chunked or not, with a series that ended, another schema, and a host that fell silent."""
    one, two = archive.centre.enrolled("srv1"), archive.centre.enrolled("srv2")
    both = schema_of(one.host, ["node_load1", "node_load5"])
    only = schema_of(one.host, ["node_load1"])
    other = schema_of(two.host, ["node_load1"])
    recent = recent_of(archive, ALL, LOAD, LOADS)
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
            for matchers in (ALL, LOAD, LOADS, parse_selector('node_load1{instance="srv2.abuja"}')):
                expected = archive.history.select(matchers, from_ms, at_ms + 1, EVERYTHING)
                assert_side_by_side(recent, matchers, from_ms, at_ms + 1, told(expected))
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
    (kept,) = recent._strips.by_key.values()
    assert kept.times[0] >= START + 21 * MINUTE
    assert kept.times[-1] == START + 29 * MINUTE


def test_what_the_writer_hands_over_is_not_read_again(archive: Archive) -> None:
    """Many samples of one minute, one of them out of turn, and a schema that nobody knew."""
    one, two = archive.centre.enrolled("srv1"), archive.centre.enrolled("srv2")
    recent = recent_of(archive, LOADS)
    both = schema_of(one.host, ["node_load1", "node_load5"])
    archive.send(one, both, [(START, [1.0, 2.0])])
    refresh(recent, START)
    handed: list[bytes] = []

    def hand_over(outcome: Outcome, received_at_ms: int) -> None:
        handed.append(outcome.envelope.packed)
        recent.bring(outcome, received_at_ms)

    archive.centre.writer.on_taken = hand_over
    for at, seconds in enumerate((15, 30, 45, 20, 60)):
        archive.send(one, both, [(START + seconds * 1000, [float(at), None])], START + MINUTE)
    archive.send(two, schema_of(two.host, ["node_load1"]), [(START + MINUTE, [7.0])])
    assert len(handed) == 6
    recent.take_in(datetime.fromtimestamp((START + MINUTE) / 1000, UTC))
    assert len(recent._brought) == 5, "under a schema that was known"
    refresh(recent, START + MINUTE)
    assert not recent._brought
    for from_ms in (START - MINUTE, START + 1, START + MINUTE):
        expected = archive.history.select(LOADS, from_ms, START + MINUTE + 1, EVERYTHING)
        assert told(recent.select(LOADS, from_ms, START + MINUTE + 1, EVERYTHING)) == told(expected)
        assert_side_by_side(recent, LOADS, from_ms, START + MINUTE + 1, told(expected))


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
