"""A day of backlog over 64 kbit/s and 600 ms: how long it takes at a quarter of the line, and how old live news gets."""

from __future__ import annotations

import random

from test_send import Site

from agent.link.exchange import Failure
from agent.link.model import Series, make_schema, pack_values
from agent.link.ranges import Ranges
from agent.link.spool_record import SampleDraft

COLUMNS = 77
"""What the core profile reports of an ordinary server: 55 series and 22 checks."""
HEADERS_BYTES, ANSWER_BYTES = 400, 700
CATCH_UP_SECONDS = 200.0

SCHEMA = make_schema(tuple(Series("srv1.local", f"node_x{n}", 0, ()) for n in range(COLUMNS)), ())


class Post(Site):
    """Columns as they are: a third stand still, a third are counters that grow unevenly, a third wander by pages."""

    def __init__(self) -> None:
        super().__init__("thin")
        self.random = random.Random(3)
        self.values = [float(self.random.randrange(1 << 33)) for _ in range(COLUMNS)]
        self.taken: dict[int, float] = {}
        self.count = 0

    def report(self, value: float = 0.0, state: str = "") -> None:
        for column in range(COLUMNS):
            if column % 3 == 1:
                self.values[column] += self.random.randrange(100_000)
            elif column % 3 == 2:
                self.values[column] += 4096 * self.random.randrange(-1_000, 1_000)
        stamp = self.clock.wall_ms(), self.offset.offset_ms()
        self.spool.append([SampleDraft(SCHEMA, *stamp, pack_values(list(self.values)))])
        self.count += 1
        self.taken[self.count] = self.clock.monotonic()


def test_a_day_is_caught_up_in_time_and_live_news_stay_fresh():
    post = Post()
    post.centre.mood = lambda request: Failure("cut")
    for _ in range(24 * 60):
        post.report()
        post.clock.pass_(60)
        post.sender.step(post.clock.monotonic())
    backlog = post.count
    carried = [0]

    def thin(request):
        size = len(request.body) + HEADERS_BYTES + ANSWER_BYTES
        carried[0] += size
        post.clock.pass_(0.6 + size * 8 / 64_000)

    post.centre.mood = thin
    post.centre.seconds = 0.0
    del post.centre.requests[:]
    began = post.clock.monotonic()
    due = began + 60
    worst, arrived = 0.0, backlog
    while not post.centre.held(post.epoch).covers(1, backlog):
        now = post.clock.monotonic()
        if now >= due:
            due += 60
            post.report()
        post.clock.seconds = max(now, min(due, post.sender.step(now)))
        held = post.centre.held(post.epoch)
        while arrived < post.count and arrived + 1 in held:
            arrived += 1
            worst = max(worst, post.clock.monotonic() - post.taken[arrived])
    seconds = post.clock.monotonic() - began
    print(f"\n{backlog} records caught up in {seconds:.0f} s, {carried[0]} bytes; live news at most {worst:.1f} s old")
    assert seconds < CATCH_UP_SECONDS
    assert worst < 2 * post.profile.interval_seconds
    assert post.centre.held(post.epoch) == Ranges([(1, arrived)])
    assert carried[0] < 0.35 * seconds * 8_000, "a quarter of the line, and what is live"
