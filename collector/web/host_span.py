"""Which stretch of time a host's page shows, from its address: the newest so long (``range=24h``), or one somebody chose
(``from=…&to=…`` in milliseconds), with the addresses of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from collector.errors import Refused

HOUR_MS = 3_600_000
RANGES = {"1h": HOUR_MS, "6h": 6 * HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS, "30d": 720 * HOUR_MS}
USUAL = "1h"
SHORTEST_MS = 5 * 60_000
LONGEST_MS = 31 * 24 * HOUR_MS


class Span(NamedTuple):
    """``range`` empty = a chosen stretch, which stays as it is while time goes on."""

    range: str
    from_ms: int
    to_ms: int

    @property
    def length_ms(self) -> int:
        return self.to_ms - self.from_ms

    def ways(self, path: str, now_ms: int) -> dict[str, str]:
        """Addresses by what they show: ``earlier``, ``later``, ``closer``, ``wider``; those that lead nowhere are left out."""
        quarter, half = self.length_ms // 4, self.length_ms // 2
        wanted = {
            "earlier": (self.from_ms - half, self.to_ms - half),
            "later": (self.from_ms + half, self.to_ms + half),
            "closer": (self.from_ms + quarter, self.to_ms - quarter),
            "wider": (self.from_ms - half, self.to_ms + half),
        }
        if self.range or self.to_ms >= now_ms:
            del wanted["later"]
        found = {}
        for name, (start, end) in wanted.items():
            start, end = max(0, start), min(end, now_ms)
            if SHORTEST_MS <= end - start <= LONGEST_MS:
                found[name] = f"{path}?{urlencode({'from': start, 'to': end})}"
        return found


def span_of(asked: Mapping[str, str], now_ms: int) -> Span:
    """What a page's address asks for; the newest hour where that is nothing sensible (people edit addresses)."""
    try:
        from_ms, to_ms = int(asked.get("from", "")), int(asked.get("to", ""))
        if 0 <= from_ms < to_ms <= now_ms + HOUR_MS and SHORTEST_MS <= to_ms - from_ms <= LONGEST_MS:
            return Span("", from_ms, to_ms)
    except ValueError:
        pass
    wanted = asked.get("range", "")
    wanted = wanted if wanted in RANGES else USUAL
    return Span(wanted, now_ms - RANGES[wanted], now_ms)


def exact_span(asked: Mapping[str, str], now_ms: int) -> tuple[int, int]:
    """``from`` and ``to`` in milliseconds; the last hour where they are left out. Raises Refused 422."""
    to_text, from_text = asked.get("to", str(now_ms)), asked.get("from", "")
    try:
        to_ms = int(to_text)
        from_ms = int(from_text) if from_text else to_ms - RANGES[USUAL]
    except ValueError:
        raise Refused(422, "bad_span", "from and to: expected whole milliseconds since 1970") from None
    if not 0 <= from_ms < to_ms <= 1 << 53 or to_ms - from_ms > LONGEST_MS:
        raise Refused(422, "bad_span", f"from {from_ms} to {to_ms}: expected from before to, at most 31 days")
    return from_ms, to_ms
