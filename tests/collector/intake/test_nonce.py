"""A nonce is known again by every process with the same key, for an hour, and by no other."""

from __future__ import annotations

import pytest

from collector.intake.nonce import LIFETIME_MS, Nonces

NOW_MS = 1_790_000_000_000
OURS = Nonces(b"k" * 32)


@pytest.mark.parametrize(
    ("text", "later_ms", "is_fresh"),
    [
        (OURS.make(NOW_MS), 0, True),
        (OURS.make(NOW_MS), LIFETIME_MS, True),
        (OURS.make(NOW_MS), LIFETIME_MS + 1, False),
        (OURS.make(NOW_MS), -1, False),
        (OURS.make(NOW_MS)[:-2] + "00", 0, False),
        (Nonces(b"j" * 32).make(NOW_MS), 0, False),
        ("", 0, False),
        ("no hex", 0, False),
    ],
)
def test_nonce(text: str, later_ms: int, is_fresh: bool) -> None:
    assert Nonces(b"k" * 32).is_fresh(text, NOW_MS + later_ms) is is_fresh
