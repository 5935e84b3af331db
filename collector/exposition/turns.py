"""How a scrape lets reports go first.

The text of a million series is half a second of work, made in turns of half a millisecond so that others come between.
That is not enough for a commit: it is made in a thread of its own, which has to get the interpreter to begin, and again
after each statement. A loop that is never idle lets go of it for moments too short for a thread to wake in, often enough that
the thread never asks for it as one that waits long could: it waited up to 20 ms for what takes one. So a scrape stands
still while a commit waits or is made, up to a measure: on a slow disk there is always one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LOOK_SECONDS = 0.001
PATIENCE_SECONDS = 1.5
"""How long one scrape stands still for commits in all: a Prometheus waits ten seconds for it."""


class Turns:
    """Of one scrape."""

    def __init__(
        self, is_committing: Callable[[], bool] = lambda: False, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._is_committing = is_committing
        self._patience = patience_seconds

    async def over(self) -> None:
        """A turn's work is done: let everybody else do theirs."""
        await asyncio.sleep(0)
        while self._patience > 0 and self._is_committing():
            self._patience -= LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
