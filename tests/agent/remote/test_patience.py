"""When a host is given up and when it is tried again."""

from __future__ import annotations

from agent.remote.patience import Patience


def test_back_off_doubles_to_a_minute_and_an_answer_ends_it() -> None:
    patience = Patience()
    now, waits = 0.0, []
    assert patience.wait_seconds(now) == 0
    for _ in range(6):
        patience.failed(now, "refused")
        waits.append(patience.wait_seconds(now))
        patience.failed(now + 1, "another reason")  # a second cause while waiting neither lengthens nor renames it
        assert patience.why == "refused"
        now += waits[-1]
    assert waits == [5, 10, 20, 40, 60, 60]
    patience.answered()
    patience.failed(now, "again")
    assert patience.wait_seconds(now) == 5


def test_two_unanswered_questions_in_a_row_give_up() -> None:
    patience = Patience()
    assert not patience.unanswered()
    patience.answered()
    assert not patience.unanswered()
    assert patience.unanswered()
