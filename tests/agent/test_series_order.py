"""The order of series in a report: small numbers first, learned once, the same after a restart."""

from __future__ import annotations

import pytest

from agent.checks.base import Sample, State, gauge
from agent.report import HostReports
from agent.series_order import FOLDER, LastSchema, ordered


def names(reports: HostReports, samples: list[Sample]) -> list[str]:
    return [series.name for series in reports.make(samples, []).schema.series]


def samples(**values: float | None) -> list[Sample]:
    return [gauge(name, value) for name, value in values.items()]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 3.0, 0.0, 1e6 + 1, 2.0], [2, 4, 1, 3, 0]),  # nothing, powers of two, whole numbers, fractions
        ([5.0, 0.0, 5.0], [1, 0, 2]),  # alike: as the checks said them
        ([0.1, None, 0.0, float("nan")], [2, 3, 0, 1]),
        ([], []),
    ],
)
def test_what_has_few_bytes_stands_first(values, expected):
    assert ordered([(at, (f"s{at}", ()), value) for at, value in enumerate(values)], None) == expected


def test_the_order_stays_while_the_agent_runs_and_newcomers_stand_behind():
    reports = HostReports("srv1.x", "full")
    assert names(reports, samples(a=7.5, b=0.0)) == ["b", "a"]
    assert names(reports, samples(a=0.0, b=7.5)) == ["b", "a"]
    assert names(reports, samples(new=0.0, a=0.0, b=7.5)) == ["b", "a", "new"]
    assert names(reports, samples(new=0.0, b=7.5)) == ["b", "a", "new"], "what is missing for a while keeps its place"
    assert names(reports, samples(newer=0.0, b=7.5)) == ["b", "newer"]


def test_a_restart_goes_on_under_the_same_schema_whatever_the_numbers_are_by_then(tmp_path):
    before = HostReports("srv1.x", "full", LastSchema(tmp_path, "srv1.x"))
    first = before.make([gauge("a", 0.0, disk="sda", empty=""), gauge("b", 3.5), gauge("c", 2.0)], [State("x", 0, "")])
    after = HostReports("srv1.x", "full", LastSchema(tmp_path, "srv1.x"))
    second = after.make([gauge("a", 9.5, disk="sda", empty=""), gauge("b", 0.0), gauge("c", 0.1)], [State("x", 2, "")])
    assert second.schema.hash == first.schema.hash


def test_without_the_file_or_with_a_damaged_one_the_order_is_learned_anew(tmp_path):
    last = LastSchema(tmp_path, "srv1.x")
    assert last.read() is None
    HostReports("srv1.x", "full", last).make(samples(a=0.0, b=7.5), [])
    file = tmp_path / FOLDER / "srv1.x.msgpack"
    file.write_bytes(file.read_bytes()[:-3])
    assert last.read() is None
    assert names(HostReports("srv1.x", "full", last), samples(a=7.5, b=0.0)) == ["b", "a"]


def test_a_folder_that_cannot_be_written_costs_the_order_and_no_report(tmp_path):
    (tmp_path / FOLDER).write_text("in the way")
    reports = HostReports("srv1.x", "full", LastSchema(tmp_path, "srv1.x"))
    assert names(reports, samples(a=7.5, b=0.0)) == ["b", "a"]
