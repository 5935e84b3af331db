"""One skeleton for all machines of one kind, whatever order their agents put the series in."""

from __future__ import annotations

import numpy as np

from agent.link.model import Series, make_schema
from collector.live.shape import Shapes

SERIES = (("b", (("cpu", "0"),)), ("b", (("cpu", "1"),)), ("a", ()))


def schema(host: str, order: tuple[int, ...]):
    return make_schema(tuple(Series(host, SERIES[at][0], 0, SERIES[at][1]) for at in order), ())


def test_hosts_with_the_same_series_in_another_order_share_a_shape():
    shapes = Shapes()
    (one,) = shapes.layout(schema("srv1.x", (0, 1, 2))).hosts
    (other,) = shapes.layout(schema("srv2.x", (2, 1, 0))).hosts
    assert one.shape is other.shape
    assert one.shape.names == ("a", "b", "b")
    assert np.array([10, 11, 12])[one.columns].tolist() == [12, 10, 11]
    assert np.array([12, 11, 10])[other.columns].tolist() == [12, 10, 11]
