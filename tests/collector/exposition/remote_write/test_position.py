"""Which rows are next: newest first or oldest first, parked ones and late ones later, nothing twice."""

from __future__ import annotations

from collector.exposition.remote_write.position import LOOK_AGAIN_SECONDS, SETTLE_SECONDS, Position


def test_a_new_destination_lacks_everything() -> None:
    position = Position()
    assert position.pending(newest_first=True) == []
    position.look(5, 0.0)
    assert position.pending(newest_first=True) == [(1, 5)]
    assert position.count == 5


def test_new_rows_go_first_or_last() -> None:
    position = Position([(4, 6)])
    position.look(9, 0.0)
    assert position.pending(newest_first=True) == [(7, 9), (1, 3)]
    assert position.pending(newest_first=False) == [(1, 3), (7, 9)]
    position.finish([8, 9])
    assert position.pending(newest_first=True) == [(7, 7), (1, 3)]
    assert position.is_changed


def test_what_waits_is_left_alone_and_looked_at_again() -> None:
    position = Position()
    position.look(3, 0.0)
    position.wait([2])
    assert position.pending(newest_first=False) == [(1, 1), (3, 3)]
    assert position.count == 3
    position.look(3, LOOK_AGAIN_SECONDS - 1)
    assert position.pending(newest_first=False) == [(1, 1), (3, 3)]
    position.look(3, LOOK_AGAIN_SECONDS)
    assert position.pending(newest_first=False) == [(1, 3)]


def test_an_id_that_is_not_there_may_come_late_and_is_given_up_at_last() -> None:
    position = Position()
    position.look(4, 0.0)
    position.missing(1, 4, [1, 4])
    position.finish([1, 4])
    assert position.pending(newest_first=False) == []
    assert position.done.as_lists() == [[1, 1], [4, 4]]
    at = 0.0
    while at < SETTLE_SECONDS + 60:
        at += 30
        position.look(9, at)
    assert position.pending(newest_first=False) == [(2, 3), (5, 9)]
    position.missing(2, 3, [])
    assert position.done.as_lists() == [[1, 4]]
    position.look(20, at + 1)
    position.missing(10, 20, [])
    assert 20 not in position.done


def test_what_retention_took_before_the_destination_was_named_is_not_pending() -> None:
    position = Position()
    position.begin_at(1000)
    position.look(1004, 0.0)
    assert position.pending(newest_first=False) == [(1000, 1004)]
    assert position.is_changed
    same = Position(position.done)
    same.begin_at(500)
    assert not same.is_changed
