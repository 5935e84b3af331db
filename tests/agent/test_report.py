"""Results of a host to a schema and its values: reused while nothing changes, states told when they change."""

from __future__ import annotations

import struct

from agent.checks.base import State, gauge
from agent.link.model import ABSENT
from agent.report import HostReports


def values(packed: bytes) -> list[float]:
    return [number for (number,) in struct.iter_unpack("<d", packed)]


def test_the_schema_is_the_same_object_while_the_series_are():
    reports = HostReports("srv1.local", "full")
    one = reports.make([gauge("node_load1", 1.0), gauge("x", 3.0, a="b")], [State("load", 0, "")])
    two = reports.make([gauge("node_load1", 3.0), gauge("x", 4.0, a="b")], [State("load", 2, "busy")])
    assert one.schema is two.schema
    assert [(s.host, s.name, s.labels) for s in one.schema.series] == [
        ("srv1.local", "node_load1", ()),
        ("srv1.local", "x", (("a", "b"),)),
    ]
    assert one.schema.checks == (("srv1.local", "load"),)
    assert (values(one.values), values(two.values)) == ([1, 3, 0], [3, 4, 2])
    three = reports.make([gauge("node_load1", 3.0), gauge("y", 1.0)], [State("load", 0, "")])
    assert three.schema.hash != one.schema.hash
    assert values(three.values) == [3, 1, 0]


def test_what_is_missing_for_a_while_is_absent_under_the_same_schema():
    """A probe that fails says less than one that succeeds; its turns send no schema."""
    reports = HostReports("srv1.local", "standard")
    hidden = gauge("node_softnet_processed_total", 2.0, cpu="0")  # not in this profile
    whole = [hidden, gauge("probe_success", 1.0), gauge("probe_http_status_code", 200.0), gauge("a", 1.0)]
    failed = [gauge("probe_success", 0.0), gauge("a", 2.0)]
    check = [State("probe:x", 0, "")]
    first = reports.make(whole, check)
    for at in range(3):
        turn = reports.make(failed, check)
        assert turn.schema is first.schema
        words = [turn.values[8 * column : 8 * column + 8] for column in range(3)]
        said = {series.name: word for series, word in zip(turn.schema.series, words, strict=True)}
        assert said["probe_http_status_code"] == ABSENT
        assert (values(said["probe_success"]), values(said["a"])) == ([0], [2])
        again = reports.make(whole, check)
        assert (again.schema, again.values) == (first.schema, first.values), at
    few = reports.make([gauge("a", 3.0)], check)
    assert [series.name for series in few.schema.series] == ["a"], "of a schema most of which is gone nothing is kept"
    assert reports.make(failed, check).schema is not few.schema, "a new name is a new schema"
    other = reports.make(whole, [*check, State("load", 0, "")])
    assert [check for _, check in other.schema.checks] == ["probe:x", "load"]
    reports.follow("full")
    assert len(reports.make(whole, check).schema.series) == 4


def test_only_changes_are_news_and_a_first_ok_is_none():
    reports = HostReports("srv1.local", "full")
    assert reports.make([], [State("a", 0, ""), State("b", 2, "down")]).changes == [("srv1.local", "b", 2, -1, "down")]
    assert reports.make([], [State("a", 0, ""), State("b", 2, "down")]).changes == []
    assert reports.judge([State("a", 1, "slow")]) == [("srv1.local", "a", 1, 0, "slow")]
    assert reports.make([], [State("a", 1, "slow"), State("b", 0, "")]).changes == [("srv1.local", "b", 0, 2, "")]


def test_the_profile_decides_what_travels():
    samples = [gauge("node_load1", 1.0), gauge("node_softnet_processed_total", 2.0, cpu="0")]
    assert [s.name for s in HostReports("h.x", "core").make(samples, []).schema.series] == ["node_load1"]
    assert len(HostReports("h.x", "full").make(samples, []).schema.series) == 2


def test_a_series_said_twice_a_long_label_and_a_flood_stay_within_limits():
    samples = [gauge("x", 1.0, a="b"), gauge("x", 2.0, a="b"), gauge("y", 3.0, a="가" * 200, empty="")]
    made = HostReports("h.x", "full").make(samples, [])
    assert values(made.values) == [1, 3]
    ((_, text),) = made.schema.series[1].labels
    assert len(text.encode()) <= 256
    flood = [gauge("z", float(n), n=str(n)) for n in range(6_000)]
    made = HostReports("h.x", "full").make(flood, [])
    assert len(made.schema.series) == 5_000
    assert made.changes[0].check == "series_limit"


def test_the_version_is_the_installed_one():
    from importlib.metadata import version as installed

    from agent.selfmetrics import version

    assert version() == installed("bongsu")
