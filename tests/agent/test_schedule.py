from __future__ import annotations

from agent.schedule import Beat


def test_the_first_is_at_once_then_each_at_the_agents_own_phase():
    beat = Beat(15.0, b"some agent")
    assert beat.is_due(1234.5)
    due = [beat.next_after(1234.5)]
    for _ in range(5):
        due.append(beat.next_after(due[-1]))
    assert 7.5 <= due[0] - 1234.5 <= 22.5
    assert all(abs(later - due[0] - 15.0 * n) < 1e-6 for n, later in enumerate(due))
    assert not beat.is_due(due[-1] - 0.1)
    assert beat.is_due(due[-1])


def test_what_was_slept_through_is_left_out():
    beat = Beat(15.0, b"some agent")
    first = beat.next_after(0.0)
    late = beat.next_after(first + 1000.0)
    assert 7.5 <= late - (first + 1000.0) <= 22.5


def test_agents_are_spread_over_the_interval():
    phases = [Beat(60.0, b"%d" % n).next_after(0.0) % 60.0 for n in range(600)]
    assert all(40 < sum(start <= phase < start + 10 for phase in phases) < 170 for start in range(0, 60, 10))
