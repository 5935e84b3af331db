"""When Python looks for cycles among the collector's objects, and among which.

It stops everything else while it looks, for as long as it looks at many: a collector of a million series has a million
objects that live as long as it does, and stood still for a quarter of a second at a time. So it looks at few at once, and
what has outlived a look at everything is set aside; now and then all of that is looked at too, in case it died since.
"""

from __future__ import annotations

import gc
from typing import Any

YOUNG = 50_000
"""New objects before the youngest are looked at: reports leave none, a batch of them is thousands. A fifth of that cost a
collector of a thousand agents a tenth more, and pushes beside a scrape came no sooner."""
OLDER = 20
"""Looks at the younger before the next older are looked at with them."""
EVERYTHING_EACH = 20
"""Looks at the oldest, of which one is at what was set aside too."""
OLDEST = 2


class Garbage:
    """Of this process."""

    def __init__(self) -> None:
        self._looks = 0

    def begin(self) -> None:
        """From now on; once in a process."""
        gc.set_threshold(YOUNG, OLDER, OLDER)
        gc.callbacks.append(self._looked)

    def end(self) -> None:
        gc.callbacks.remove(self._looked)
        gc.unfreeze()

    def _looked(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] == OLDEST:
            self._looks += 1
            if self._looks % EVERYTHING_EACH == 0:
                gc.unfreeze()
            else:
                gc.freeze()
