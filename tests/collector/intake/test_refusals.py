"""What is refused, with which code, counted where; and that nothing of it is kept."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest
from backports import zstd
from centre import NOW_MS, Centre, problem
from sender import Sender, request, schema_of
from sqlalchemy import func, select

from agent.link.answer import Answer
from agent.link.keys import new_key
from agent.link.model import Series, StateChange, encode, make_schema, state_record
from agent.link.names import ENVELOPE_PREFIX
from agent.link.packing import pack_body, seal
from collector.log.tables import envelopes, losses, schemas


def series(host: str, name: str = "node_load1", **labels: str) -> bytes:
    return make_schema((Series(host, name, 0, tuple(labels.items())),), ()).packed


def with_schema(sender: Sender, packed: bytes) -> bytes:
    """An honest report that also carries this schema."""
    own = schema_of(sender.host)
    return sender.envelope([sender.sample(own, [1.0], NOW_MS)], [own.packed, packed])


def with_body(sender: Sender, body: bytes) -> bytes:
    """Any body, rightly signed."""
    return seal(sender.agent_id, 1, sender.epoch, [1], body, sender.key.sign)


def broken(sender: Sender, what: Callable[[bytes, bytes, bytes], list[bytes]]) -> bytes:
    header = encode((1, sender.agent_id, 1, sender.epoch, 1, 1))
    body = pack_body([], [sender.sample(schema_of(sender.host), [1.0], NOW_MS)], [])
    return encode(what(header, sender.key.sign(ENVELOPE_PREFIX + header + body), body))


def forged(sender: Sender) -> bytes:
    return Sender(sender.host, sender.agent_id, new_key()).report(NOW_MS)


def wrong_key_number(sender: Sender) -> bytes:
    return Sender(sender.host, sender.agent_id, sender.key, key_no=2).report(NOW_MS)


def many_series(sender: Sender) -> bytes:
    columns = tuple(Series(sender.host, f"m{n}", 0, ()) for n in range(100_000))
    return with_schema(sender, make_schema(columns, ()).packed)


def two_records_one_number(sender: Sender) -> bytes:
    change = state_record(1, NOW_MS, 0, StateChange(sender.host, "cpu", 2, 0, ""))
    return sender.envelope([sender.sample(schema_of(sender.host), [1.0], NOW_MS)], [], [change])


def foreign_state(sender: Sender) -> bytes:
    sender.seq += 1
    return sender.envelope([], [], [state_record(sender.seq, NOW_MS, 0, StateChange("other.abuja", "cpu", 2, 0, ""))])


def twice(sender: Sender, one: dict[str, str], other: dict[str, str]) -> bytes:
    """The same series to whoever reads the exposition, written in two ways."""
    columns = tuple(Series(sender.host, "node_load1", 0, tuple(labels.items())) for labels in (one, other))
    return with_schema(sender, make_schema(columns, ()).packed)


def state_of_check(sender: Sender, check: str) -> bytes:
    sender.seq += 1
    return sender.envelope([], [], [state_record(sender.seq, NOW_MS, 0, StateChange(sender.host, check, 2, 0, ""))])


def number_outside(sender: Sender) -> bytes:
    schema = schema_of(sender.host)
    sender.seq = 6
    body = pack_body([schema.packed], [sender.sample(schema, [1.0], NOW_MS)], [])
    return seal(sender.agent_id, 1, sender.epoch, [1, 2], body, sender.key.sign)


CASES: dict[str, tuple[Callable[[Sender], bytes], str, str]] = {
    "signed by another key": (forged, "drop", "bad_signature"),
    "wrong key number": (wrong_key_number, "hold", "unknown_key"),
    "nobody enrolled": (lambda s: Sender(s.host).report(NOW_MS), "hold", "unknown_agent"),
    "header of 10 MB": (lambda s: broken(s, lambda h, g, b: [h + b"\0" * 10_000_000, g, b]), "drop", "too_large"),
    "header cut": (lambda s: broken(s, lambda h, g, b: [h[:-1], g, b]), "drop", "malformed"),
    "header with more behind": (lambda s: broken(s, lambda h, g, b: [h + b"\xc0", g, b]), "drop", "malformed"),
    "body cut": (lambda s: broken(s, lambda h, g, b: [h, g, b[:-3]]), "drop", "bad_signature"),
    "four parts": (lambda s: broken(s, lambda h, g, b: [h, g, b, b"x"]), "drop", "malformed"),
    "signature of 3 bytes": (lambda s: broken(s, lambda h, g, b: [h, b"abc", b]), "drop", "bad_signature"),
    "frame cut": (lambda s: with_body(s, zstd.compress(os.urandom(4000))[:-50]), "drop", "malformed"),
    "two frames": (lambda s: with_body(s, zstd.compress(b"a") + zstd.compress(b"b")), "drop", "malformed"),
    "no zstd": (lambda s: with_body(s, b"plain text"), "drop", "malformed"),
    "decompression bomb": (lambda s: with_body(s, zstd.compress(b"\0" * (200 << 20))), "drop", "too_large"),
    "body over 4 MiB": (lambda s: with_body(s, random.Random(1).randbytes((4 << 20) + 1)), "drop", "too_large"),
    "body of junk": (lambda s: with_body(s, zstd.compress(b"\xc1junk")), "drop", "malformed"),
    "body nested deep": (
        lambda s: with_body(s, zstd.compress(b"\x93\x90\x90\x91" + b"\x91" * 100_000)),
        "drop",
        "malformed",
    ),
    "number outside the header": (number_outside, "drop", "malformed"),
    "two records, one number": (two_records_one_number, "drop", "malformed"),
    "label site": (lambda s: with_schema(s, series(s.host, site="abuja")), "drop", "bad_labels"),
    "label hub": (lambda s: with_schema(s, series(s.host, hub="mea")), "drop", "bad_labels"),
    "label agency": (lambda s: with_schema(s, series(s.host, agency="for")), "drop", "bad_labels"),
    "label instance": (lambda s: with_schema(s, series(s.host, instance="x")), "drop", "bad_labels"),
    "label __name__": (lambda s: with_schema(s, series(s.host, __name__="x")), "drop", "bad_labels"),
    "label with a dash": (lambda s: with_schema(s, series(s.host, **{"a-b": "x"})), "drop", "bad_labels"),
    "label name of 129": (lambda s: with_schema(s, series(s.host, **{"a" * 129: "x"})), "drop", "bad_labels"),
    "label value of 257 bytes": (lambda s: with_schema(s, series(s.host, a="한" * 85 + "xy")), "drop", "bad_labels"),
    "NUL in a label value": (lambda s: with_schema(s, series(s.host, a="x\0y")), "drop", "bad_labels"),
    "NUL in a check's name": (
        lambda s: with_schema(s, make_schema((), ((s.host, "c\0"),)).packed),
        "drop",
        "bad_labels",
    ),
    "NUL in a state's check": (lambda s: state_of_check(s, "c\0"), "drop", "bad_labels"),
    "state of a check with a name of 300 bytes": (lambda s: state_of_check(s, "한" * 100), "drop", "bad_labels"),
    "one series, labels in another order": (
        lambda s: twice(s, {"a": "1", "b": "2"}, {"b": "2", "a": "1"}),
        "drop",
        "bad_labels",
    ),
    "one series, a label without a value": (lambda s: twice(s, {"a": ""}, {}), "drop", "bad_labels"),
    "31 labels": (lambda s: with_schema(s, series(s.host, **{f"l{n}": "x" for n in range(31)})), "drop", "bad_labels"),
    "name bongsu_x": (lambda s: with_schema(s, series(s.host, "bongsu_x")), "drop", "bad_labels"),
    "name up": (lambda s: with_schema(s, series(s.host, "up")), "drop", "bad_labels"),
    "name ALERTS": (lambda s: with_schema(s, series(s.host, "ALERTS")), "drop", "bad_labels"),
    "name ALERTS_FOR_STATE": (lambda s: with_schema(s, series(s.host, "ALERTS_FOR_STATE")), "drop", "bad_labels"),
    "name scrape_x": (lambda s: with_schema(s, series(s.host, "scrape_x")), "drop", "bad_labels"),
    "name __x": (lambda s: with_schema(s, series(s.host, "__x")), "drop", "bad_labels"),
    "name with a space": (lambda s: with_schema(s, series(s.host, "a b")), "drop", "bad_labels"),
    "host of another agent": (lambda s: with_schema(s, series("other.abuja")), "drop", "bad_labels"),
    "state of another host": (foreign_state, "drop", "bad_labels"),
    "100,000 series": (many_series, "drop", "too_large"),
}


@pytest.mark.parametrize(("make", "action", "code"), CASES.values(), ids=CASES.keys())
def test_refused_whole_counted_and_without_a_trace(
    centre: Centre, make: Callable[[Sender], bytes], action: str, code: str
) -> None:
    centre.enrolled("other")
    sender = centre.enrolled()
    before = sum(count for (_, counted), count in centre.intake.refusals.items() if counted == code)

    answer = centre.answer(request(make(sender)))

    assert [(r.index, r.action, r.code) for r in answer.envelopes] == [(0, action, code)]
    assert len(answer.envelopes[0].text) > 20
    assert all(not agent.held and not agent.receipt for agent in answer.agents)
    assert sum(count for (_, counted), count in centre.intake.refusals.items() if counted == code) == before + 1
    with centre.store.reading() as connection:
        for table in (envelopes, losses, schemas):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
    assert not centre.live.hosts


def test_a_refused_envelope_does_not_stop_its_neighbours(centre: Centre) -> None:
    one, two = centre.enrolled("one"), centre.enrolled("two")
    answer = centre.answer(request(one.report(NOW_MS), forged(one), two.report(NOW_MS)))
    assert [(r.index, r.code) for r in answer.envelopes] == [(1, "bad_signature")]
    assert sorted(agent.agent for agent in answer.agents) == sorted([one.agent_id.hex(), two.agent_id.hex()])


def test_believed_refusals_name_the_numbers(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS)))
    answer = centre.answer(request(with_schema(sender, series(sender.host, site="x"))))
    refusal = answer.agents[0].refused[0]
    assert (refusal.seqs, refusal.action, refusal.code) == ([(2, 2)], "drop", "bad_labels")
    assert answer.agents[0].held == [(1, 1)]


@pytest.mark.parametrize("status", ["suspended", "revoked"])
def test_a_status_set_by_another_process_holds_for_the_next_request(centre: Centre, status: str) -> None:
    sender = centre.enrolled()
    assert not centre.answer(request(sender.report(NOW_MS))).envelopes
    centre.set_status(sender, status)
    refusals = centre.answer(request(sender.report(NOW_MS))).envelopes
    assert [(r.action, r.code) for r in refusals] == [("hold", status)]
    centre.set_status(sender, "active")
    assert not centre.answer(request(sender.report(NOW_MS))).envelopes


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"GET / HTTP/1.1", 400, "malformed"),
        (b"\xc1", 400, "malformed"),
        (encode([]) + b"\xc0", 400, "malformed"),
        (b"\xdd\xff\xff\xff\xff", 400, "malformed"),
        (encode([b""] * 1001), 413, "too_large"),
        (b"\xc4" * ((16 << 20) + 1), 413, "too_large"),
    ],
)
def test_a_request_that_is_none_is_told_so(centre: Centre, body: bytes, status: int, code: str) -> None:
    got, kind, text = centre.post(body)
    assert (got, kind, problem(text)["code"]) == (status, "application/problem+json", code)
    assert centre.intake.refusals["", code] == 1


def test_an_empty_request_learns_the_time_and_a_nonce(centre: Centre) -> None:
    answer: Answer = centre.answer(encode([]))
    assert answer.now_ms == NOW_MS
    assert answer.nonce
    assert answer.receiver.role == "centre"


def test_a_bomb_costs_no_memory(centre: Centre) -> None:
    import tracemalloc

    body = with_body(centre.enrolled(), zstd.compress(b"\0" * (512 << 20)))
    tracemalloc.start()
    centre.answer(request(body))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160 << 20
