"""What is taken: once, in order, whatever comes twice, late, early or without its schema."""

from __future__ import annotations

import base64
import os

import msgspec
import pytest
from centre import NOW_MS, Centre, problem
from sender import Sender, request, schema_of
from sqlalchemy import func, select

from agent.link.keys import is_signed
from agent.link.model import (
    Loss,
    Sample,
    Series,
    StateChange,
    encode,
    loss_record,
    make_schema,
    pack_values,
    state_record,
)
from agent.link.names import RECEIPT_PREFIX
from agent.link.receipt import open_receipt
from collector.live.render import part_of, pieces
from collector.log.tables import envelopes, losses

DAY_MS = 86_400_000


def stored(centre: Centre) -> int:
    with centre.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(envelopes)).scalar() or 0


def lost(centre: Centre) -> list[tuple[int, int, str]]:
    with centre.store.reading() as connection:
        rows = connection.execute(select(losses.c.first_seq, losses.c.last_seq, losses.c.reason).order_by(losses.c.id))
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_a_receipt_covers_what_is_held_and_is_the_centres(centre: Centre) -> None:
    sender = centre.enrolled()
    answer = centre.answer(request(sender.report(NOW_MS), sender.report(NOW_MS)))
    told = answer.agents[0]
    receipt = open_receipt(told.receipt, centre.key.public, sender.agent_id)
    assert told.held == receipt.ranges == [(1, 2)]
    assert (receipt.epoch, receipt.at_ms) == (sender.epoch, NOW_MS)
    payload, signature = msgspec.msgpack.decode(base64.b64decode(told.receipt))
    assert is_signed(RECEIPT_PREFIX + payload, signature, centre.key.public)
    assert msgspec.msgpack.decode(payload) == [sender.agent_id, sender.epoch, [[1, 2]], NOW_MS]


def test_a_replay_is_acknowledged_again_and_counted_once_as_duplicate(centre: Centre) -> None:
    sender = centre.enrolled()
    body = request(sender.report(NOW_MS))
    first, second = centre.answer(body), centre.answer(body)
    assert first.agents[0].held == second.agents[0].held == [(1, 1)]
    assert stored(centre) == 1
    assert centre.live.reports == {("abuja", "accepted"): 1, ("abuja", "duplicate"): 1}


def test_the_same_record_in_other_company_is_still_the_same(centre: Centre) -> None:
    sender, schema = centre.enrolled(), None
    schema = schema_of(sender.host)
    samples = [sender.sample(schema, [float(n)], NOW_MS) for n in range(5)]
    centre.answer(request(sender.envelope(samples[:3], [schema.packed])))
    answer = centre.answer(request(sender.envelope(samples[2:]), sender.envelope(samples)))
    assert not answer.envelopes
    assert answer.agents[0].held == [(1, 5)]
    assert centre.live.reports["abuja", "accepted"] == 5
    assert centre.live.reports["abuja", "duplicate"] == 1 + 5


@pytest.mark.parametrize("memory", ["fresh", "after a restart", "long ago"])
def test_the_same_name_with_other_content_is_a_fork(centre: Centre, memory: str) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS, 1.0)))
    if memory == "long ago":
        centre.answer(request(*(sender.report(NOW_MS) for _ in range(50))))
    if memory != "fresh":
        centre.stop()
        centre.start()
    twin = Sender(sender.host, sender.agent_id, sender.key, epoch=sender.epoch)
    answer = centre.answer(request(twin.report(NOW_MS, 2.0)))
    assert [(r.action, r.code) for r in answer.envelopes] == [("renew", "fork")]
    assert [(r.seqs, r.action, r.code) for r in answer.agents[0].refused] == [([(1, 1)], "renew", "fork")]
    renewed = Sender(sender.host, sender.agent_id, sender.key)
    assert not centre.answer(request(renewed.report(NOW_MS, 2.0))).envelopes


def test_an_unknown_schema_is_stored_asked_for_and_then_shown(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host)
    answer = centre.answer(request(sender.report(NOW_MS, 7.0, with_schema=False)))
    assert answer.need_schemas == [schema.hash.hex()]
    assert answer.agents[0].held == [(1, 1)]
    assert stored(centre) == 1
    assert not centre.live.hosts

    assert centre.post(encode([schema.packed]), "/v1/schemas")[0] == 200
    assert centre.live.hosts[sender.host].value("node_load1") == 7.0
    assert centre.post(encode([schema.packed]), "/v1/schemas")[0] == 404, "asked for once"


def test_a_parked_sample_waits_over_a_restart(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS, 7.0, with_schema=False)))
    centre.stop()
    centre.start()
    assert not centre.live.hosts
    assert centre.post(schema_of(sender.host).packed, "/v1/schemas")[0] == 200, "bare bytes will do too"
    assert centre.live.hosts[sender.host].value("node_load1") == 7.0


def test_a_schema_nobody_asked_for_is_not_taken(centre: Centre) -> None:
    centre.enrolled()
    for body in (encode([schema_of("srv1.abuja").packed]), b"", b"junk", b"\0" * (2 << 20)):
        status, _, text = centre.post(body, "/v1/schemas")
        assert status == 404, text


def test_a_refused_schema_that_was_waited_for_becomes_a_declared_loss(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = make_schema((Series(sender.host, "up", 0, ()),), ())
    sample = Sample(1, NOW_MS, 0, schema.hash, pack_values([1.0]))
    sender.seq = 1
    centre.answer(request(sender.envelope([sample])))
    status, _, text = centre.post(schema.packed, "/v1/schemas")
    assert (status, problem(text)["code"]) == (422, "bad_labels")
    assert lost(centre) == [(1, 1, "refused:bad_labels")]
    assert stored(centre) == 0
    centre.stop()
    centre.start()
    assert centre.answer(request(sender.report(NOW_MS))).agents[0].held == [(1, 2)]


@pytest.mark.parametrize("is_refused_first", [True, False])
def test_a_refused_schema_takes_nothing_with_it_that_stands_in_the_same_envelope(
    centre: Centre, is_refused_first: bool
) -> None:
    sender = centre.enrolled()
    bad, good = make_schema((Series(sender.host, "up", 0, ()),), ()), schema_of(sender.host)
    centre.answer(request(sender.envelope([sender.sample(bad, [1.0], NOW_MS), sender.sample(good, [7.0], NOW_MS)])))
    for schema in (bad, good) if is_refused_first else (good, bad):
        assert centre.post(schema.packed, "/v1/schemas")[0] == (422 if schema is bad else 200)
    assert lost(centre) == [(1, 1, "refused:bad_labels")]
    assert stored(centre) == 1
    assert centre.live.hosts[sender.host].value("node_load1") == 7.0
    centre.stop()
    centre.start()
    assert centre.answer(request(sender.report(NOW_MS))).agents[0].held == [(1, 3)]


def test_a_day_ahead_is_stored_but_never_the_newest(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS, 1.0)))
    answer = centre.answer(request(sender.report(NOW_MS + DAY_MS, 2.0)))
    assert answer.agents[0].held == [(1, 2)]
    assert stored(centre) == 2
    assert centre.live.reports["abuja", "future"] == 1
    assert centre.live.hosts[sender.host].value("node_load1") == 1.0
    centre.answer(request(sender.report(NOW_MS, 3.0)))
    assert centre.live.hosts[sender.host].value("node_load1") == 3.0


def test_a_year_ago_is_acknowledged_and_counted_lost(centre: Centre) -> None:
    sender = centre.enrolled()
    answer = centre.answer(request(sender.report(NOW_MS - 365 * DAY_MS)))
    assert answer.agents[0].held == [(1, 1)]
    assert lost(centre) == [(1, 1, "expired")]
    assert stored(centre) == 0
    assert centre.live.reports["abuja", "expired"] == 1


def test_backlog_is_history_and_never_now(centre: Centre) -> None:
    sender = centre.enrolled()
    for minutes in (60, 59, 1):
        centre.answer(request(sender.report(NOW_MS - minutes * 60_000)))
    assert not centre.live.hosts
    assert centre.live.reports["abuja", "late"] == 3
    assert stored(centre) == 3


def test_a_wrong_clock_with_its_offset_is_now(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host)
    hour = 3_600_000
    sample = sender.sample(schema, [5.0], NOW_MS - hour, hour)
    centre.answer(request(sender.envelope([sample], [schema.packed])))
    assert centre.live.hosts[sender.host].taken_at_ms == NOW_MS


def test_newest_first_does_not_turn_time_back(centre: Centre) -> None:
    sender = centre.enrolled()
    older, newer = sender.report(NOW_MS - 15_000, 1.0), sender.report(NOW_MS, 2.0)
    centre.answer(request(newer))
    centre.answer(request(older))
    assert centre.live.hosts[sender.host].value("node_load1") == 2.0


def test_quotes_newlines_and_backslashes_come_out_escaped(centre: Centre) -> None:
    sender = centre.enrolled()
    labels = (("path", 'a"b\nc\\d'), ("이름", "x"))[:1]
    schema = make_schema((Series(sender.host, "node_x", 0, labels),), ())
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0], NOW_MS)], [schema.packed])))
    host = centre.live.hosts[sender.host]
    part = part_of(host.columns.shape)
    assert part is not None
    text = pieces(host, b'instance="i"', part)
    assert text == [b'node_x{instance="i",path="a\\"b\\nc\\\\d"} 1.0']


def test_one_agents_type_clash_costs_only_that_series(centre: Centre) -> None:
    one, two = centre.enrolled("one"), centre.enrolled("two")
    centre.answer(request(one.report(NOW_MS)))
    schema = make_schema((Series(two.host, "node_load1", 1, ()), Series(two.host, "node_other", 0, ())), ())
    answer = centre.answer(request(two.envelope([two.sample(schema, [1.0, 2.0], NOW_MS)], [schema.packed])))
    assert not answer.envelopes
    assert centre.live.reports["abuja", "clash"] == 1
    assert centre.live.hosts[two.host].value("node_other") == 2.0
    assert centre.live.hosts[two.host].value("node_load1") is None


def test_a_state_change_is_on_the_board_before_the_next_sample(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host, checks=["process:sshd"])
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 0.0], NOW_MS)], [schema.packed])))
    sender.seq += 1
    change = StateChange(sender.host, "process:sshd", 2, 0, "none of 1 runs")
    centre.answer(request(sender.envelope([], [], [state_record(sender.seq, NOW_MS, 0, change)])))
    check = centre.live.hosts[sender.host].checks["process:sshd"]
    assert (check.state, check.text) == (2, "none of 1 runs")
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 2.0], NOW_MS + 1000)])))
    check = centre.live.hosts[sender.host].checks["process:sshd"]
    assert (check.state, check.text, check.since_ms) == (2, "none of 1 runs", NOW_MS)


def test_a_declared_loss_leaves_no_hole_and_yields_to_the_real_thing(centre: Centre) -> None:
    sender = centre.enrolled()
    reports = [sender.report(NOW_MS) for _ in range(5)]
    sender.seq += 1
    loss = sender.envelope([], [], [loss_record(sender.seq, NOW_MS, 0, Loss(2, 4, "spool_full"))])
    answer = centre.answer(request(reports[0], reports[4], loss))
    assert answer.agents[0].held == [(1, 6)]
    assert lost(centre) == [(2, 4, "spool_full")]
    centre.answer(request(reports[2]))
    position = centre.positions.get((sender.agent_id, sender.epoch), NOW_MS)
    assert position.held.as_lists() == [[1, 1], [3, 3], [5, 6]]
    assert position.lost.as_lists() == [[2, 2], [4, 4]]


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_restart_remembers_everything_acknowledged(centre: Centre, checkpointed: bool) -> None:
    sender = centre.enrolled()
    bodies = [request(sender.report(NOW_MS, float(n))) for n in range(3)]
    for body in bodies:
        centre.answer(body)
    if checkpointed:
        centre.writer.save_checkpoint()
        centre.answer(bodies[0])
        centre.answer(request(sender.report(NOW_MS, 3.0)))
    centre.stop()
    centre.start()
    assert centre.live.hosts[sender.host].value("node_load1") == (3.0 if checkpointed else 2.0)
    assert centre.answer(bodies[1]).agents[0].held == [(1, 4 if checkpointed else 3)]
    assert centre.live.reports == {("abuja", "duplicate"): 1}


def state(sender: Sender, code: int, text: str, at_ms: int = NOW_MS) -> bytes:
    sender.seq += 1
    change = StateChange(sender.host, "process:sshd", code, 0, text)
    return sender.envelope([], [], [state_record(sender.seq, at_ms, 0, change)])


def test_words_that_overtake_the_first_sample_are_kept(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host, checks=["process:sshd"])
    centre.answer(request(state(sender, 2, "none runs", NOW_MS - 1)))
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 2.0], NOW_MS)], [schema.packed])))
    check = centre.live.hosts[sender.host].checks["process:sshd"]
    assert (check.state, check.text, check.since_ms) == (2, "none runs", NOW_MS - 1)


def test_words_that_come_after_their_sample_are_added(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host, checks=["process:sshd"])
    words = state(sender, 2, "none runs", NOW_MS - 1)
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 2.0], NOW_MS)], [schema.packed])))
    centre.answer(request(words))
    check = centre.live.hosts[sender.host].checks["process:sshd"]
    assert (check.state, check.text, check.since_ms) == (2, "none runs", NOW_MS - 1)
    stale = state(sender, 0, "runs")
    centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 2.0], NOW_MS)])))
    centre.answer(request(stale))
    assert centre.live.hosts[sender.host].checks["process:sshd"].state == 2, "an older record turns nothing back"


def test_a_new_epoch_begins_its_numbers_anew(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host, checks=["process:sshd"])
    for _ in range(5):
        centre.answer(request(sender.envelope([sender.sample(schema, [1.0, 2.0], NOW_MS)], [schema.packed])))
    again = Sender(sender.host, sender.agent_id, sender.key)
    centre.answer(request(again.envelope([again.sample(schema, [1.0, 0.0], NOW_MS)], [schema.packed])))
    assert centre.live.hosts[sender.host].checks["process:sshd"].state == 0


@pytest.mark.parametrize(
    ("claimed", "expected_ms"), [(60.0, 60_000), (5.0, 5_000), (0.0, 15_000), (1e9, 15_000), (None, 15_000)]
)
def test_how_often_an_agent_reports_is_its_own_word_within_bounds(
    centre: Centre, claimed: float | None, expected_ms: int
) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host, ["agent_report_interval_seconds"])
    late_ms = 3 * expected_ms
    samples = [sender.sample(schema, [claimed], NOW_MS - age) for age in (late_ms + 1, late_ms)]
    centre.answer(request(sender.envelope(samples, [schema.packed])))
    assert centre.live.hosts[sender.host].interval_ms == expected_ms
    assert centre.live.hosts[sender.host].seq == 2
    assert centre.live.agents[sender.agent_id].interval_ms == expected_ms
    assert (centre.live.reports["abuja", "late"], centre.live.reports["abuja", "accepted"]) == (1, 1)


def test_parked_values_that_do_not_fit_their_schema_become_a_declared_loss(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host)
    good = sender.report(NOW_MS, 7.0, with_schema=False)
    sender.seq += 1
    wide = Sample(sender.seq, NOW_MS, 0, schema.hash, pack_values([1.0, 2.0, 3.0]))
    centre.answer(request(good, sender.envelope([wide])))
    assert centre.post(schema.packed, "/v1/schemas")[0] == 200
    assert centre.live.hosts[sender.host].value("node_load1") == 7.0
    assert lost(centre) == [(2, 2, "refused:malformed")]
    assert stored(centre) == 1


def test_an_agent_that_names_schemas_and_brings_none_is_held_off(centre: Centre) -> None:
    sender = centre.enrolled()

    def unknown(count: int) -> bytes:
        samples = []
        for _ in range(count):
            sender.seq += 1
            samples.append(Sample(sender.seq, NOW_MS, 0, os.urandom(16), pack_values([1.0])))
        return sender.envelope(samples)

    assert not centre.answer(request(unknown(600))).envelopes
    refused = centre.answer(request(unknown(401), unknown(400))).envelopes
    assert [(r.index, r.action, r.code) for r in refused] == [(0, "hold", "too_large")]
    assert len(centre.writer.wanted) == 1000


def test_the_first_to_send_a_known_name_does_not_decide_its_type(centre: Centre) -> None:
    liar, honest = centre.enrolled("liar"), centre.enrolled("honest")
    schema = make_schema((Series(liar.host, "node_load1", 1, ()),), ())
    centre.answer(request(liar.envelope([liar.sample(schema, [1.0], NOW_MS)], [schema.packed])))
    centre.answer(request(honest.report(NOW_MS, 2.0)))
    assert centre.live.hosts[honest.host].value("node_load1") == 2.0
    assert liar.host not in centre.live.hosts


def test_a_schema_that_comes_in_the_same_commit_unparks_what_came_before_it(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS, 1.0, with_schema=False), sender.report(NOW_MS, 2.0)))
    for _ in range(2):  # the errand of the first commit is done when the second after it has answered
        centre.answer(request(sender.report(NOW_MS, 3.0)))
    with centre.store.reading() as connection:
        parked = connection.execute(select(func.count()).select_from(envelopes).where(envelopes.c.is_parked)).scalar()
    assert parked == 0
    assert not centre.writer.wanted
