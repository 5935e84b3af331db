"""From the wire to a query's answer: the newest minute, chunks, and both at once; on both databases."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from archive import DAY, HOUR, MINUTE, NOW_MS, Archive
from sender import request, schema_of
from sqlalchemy import delete, update

from agent.link.model import Series, encode, make_schema
from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts
from collector.history import queries
from collector.history.matchers import matcher
from collector.history.query import Query
from collector.history.reader import History
from collector.history.retention import RetentionJob
from collector.history.source import TooMuch
from collector.log.tables import envelopes
from collector.store.scope import EVERYTHING, NOTHING, Scope

HOST = "srv1.abuja"
LOAD = schema_of(HOST, ["node_load1", "node_load5"], ["disk"])
START = NOW_MS


def ticks(count: int, step_ms: int = 15_000, start_ms: int = START) -> list[int]:
    return [start_ms + at * step_ms for at in range(count)]


def rows(times: list[int]) -> list[tuple[int, list[float | None]]]:
    return [(at, [float(index), 0.5, 0.0]) for index, at in enumerate(times)]


def test_newest_sample_is_there_at_once(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows([START]))
    assert archive.count("chunks") == 0
    (metric, values), *more = archive.samples("node_load1[5m]", START)
    assert metric == {
        "__name__": "node_load1",
        "agency": "for",
        "hub": "mea",
        "instance": HOST,
        "job": "node",
        "site": "abuja",
    }
    assert (values, more) == ([[START / 1000, "0"]], [])


def test_chunks_and_tail_answer_as_one(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    times = ticks(250)
    archive.send(sender, LOAD, rows(times))
    before = archive.points("node_load1", START, times[-1])
    archive.chunk(times[-1])
    assert (archive.count("chunked samples"), archive.count("waiting")) == (240, 10)
    assert archive.points("node_load1", START, times[-1]) == before
    assert before[HOST] == [(at, float(index)) for index, at in enumerate(times)]
    archive.chunk(times[-1] + 20 * MINUTE)
    assert (archive.count("chunked samples"), archive.count("waiting")) == (250, 0)
    assert archive.points("node_load1", START, times[-1]) == before
    archive.restart()
    assert archive.points("node_load1", START, times[-1]) == before


def test_what_is_young_and_little_waits(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(20)))
    archive.chunk(START + 5 * MINUTE)
    assert archive.count("chunks") == 0
    archive.chunk(START + 20 * MINUTE)
    assert archive.count("chunks") == 1


def test_every_bit_of_a_value_comes_back(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    values: list[float | None] = [math.nan, math.inf, -math.inf, -0.0, 5e-324, None, 1e308]
    archive.send(sender, schema_of(HOST), [(START + at * 1000, [value]) for at, value in enumerate(values)])
    expected = [
        [(START + at * 1000) / 1000, text]
        for at, text in enumerate(["NaN", "+Inf", "-Inf", "-0", "5e-324", None, "1e+308"])
        if text is not None
    ]
    assert archive.samples("node_load1[5m]", START + 7000)[0][1] == expected
    archive.chunk(START + HOUR)
    assert archive.samples("node_load1[5m]", START + 7000)[0][1] == expected


def test_backlog_in_blocks_newest_first_is_the_same_history(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    times = ticks(100)
    samples = [sender.sample(LOAD, values, at) for at, values in rows(times)]
    groups = [samples[80:], samples[40:80], samples[:40]]
    archive.post(sender, LOAD, groups, times[-1] + 3 * HOUR)
    expected = [(at, float(index)) for index, at in enumerate(times)]
    assert archive.points("node_load1", START, times[-1])[HOST] == expected
    archive.chunk(times[-1] + 4 * HOUR)
    assert archive.count("envelopes") == 3
    assert archive.points("node_load1", START, times[-1])[HOST] == expected


def test_a_record_regrouped_with_new_ones_counts_once(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    samples = [sender.sample(LOAD, values, at) for at, values in rows(ticks(6))]
    archive.post(sender, LOAD, [samples[:2]], START + MINUTE)
    archive.chunk(START + HOUR)
    archive.post(sender, LOAD, [samples[:4]], START + HOUR)  # two of them are in a chunk
    archive.post(sender, LOAD, [samples[2:]], START + HOUR)  # two of them are in the tail
    assert len(archive.samples("node_load1[1h]", START + HOUR - 1)[0][1]) == 6
    archive.chunk(START + 2 * HOUR)
    assert archive.count("chunked samples") == 6
    assert len(archive.samples("node_load1[1h]", START + HOUR - 1)[0][1]) == 6


def test_same_samples_in_a_chunk_and_in_the_tail_are_shown_once(archive: Archive) -> None:
    """What a query would see that reads the tail just before, and the chunks just after, the job's commit."""
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(5)))
    archive.chunk(START + HOUR)
    with archive.store.transaction() as connection:
        connection.execute(update(envelopes).values(is_chunked=False))
    assert [value for _, value in archive.samples("node_load1[5m]", START + MINUTE)[0][1]] == ["0", "1", "2", "3", "4"]


def test_times_are_corrected_by_the_offset(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, [(START - HOUR, [1.0, 2.0, 0.0])], received_ms=START, offset_ms=HOUR)
    assert archive.points("node_load1", START, START) == {HOST: [(START, 1.0)]}
    archive.chunk(START + HOUR)
    assert archive.points("node_load1", START, START) == {HOST: [(START, 1.0)]}


def test_future_and_expired_records_are_not_history(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(
        sender,
        LOAD,
        [(START + DAY, [1.0, 0.0, 0.0]), (START, [2.0, 0.0, 0.0]), (START - 400 * DAY, [3.0, 0.0, 0.0])],
        START,
    )
    assert archive.points("node_load1", START - 400 * DAY, START + 2 * DAY, DAY) == {HOST: [(START, 2.0)]}
    archive.chunk(START + HOUR)
    assert archive.count("chunked samples") == 1
    assert archive.count("waiting") == 0
    assert 'bongsu_history_records_total{result="future"} 1.0' in archive.telemetry.text().decode()


def test_a_crash_between_chunks_and_marks_leaves_nothing_behind(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(5)))
    with archive.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE chunks RENAME TO chunks_away")
    with pytest.raises(Exception, match="chunks"):  # the database's own error, whichever it is
        archive.chunk(START + HOUR)
    with archive.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE chunks_away RENAME TO chunks")
    assert (archive.count("waiting"), archive.count("chunks")) == (5, 0)
    archive.chunk(START + HOUR)
    assert (archive.count("waiting"), archive.count("chunked samples")) == (0, 5)


def test_rows_somebody_else_chunked_are_left_to_them(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(5)))
    archive.history.refresh()
    with archive.store.reading() as connection:
        due = queries.backlog(connection)
        taken = queries.waiting(connection, sender.agent_id, 240)
    with archive.store.transaction() as connection:
        assert queries.mark_chunked(connection, [taken[0].id])
        assert not queries.mark_chunked(connection, [row.id for row in taken])
        connection.execute(update(envelopes).values(is_chunked=False))
    assert due == [queries.Backlog(sender.agent_id, 5, START + MINUTE)]


def test_schema_of_a_host_the_agent_does_not_speak_for(archive: Archive) -> None:
    """A host bound to another agent after its first one reported: the first one's later word does not count."""
    first, second = archive.centre.enrolled("srv1"), archive.centre.enrolled("srv2")
    archive.send(first, LOAD, rows([START]))
    with archive.store.transaction() as connection:
        connection.execute(update(hosts).where(hosts.c.id == HOST).values(agent_id=second.agent_id))
        bump_version(connection)
    archive.centre.registry.refresh()
    assert archive.samples("node_load1[5m]", START) == []
    archive.chunk(START + HOUR)
    assert (archive.count("chunks"), archive.count("waiting")) == (0, 0)
    assert 'bongsu_history_records_total{result="unbound"} 1.0' in archive.telemetry.text().decode()


def test_host_that_is_gone_and_scope_show_nothing(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows([START]))
    archive.chunk(START + HOUR)
    for scope, seen in (
        (EVERYTHING, 1),
        (Scope(frozenset({"for"})), 1),
        (Scope(sites=frozenset({"abuja"})), 1),
        (Scope(frozenset({"other"})), 0),
        (Scope(sites=frozenset({"lagos"})), 0),
        (NOTHING, 0),
    ):
        assert len(archive.samples('{__name__=~".+"}[5m]', START, scope)) == 4 * seen
        assert len(archive.history.label_sets((), START, START + 1, scope)) == 4 * seen
    with archive.store.transaction() as connection:
        connection.execute(delete(hosts).where(hosts.c.id == HOST))
        bump_version(connection)
    archive.centre.registry.refresh()
    assert archive.samples('{__name__=~".+"}[5m]', START) == []


def test_history_begins_anew_where_columns_change(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(3)))
    other = schema_of(HOST, ["node_load15", "node_load1"])
    archive.send(sender, other, [(START + 45_000 + at * 15_000, [0.0, 100.0 + at]) for at in range(3)])
    expected = [0.0, 1.0, 2.0, 100.0, 101.0, 102.0]
    assert [value for _, value in archive.points("node_load1", START, START + 75_000)[HOST]] == expected
    archive.chunk(START + HOUR)
    assert archive.count("chunks") == 2
    assert [value for _, value in archive.points("node_load1", START, START + 75_000)[HOST]] == expected


def test_own_labels_and_matchers_on_every_kind_of_label(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    labels = (("cpu", "0"), ("mode", 'a"b\n'), ("empty", ""))
    schema = make_schema(
        (Series(HOST, "node_cpu", 1, labels), Series(HOST, "node_cpu", 1, (("cpu", "1"),))), ((HOST, "disk"),)
    )
    archive.send(sender, schema, [(START, [1.0, 2.0, 2.0])])

    def found(text: str) -> list[str]:
        return [values[0][1] for _, values in archive.samples(text + "[5m]", START)]  # type: ignore[misc]

    assert found("node_cpu") == ["1", "2"]
    assert found('node_cpu{cpu="1"}') == ["2"]
    assert found('node_cpu{mode=""}') == ["2"]
    assert found('node_cpu{mode="a\\"b\\n"}') == ["1"]
    assert found('node_cpu{instance="srv1.abuja",cpu=~"0|1"}') == ["1", "2"]
    assert found('node_cpu{instance!="srv1.abuja"}') == []
    assert found('node_cpu{hub="mea",agency="for",site=~"abu.*",job="node",cpu!="0"}') == ["2"]
    assert found('node_cpu{job!="node"}') == []
    assert found('{__name__="bongsu_check_state",check="disk"}') == ["2"]
    assert found('bongsu_check_state{job="node"}') == []
    assert found('up{job="node"}') == ["1"]
    assert found("node_memory") == []


def test_up_is_whole_where_chunks_end_and_the_tail_begins(archive: Archive) -> None:
    """Neither a zero while it reports, nor nothing while it is silent: whatever of it is chunked by then."""
    sender = archive.centre.enrolled()

    def value(text: str, at_ms: int) -> str | None:
        found = Query([archive.history], EVERYTHING).instant(text, at_ms)["result"]
        return found[0]["value"][1] if found else None

    archive.send(sender, LOAD, rows(ticks(80)))
    new = [value("up", START + minute * MINUTE) for minute in (-1, 0, 19, 21, 26, 40)]
    assert new == [None, "1", "1", "0", "0", "0"], "before anything is in chunks"
    archive.chunk(START + HOUR)
    assert archive.count("waiting") == 0
    times = ticks(80, start_ms=START + 20 * MINUTE + 7_300)  # its agent began anew, at another beat
    archive.send(sender, LOAD, [(at, [1.0, 0.5, 0.0]) for at in times])
    assert archive.count("waiting") == 80
    last = times[-1]
    assert {value("min_over_time(up[5m])", at) for at in range(START + 10 * MINUTE, last, 67_000)} == {"1"}
    assert {value("count_over_time(up[5m])", at) for at in range(START + 10 * MINUTE, last, 67_000)} <= {
        "19",
        "20",
        "21",
    }
    assert [value("up", last + minute * MINUTE) for minute in (0, 1, 5, 6, 10, 15, 60)] == ["1", *["0"] * 6]
    archive.chunk(last + HOUR)
    assert [value("up", last + minute * MINUTE) for minute in (0, 1, 5, 6, 10, 15, 60)] == ["1", *["0"] * 6]


def test_up_falls_when_the_host_does(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(4)))
    seen = archive.points("up", START - MINUTE, START + 3 * MINUTE)[HOST]
    assert [(at - START) // 1000 for at, value in seen if value == 1] == [0, 15, 30, 45, 60, 75]
    assert [(at - START) // 1000 for at, value in seen if value == 0] == [90, 105, 120, 135, 150, 165, 180]
    archive.chunk(START + HOUR)
    assert archive.points("up", START - MINUTE, START + 3 * MINUTE)[HOST] == seen
    assert archive.points("up", START + DAY, START + DAY) == {HOST: [(START + DAY, 0.0)]}
    assert archive.points("up", START - DAY, START - HOUR) == {}


def test_a_parked_envelope_waits_for_its_schema_and_then_counts(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.centre.clock.now_ms = START
    body = sender.envelope([sender.sample(LOAD, [1.0, 2.0, 0.0], START)])
    assert archive.centre.answer(request(body)).need_schemas == [LOAD.hash.hex()]
    archive.chunk(START + HOUR)
    assert archive.samples("node_load1[5m]", START) == []
    assert archive.count("waiting") == 1
    status, _, text = archive.centre.post(encode([LOAD.packed]), "/v1/schemas")
    assert status == 200, text
    archive.centre.writer.call(lambda: None)
    assert len(archive.samples("node_load1[5m]", START)) == 1
    archive.chunk(START + HOUR)
    assert (archive.count("waiting"), archive.count("chunked samples")) == (0, 1)


def test_retention_deletes_what_is_past_its_time_and_nothing_else(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(3)))
    archive.chunk(START + HOUR)
    archive.send(sender, LOAD, rows(ticks(3, start_ms=START + 2 * HOUR)))  # stays unchunked
    archive.retain(START + 5 * HOUR)
    assert archive.count("envelopes") == 6, "the checkpoint has not passed them"
    archive.checkpoint()
    archive.retain(START + 30 * MINUTE)
    assert archive.count("envelopes") == 6, "not old enough"
    archive.retain(START + 5 * HOUR)
    assert (archive.count("envelopes"), archive.count("waiting")) == (3, 3)
    assert len(archive.samples("node_load1[1d]", START + 3 * HOUR)[0][1]) == 6
    archive.retain(START + 15 * DAY + 29_000)
    assert archive.count("chunks") == 1
    archive.retain(START + 15 * DAY + MINUTE)
    assert archive.count("chunks") == 0
    archive.retain(START + 15 * DAY + 3 * HOUR)
    assert archive.count("envelopes") == 1, (
        "past all retention, chunked or not, but for the newest, whose id stays taken"
    )


def test_what_somebody_has_to_send_on_is_kept_until_it_is_too_old(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(4)))
    archive.chunk(START + HOUR)
    archive.checkpoint()
    needing = RetentionJob(archive.store, 15, 1, still_needed=lambda at: at == 2)
    needing.step(datetime.fromtimestamp((START + 5 * HOUR) / 1000, UTC))
    assert archive.count("envelopes") == 2
    needing.step(datetime.fromtimestamp((START + 16 * DAY) / 1000, UTC))
    assert archive.count("envelopes") == 1


def test_a_query_that_is_too_much_is_refused(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(50)))
    small = History(archive.store, archive.centre.registry, raw_days=15, max_samples=60)
    assert len(small.select((matcher("__name__", "=", "node_load1"),), START, START + HOUR, EVERYTHING)) == 1
    with pytest.raises(TooMuch, match="too many samples"):
        small.select((matcher("__name__", "=~", "node_.*"),), START, START + HOUR, EVERYTHING)


def test_an_instant_needs_only_the_newest_sample_and_finds_it(archive: Archive) -> None:
    """Live reports, a backlog that arrives after them, a second host of the agent, and chunks: always the newest."""
    sender = archive.centre.enrolled()
    archive.send(sender, LOAD, rows(ticks(4)), received_ms=START)
    archive.chunk(START + HOUR)
    backlog = [sender.sample(LOAD, [float(at), 0.0, 0.0], START + HOUR - MINUTE + at * 1000) for at in range(3)]
    archive.send(sender, LOAD, [(START + HOUR, [100.0, 0.0, 0.0])], received_ms=START + HOUR + 200)
    archive.post(sender, LOAD, [backlog], START + HOUR + 300)

    def value(at_ms: int) -> list[object]:
        answer = Query([archive.history], EVERYTHING).instant("node_load1", at_ms)
        return [one["value"][1] for one in answer["result"]]

    assert value(START + HOUR + MINUTE) == ["100"]
    assert value(START + HOUR) == ["100"]
    assert value(START + HOUR - 1) == ["2"]
    assert value(START + HOUR - MINUTE) == ["0"]
    assert value(START + 50_000) == ["3"]
    assert value(START + 46 * MINUTE) == []
    for at in range(0, 2 * HOUR, 7 * MINUTE):
        full = archive.points("node_load1", START + at, START + at)
        assert value(START + at) == [f"{points[0][1]:.0f}" for points in full.values()]


def test_up_waits_as_long_as_a_host_says_itself(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    rows = [(START + at * 10 * MINUTE, [1.0]) for at in range(4)]
    archive.send(sender, schema_of(HOST, ["node_load1"]), rows)
    assert 0.0 in [value for _, value in archive.points("up", START, START + 30 * MINUTE)[HOST]], "by its profile"
    archive.history.told_interval_ms = lambda host: 10 * MINUTE if host == HOST else 0
    assert {value for _, value in archive.points("up", START, START + 59 * MINUTE)[HOST]} == {1.0}
    assert archive.points("up", START + 61 * MINUTE, START + 61 * MINUTE)[HOST] == [(START + 61 * MINUTE, 0.0)]
