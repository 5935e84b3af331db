"""What an enrolled but hostile agent can make grow, and where that ends."""

from __future__ import annotations

import gc
import os

import pytest
from centre import NOW_MS, Centre, problem
from sender import Sender, request, schema_of

from agent.link.model import Series, make_schema
from agent.link.wire import pack_body, seal
from collector.intake import http, layouts
from collector.live import shape
from collector.live.shape import Shape


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


def test_types_of_names_that_nobody_sends_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "TYPES_KEPT", 10)
    shapes = shape.Shapes()
    shapes._most_types = 10
    kept = shapes.layout(make_schema((Series("h", "kept", 0, ()),), ()))
    for turn in range(100):
        shapes.layout(make_schema(tuple(Series("h", f"m{turn}_{n}", 0, ()) for n in range(5)), ()))
        gc.collect()
    assert len(shapes._types) < 30
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
