"""What an enrolled but hostile agent can make grow, and where that ends."""

from __future__ import annotations

import asyncio
import gc
import os

import pytest
from centre import NOW_MS, Centre, problem
from sender import Sender, request, schema_of

from agent.link.model import Series, StateChange, make_schema, state_record
from agent.link.packing import pack_body, seal
from collector.intake import batch, http, layouts
from collector.intake.body import SMALL_BYTES, BodyError, Room, read_body
from collector.live import board, shape
from collector.live.shape import Shape
from collector.log import positions


def invented(sender: Sender, turn: int, count: int = 500) -> bytes:
    """A report of series nobody has sent before."""
    columns = tuple(Series(sender.host, f"m{turn}_{n}", 0, ((f"l{turn}", str(n)),)) for n in range(count))
    schema = make_schema(columns, ())
    return request(sender.envelope([sender.sample(schema, [1.0] * count, NOW_MS)], [schema.packed]))


def shapes_alive() -> int:
    gc.collect()
    return sum(isinstance(each, Shape) for each in gc.get_objects())


def test_shapes_that_nobody_uses_are_forgotten(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "KEPT", 2)
    monkeypatch.setattr(shape, "LABELS_SHARED", 1_000)
    sender = centre.enrolled()
    before = shapes_alive()
    for turn in range(20):
        assert not centre.answer(invented(sender, turn)).envelopes
    assert shapes_alive() - before <= 6


def test_layouts_are_kept_by_their_width(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.admission._layouts._limits = centre.limits._replace(series_per_agent=1_000)
    before = shapes_alive()
    for turn in range(20):
        assert not centre.answer(invented(sender, turn)).envelopes
    assert shapes_alive() - before <= 5


@pytest.mark.slow
def test_types_of_names_that_nobody_sends_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "TYPES_KEPT", 10)
    shapes = shape.Shapes()
    shapes._most_types = 10
    kept = shapes.layout(make_schema((Series("h", "kept", 0, ()),), ()))
    for turn in range(12):
        shapes.layout(make_schema(tuple(Series("h", f"m{turn}_{n}", 0, ()) for n in range(5)), ()))
        gc.collect()
    assert len(shapes._types.keys() - shape.KNOWN_TYPES.keys()) < 30 < 5 * 12
    assert kept.hosts[0].shape.names == ("kept",)
    assert shapes.layout(make_schema((Series("h", "kept", 1, ()),), ())).refused == 1


def test_a_request_holds_so_many_records(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_RECORDS", 3)
    sender = centre.enrolled()
    status, _, body = centre.post(request(*(sender.report(NOW_MS) for _ in range(4))))
    assert (status, problem(body)["code"]) == (413, "too_large")
    assert not centre.live.hosts, "nothing of it was kept"
    assert centre.intake.refusals["", "too_large"] == 1


def test_a_request_holds_so_much_unpacked(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_COLUMN_BYTES", 16)
    sender = centre.enrolled()
    assert centre.post(request(*(sender.report(NOW_MS) for _ in range(3))))[0] == 413


def test_an_envelope_asks_for_so_many_schemas(centre: Centre) -> None:
    sender = centre.enrolled()
    samples = []
    for _ in range(1_001):
        sample = sender.sample(schema_of(sender.host), [1.0], NOW_MS)
        samples.append(sample._replace(schema_hash=os.urandom(16)))
    body = pack_body([], samples, [])
    packed = seal(sender.agent_id, 1, sender.epoch, [1, 1_001], body, sender.key.sign)
    assert [r.code for r in centre.answer(request(packed)).envelopes] == ["too_large"]


def test_an_agent_that_is_gone_is_forgotten(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS)))
    centre.admission.forget(frozenset({sender.agent_id}))
    assert centre.admission._layouts._agents
    centre.admission.forget(frozenset())
    assert not centre.admission._layouts._agents


def test_an_agent_begins_so_many_epochs(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "EPOCHS_KEPT", 3)
    sender, other = centre.enrolled(), centre.enrolled("other")
    bodies = []
    for _ in range(4):
        sender.epoch, sender.seq = os.urandom(8), 0
        bodies.append(request(sender.report(NOW_MS)))
    assert [len(centre.answer(body).envelopes) for body in bodies] == [0, 0, 0, 1]
    for begins_again in (False, True):
        if begins_again:
            centre.stop()
            centre.start()
        (refusal,) = centre.answer(bodies[3]).envelopes
        assert (refusal.action, refusal.code) == ("hold", "too_large"), "kept by the agent, and seen"
        assert not centre.answer(bodies[0]).envelopes
        assert not centre.answer(request(other.report(NOW_MS))).envelopes


def test_numbers_with_too_many_gaps_are_spent(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "RANGES_KEPT", 5)
    sender = centre.enrolled()
    refusals = []
    for _ in range(8):
        sender.seq += 1
        refusals += centre.answer(request(sender.report(NOW_MS))).envelopes
    assert {(r.action, r.code) for r in refusals} == {("renew", "too_large")}
    sender.epoch, sender.seq = os.urandom(8), 0
    assert not centre.answer(request(sender.report(NOW_MS))).envelopes


def test_many_ranges_are_answered_with_those_asked_about() -> None:
    position = positions.Position(0, 0)
    for seq in range(1, 40_000, 2):
        position.hold(seq, b"x" * 16)
    position.lose(2, 2)
    answered = position.answered(range(1, 20_000))
    assert answered[0] == (1, 3)
    assert answered[1] == (5, 5)
    assert len(answered) == 10_000 - 1 + positions.ANSWERED_RANGES
    assert position.answered([10**9]) == [(seq, seq) for seq in range(40_001 - 128, 40_000, 2)]


def test_states_of_checks_that_no_sample_names_are_few(centre: Centre) -> None:
    sender = centre.enrolled()
    centre.answer(request(sender.report(NOW_MS)))
    for _ in range(3):
        changes = []
        for _ in range(500):
            sender.seq += 1
            change = StateChange(sender.host, f"check{sender.seq}", 2, 0, "")
            changes.append(state_record(sender.seq, NOW_MS, 0, change))
        assert not centre.answer(request(sender.envelope([], [], changes))).envelopes
    assert len(centre.live.hosts[sender.host].checks) == 1_000
    assert centre.live.reports["abuja", "refused"] == 500


def test_epochs_are_ordered_within_bounds(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "EPOCHS_ORDERED", 3)
    sender = centre.enrolled()
    for turn in range(5):
        sender.epoch, sender.seq = os.urandom(8), 0
        centre.answer(request(sender.report(NOW_MS, value=float(turn))))
    assert len(centre.live._epochs[sender.agent_id]) == 3
    assert centre.live.hosts[sender.host].value("node_load1") == 4.0


def test_bodies_that_are_still_coming_have_so_much_room() -> None:
    room = Room(limit_bytes=3 << 20)
    small, large = b"x" * SMALL_BYTES, b"x" * (4 << 20)

    async def read(body: bytes) -> int | bytes:
        parts = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        try:
            return await read_body(receive, 16 << 20, room)
        except BodyError as why:
            return why.status

    assert asyncio.run(read(large)) == 503
    assert asyncio.run(read(large[: 3 << 20])) == large[: 3 << 20], "what was turned away left its room"
    room.take(3 << 20, 1)
    assert asyncio.run(read(large)) == 503
    assert asyncio.run(read(small)) == small, "an ordinary report is always read"
