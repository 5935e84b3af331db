"""When Python looks for cycles among the collector's objects, and among which.

It stops everything else while it looks. By itself it does so whenever so many objects were made that did not die yet:
in the midst of the work that makes them, again and again, and a collector of a million series has a million objects that
live as long as it does. A look at everything was a quarter of a second, and one at 50,000 young ones some 20 ms, several
times a second. Hardly anything of ours is a cycle, so looks are made by the clock, from the loop, where no request is in
the midst of anything; what outlived one is set aside, so that the next looks only at what was made since. Now and then
what was set aside is looked at too, in case it died.
"""

from __future__ import annotations

import asyncio
import gc

LOOK_SECONDS = 2.0
"""A collector of a million series makes objects for 6 ms of looking in that time."""
EVERYTHING_EACH = 300
"""Looks of which one is at what was set aside too: each ten minutes."""
MANY = 300_000
"""New objects at which Python looks by itself after all: some 50 MB, should something leave cycles by the thousand."""


class Garbage:
    """Of this process."""

    def __init__(self) -> None:
        self._looks = 0
        self._before = gc.get_threshold()

    def begin(self) -> None:
        """Leave it to ``look``; once in a process."""
        gc.set_threshold(MANY, *self._before[1:])
        self.look()

    def keep_looking(self) -> None:
        """As long as the running loop runs."""
        self._looking = asyncio.create_task(self._look_by_the_clock())

    async def _look_by_the_clock(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        self._looks += 1
        if self._looks % EVERYTHING_EACH == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()

    def end(self) -> None:
        gc.set_threshold(*self._before)
        gc.unfreeze()
