"""Schemas the centre asked for: sent as soon as they are here, looked for now and then until their agent brings them."""

from __future__ import annotations

from collections.abc import Iterable

AGAIN_SECONDS = 60.0
MOST = 2_000


class WantedSchemas:
    """Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._look_at: dict[bytes, float] = {}

    def ask(self, names: Iterable[bytes]) -> None:
        for name in names:
            if len(self._look_at) < MOST:
                self._look_at.setdefault(name, 0.0)

    def due(self, now: float) -> bytes | None:
        """One to look for now."""
        return next((name for name, at in self._look_at.items() if at <= now), None)

    def later(self, name: bytes, now: float) -> None:
        """It is not here: its agent still owes it to us, too."""
        self._look_at[name] = now + AGAIN_SECONDS

    def sent(self, name: bytes) -> None:
        del self._look_at[name]

    @property
    def moments(self) -> Iterable[float]:
        return self._look_at.values()
