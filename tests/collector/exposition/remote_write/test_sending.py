"""Halving until the bad samples are alone, against a store that is nothing but a rule about samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from collector.exposition.remote_write.batch import Batch, Piece
from collector.exposition.remote_write.sending import Sending

SERIES = 10


def batch_of(instants: int, hosts: int = 2) -> Batch:
    """Each host has ``SERIES`` series at each instant; sample i has time i // (hosts * SERIES)."""
    count = instants * hosts * SERIES
    numbers = np.arange(count) % (hosts * SERIES)
    times = np.arange(count) // (hosts * SERIES)
    return Batch([b""] * (hosts * SERIES), numbers, numbers // SERIES, times, np.zeros(count, np.uint64))


def run(sending: Sending, answer: Callable[[set[int]], str], window: int | None = None) -> tuple[set[int], int]:
    """(samples the store took, requests); ``answer`` is "", a known reason, or "?". Ends too where all is put off."""
    stored: set[int] = set()
    requests = 0
    while (piece := sending.next) is not None:
        requests += 1
        samples = set(range(piece.first, piece.end))
        said = answer(samples)
        if not said:
            assert not samples & stored, "sent twice"
            stored |= samples
            sending.taken()
        elif said == "?":
            if not sending.doubted():
                break
        else:
            sending.refused(said, window)
    return stored, requests


def whole(batch: Batch, size: int = 1000) -> Sending:
    return Sending(batch, batch.pieces(size, 1 << 30))


def test_everything_passes_in_as_many_requests_as_pieces() -> None:
    sending = whole(batch_of(10), 50)
    stored, requests = run(sending, lambda _: "")
    assert (len(stored), requests) == (200, 4)
    assert sending.results == {"sent": 200}


@pytest.mark.parametrize("reason", ["duplicate", "invalid", "?"])
@pytest.mark.parametrize("bad", [{0}, {199}, {77}, {3, 100, 101}, set(range(10)), set(range(40, 60))])
def test_bad_samples_are_dropped_alone(reason: str, bad: set[int]) -> None:
    sending = whole(batch_of(10), 100)
    stored, requests = run(sending, lambda samples: reason if samples & bad else "")
    assert stored == set(range(200)) - bad
    assert sending.results == {"sent": 200 - len(bad), "refused" if reason == "?" else reason: len(bad)}
    assert min(sending.examples.values()) == min(bad)
    assert requests <= 2 + 2 * 8 * len(bad)


def test_what_is_too_old_goes_a_report_at_a_time() -> None:
    batch = batch_of(16)
    sending = whole(batch)
    stored, requests = run(sending, lambda samples: "out_of_order" if min(samples) < 100 else "")
    assert stored == set(range(100, 320))
    assert sending.results == {"sent": 220, "out_of_order": 100}
    assert requests < 40


def test_a_window_saves_the_halving() -> None:
    sending = whole(batch_of(16))
    stored, requests = run(sending, lambda samples: "too_old" if min(samples) < 100 else "", window=5)
    assert (stored, requests) == (set(range(100, 320)), 2)


def test_a_window_too_wide_is_halved_beyond() -> None:
    sending = whole(batch_of(16))
    stored, _ = run(sending, lambda samples: "too_old" if min(samples) < 100 else "", window=2)
    assert stored == set(range(100, 320))
    assert sending.results == {"sent": 220, "too_old": 100}


def test_one_bad_series_of_a_host_costs_that_report_no_other() -> None:
    """One series out of order drops its host's report of that instant: what is said of age holds for reports."""
    sending = whole(batch_of(4))
    stored, _ = run(sending, lambda samples: "out_of_order" if 45 in samples else "")
    assert set(range(80)) - stored == set(range(40, 50))


def test_who_refuses_everything_in_unknown_words_gets_nothing_dropped() -> None:
    sending = whole(batch_of(10), 100)
    stored, requests = run(sending, lambda _: "?")
    assert stored == set()
    assert not sending.results
    assert requests < 30
    assert sending.next == Piece(0, 100), "all of it again"
    stored, _ = run(sending, lambda _: "")
    assert len(stored) == 200


def test_who_begins_to_refuse_in_the_middle_gets_no_later_piece_dropped() -> None:
    sending = whole(batch_of(10), 100)
    first = sending.next
    sending.taken()
    assert first == Piece(0, 100)
    run(sending, lambda _: "?")
    assert sending.results == {"sent": 100}
    assert sending.next == Piece(100, 200)


def test_one_sample_alone_is_never_dropped_for_unknown_words() -> None:
    sending = Sending(batch_of(1), [Piece(0, 1)])
    assert not sending.doubted()
    assert sending.next == Piece(0, 1)
