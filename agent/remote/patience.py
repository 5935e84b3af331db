"""When to stop asking a host, and when to try again. Pure: ``now`` is monotonic seconds.

Without it a hanging host would cost each of forty checks its whole deadline; with it the first one or two pay, the rest
of the collection fails at once with the reason, and the next attempt comes after 5, 10, 20 … 60 s. There is no jitter:
one agent asks one host, so there is no herd to spread.
"""

from __future__ import annotations

FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 5.0, 60.0
UNANSWERED_TO_GIVE_UP = 2
"""One slow command is that command's fault; two questions in a row without an answer are the host's."""


class Patience:
    def __init__(self) -> None:
        self.why = ""
        self._unanswered = 0
        self._failures = 0
        self._retry_at = float("-inf")

    def answered(self) -> None:
        self._unanswered = self._failures = 0

    def unanswered(self) -> bool:
        """Count a question that got no answer; True when the host should be given up for now."""
        self._unanswered += 1
        return self._unanswered >= UNANSWERED_TO_GIVE_UP

    def failed(self, now: float, why: str) -> None:
        """Nothing more before the back-off is over. A failure while one runs already changes nothing."""
        if self.wait_seconds(now) > 0:
            return
        self.why = why
        self._retry_at = now + min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(self._failures, 10))
        self._failures += 1

    def wait_seconds(self, now: float) -> float:
        return max(0.0, self._retry_at - now)
