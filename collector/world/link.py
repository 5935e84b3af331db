"""Lines between machines: delay, bandwidth, loss, cuts, and what a bad network does to whole messages.

What a request costs is told by its bytes, not packet by packet: one kept TCP connection, or a new one with TLS before
it. A lost segment costs a round trip where enough others follow to notice, and a timer that doubles where not; loss
also bounds the rate (Mathis). Measured beside real TCP over an emulated line of 600 ms and 64 kbit/s (kept connection
0.8 s for 1.5 kB, 4.5 s for 30 kB, new connection 3.4 s): close enough to size chunks and intervals by.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.link.exchange import Failure, Request, Response
from collector.world.clock import Spender, Timeline

SEGMENT_BYTES = 1_360
HEAD_BYTES = 160
"""HTTP's own words around a body of ours, each way."""
SERVER_HELLO_BYTES = 3_500
"""Certificates and the rest of a TLS 1.3 handshake."""
LEAST_TIMER = 0.4
MATHIS = 1.22
IDLE_SECONDS = 300.0
"""A connection nobody used for so long is gone."""
MESSAGE_FAULTS = ("lost", "unanswered", "doubled", "late", "portal", "cut short")


@dataclass
class Line:
    """One line and its state. Bandwidth is shared by all who use it, in the order they send.

    ``faults``: chance of each of ``MESSAGE_FAULTS`` per exchange. ``is_later``: whoever answers is of a later version.
    """

    rtt: float = 0.02
    bits_per_second: float = 100e6
    loss: float = 0.0
    is_cut: bool = False
    is_later: bool = False
    faults: dict[str, float] = field(default_factory=dict)
    bytes_up: int = 0
    bytes_down: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    changed: Callable[[Request], Request] | None = None
    worded: Callable[[Response], Response] | None = None
    """What somebody in between makes of requests and answers."""
    up_free_at: float = 0.0
    down_free_at: float = 0.0

    def fate(self, chance: random.Random) -> str:
        drawn = chance.random()
        for name in MESSAGE_FAULTS:
            drawn -= self.faults.get(name, 0.0)
            if drawn < 0:
                return name
        return ""


def seconds_on(line: Line, count: int, chance: random.Random) -> float:
    """How long ``count`` bytes need on an idle line, without the way itself: transmission, and what loss adds."""
    rate = line.bits_per_second
    if line.loss:
        rate = min(rate, SEGMENT_BYTES * 8 / line.rtt * MATHIS / math.sqrt(line.loss))
    seconds = count * 8 / rate
    segments = max(1, math.ceil(count / SEGMENT_BYTES))
    for at in range(segments):
        timer = max(LEAST_TIMER, 1.5 * line.rtt)
        is_first = True
        while line.loss and chance.random() < line.loss:
            if is_first and segments - at > 3:
                seconds += line.rtt
            else:
                seconds += timer
                timer *= 2
            is_first = False
    return seconds


Handler = Callable[[Request, float], Response | Failure]
"""A receiver: the request, and how many seconds from now it arrives."""


class Wire:
    """The exchange port of one client: one kept connection at a time, over the line that leads to where it sends."""

    def __init__(
        self,
        timeline: Timeline,
        clock: Spender,
        chance: random.Random,
        routes: Callable[[str], tuple[Line, Handler] | None],
    ) -> None:
        self._timeline = timeline
        self._clock = clock
        self._chance = chance
        self._routes = routes
        self._connected = ""
        self._used_at = 0.0
        self.bytes_sent = self.bytes_received = 0
        """Of HTTP, heads and bodies."""

    def __call__(self, request: Request) -> Response | Failure:
        route = self._routes(request.base_url)
        if route is None:
            return self._failed(1.0, f"{request.base_url}: no such address")
        line, handler = route
        if line.is_cut:
            return self._failed(request.deadline_seconds, f"{request.base_url}: timed out")
        now, chance = self._timeline.now + self._clock.lag, self._chance
        waited = 0.0
        if self._connected != request.base_url or now - self._used_at > IDLE_SECONDS:
            waited = 2 * line.rtt + seconds_on(line, SERVER_HELLO_BYTES, chance)
        up = HEAD_BYTES + len(request.body) + sum(len(name) + len(value) + 4 for name, value in request.headers)
        begins = max(now + waited, line.up_free_at)
        line.up_free_at = begins + seconds_on(line, up, chance)
        line.bytes_up += up
        self.bytes_sent += up
        arrives = line.up_free_at + line.rtt / 2 - now
        if arrives > request.deadline_seconds:
            return self._failed(request.deadline_seconds, f"{request.base_url}: timed out")
        answer = self._deliver(line, handler, request, arrives + self._clock.lag)
        if isinstance(answer, Failure):
            return self._failed(min(request.deadline_seconds, arrives + line.rtt / 2), answer.text)
        down = HEAD_BYTES + len(answer.body)
        line.down_free_at = max(now + arrives, line.down_free_at) + seconds_on(line, down, chance)
        line.bytes_down += down
        self.bytes_received += down
        seconds = line.down_free_at + line.rtt / 2 - now
        if seconds > request.deadline_seconds:
            return self._failed(request.deadline_seconds, f"{request.base_url}: no whole answer in time")
        self._clock.spend(seconds)
        self._connected, self._used_at = request.base_url, now + seconds
        return answer

    def _deliver(self, line: Line, handler: Handler, request: Request, arrives: float) -> Response | Failure:
        if line.changed is not None:
            request = line.changed(request)
        answer = self._delivered(line, handler, request, arrives)
        return line.worded(answer) if line.worded is not None and isinstance(answer, Response) else answer

    def _delivered(self, line: Line, handler: Handler, request: Request, arrives: float) -> Response | Failure:
        fate = line.fate(self._chance)
        line.happened[fate] += 1
        if fate == "lost":
            return Failure("request lost")
        if fate == "late":  # its sender has gone on when it is delivered, perhaps long after younger ones
            self._timeline.after(self._chance.uniform(1, 600), lambda: _deliver_late(line, handler, request))
            return Failure("request held up")
        if fate == "portal":
            return Response(200, "text/html", b"<html>Please sign in to the guest network</html>")
        if fate == "doubled":
            handler(request, arrives)
        answer = handler(request, arrives)
        if fate == "unanswered":
            return Failure("answer lost")
        if fate == "cut short" and isinstance(answer, Response):
            return answer._replace(body=answer.body[: len(answer.body) // 2])
        if line.is_later and isinstance(answer, Response) and answer.body.startswith(b"{"):
            return answer._replace(body=b'{"of_a_later_version":{"deep":[1,null]},' + answer.body[1:])
        return answer

    def close(self) -> None:
        self._connected = ""

    def _failed(self, seconds: float, text: str) -> Failure:
        self._connected = ""
        self._clock.spend(seconds)
        return Failure(text)


def _deliver_late(line: Line, handler: Handler, request: Request) -> None:
    if not line.is_cut:
        handler(request, 0.0)
