"""Windows as rows, which of them hold now, and what somebody should know before agreeing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stage import START, TOPOLOGY

from collector.fleet.registry import read_fleet
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.maintenance.occurrence import Repeat, Schedule
from collector.maintenance.queries import Windows, add_window, end_window, find_window, list_windows
from collector.maintenance.warning import warnings_of
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_window_comes_back_holds_and_ends(store: Store) -> None:
    schedule = Schedule(
        "Africa/Lagos", wall("2026-11-22T09:00"), 60, Repeat("week", ("sun",), wall("2027-01-01").date())
    )
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
        number = add_window(
            connection, "router", "planned", [("site", "here"), ("system", "portal")], schedule, None, START, "kim"
        )
        fleet = read_fleet(connection, 1)
        assert find_window(connection, fleet, Scope(frozenset({"stranger"})), number) is None
        (row,) = list_windows(connection, fleet, EVERYTHING)
    assert (row.id, row.subjects, row.schedule) == (number, (("site", "here"), ("system", "portal")), schedule)
    windows = Windows(store)
    assert windows.active(START - timedelta(seconds=1)) == {}  # 08:00 UTC is 09:00 in Lagos
    assert {subject: found.id for subject, found in windows.active(START).items()} == dict.fromkeys(
        row.subjects, number
    )
    assert windows.active(START + timedelta(minutes=60)) == {}
    assert windows.active(START + timedelta(days=7)) != {}
    with store.transaction() as connection:
        end_window(connection, number, START + timedelta(minutes=10))
    windows.changed()
    assert windows.active(START + timedelta(minutes=9)) != {}
    assert windows.active(START + timedelta(minutes=10)) == {}


def test_headquarters_night_is_somebody_s_working_day(store: Store) -> None:
    """Work agreed for the night in Seoul runs through office hours elsewhere, and nobody there was told."""
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
        fleet = read_fleet(connection, 1)
    schedule = Schedule("Asia/Seoul", wall("2026-11-24T18:00"), 120)
    subjects = [("system", "portal")]
    found = warnings_of(schedule, subjects, fleet, START, is_told=False)
    assert [(warning.code, warning.site) for warning in found] == [
        ("business_hours", "here"),
        ("not_told", "here"),
        ("not_told", "there"),
    ]
    assert found[0].began_at == datetime(2026, 11, 24, 9, tzinfo=UTC), "10:00 in Lagos"
    assert [w.code for w in warnings_of(schedule, subjects, fleet, START, is_told=True)] == ["business_hours"]
    sunday = Schedule("Asia/Seoul", wall("2026-11-29T18:00"), 120)
    assert warnings_of(sunday, subjects, fleet, START, is_told=True) == []
    assert [w.code for w in warnings_of(sunday, [("site", "nowhere")], fleet, START, is_told=True)] == ["no_site"]
