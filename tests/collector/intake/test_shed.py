"""Turning lanes away by load: the backlog first, what is live last, each opened again lower than it was shut."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from centre import NOW_MS, Centre, problem
from sender import request

from agent.link.names import BACKLOG_LANE, LIVE_LANE
from collector.intake.shed import HEIGHTS, SLOWED_BYTES_PER_SECOND, Load, Shedder, judge, lane_of, retry_after_seconds
from collector.intake.work import Work

NONE: frozenset[str] = frozenset()
BACKLOG = frozenset({BACKLOG_LANE})
BOTH = frozenset({BACKLOG_LANE, LIVE_LANE})


@pytest.mark.parametrize(
    ("shut", "load", "then"),
    [
        (NONE, Load(), NONE),
        (NONE, Load(0.49, 3 << 20, 0.7), NONE),
        (NONE, Load(0.5), BACKLOG),
        (NONE, Load(0, 4 << 20), BACKLOG),
        (NONE, Load(0, 0, 0.75), BACKLOG),
        (BACKLOG, Load(0.49), BACKLOG),
        (BACKLOG, Load(0.1), BACKLOG),
        (BACKLOG, Load(0.09, 900_000, 0.2), NONE),
        (BACKLOG, Load(0.09, 2 << 20, 0.2), BACKLOG),
        (NONE, Load(10.0), BOTH),
        (BACKLOG, Load(9.9), BACKLOG),
        (BOTH, Load(9.9), BOTH),
        (BOTH, Load(3.9), BACKLOG),
        (BOTH, Load(0.05), NONE),
        (NONE, Load(0, 48 << 20), BOTH),
    ],
)
def test_which_lanes_are_shut(shut: frozenset[str], load: Load, then: frozenset[str]) -> None:
    assert judge(shut, load) == then


def test_a_lane_is_opened_lower_than_it_was_shut_and_the_backlog_is_shut_before_what_is_live() -> None:
    for height in HEIGHTS.values():
        assert all(low < high for low, high in zip(height.reopen, height.shut, strict=True))
    backlog, live = HEIGHTS[BACKLOG_LANE], HEIGHTS[LIVE_LANE]
    assert all(one < other for one, other in zip(backlog.shut, live.shut, strict=True))


def test_who_is_turned_away_comes_back_spread_out() -> None:
    first, last = HEIGHTS[BACKLOG_LANE].retry_seconds
    found = Counter(retry_after_seconds(BACKLOG_LANE, number) for number in range(1, 1001))
    assert set(found) == set(range(first, last + 1))
    assert max(found.values()) < 1.1 * 1000 / (last - first + 1) + 1


def test_load_is_what_waits_and_how_long() -> None:
    shedder = Shedder()
    assert shedder.load(100.0) == Load()
    one, two = shedder.begin(10, 100.0), shedder.begin(20, 101.0)
    assert shedder.load(102.0) == Load(2.0, 30, 0.0)
    shedder.end(one, 102.0)
    assert shedder.load(102.5) == Load(1.5, 20, 1.0)
    shedder.end(two, 103.0)
    assert shedder.load(104.0) == Load(0.0, 0, 1.5)
    assert shedder.load(113.0) == Load()  # nobody came since: how commits are is not known


@pytest.mark.parametrize(
    ("headers", "lane"),
    [
        ([], "live"),
        ([(b"host", b"x")], "live"),
        ([(b"bongsu-lane", b"live")], "live"),
        ([(b"bongsu-lane", b"backlog")], "backlog"),
        ([(b"bongsu-lane", b"?")], "live"),
    ],
)
def test_the_lane_is_in_a_header(headers: list[tuple[bytes, bytes]], lane: str) -> None:
    assert lane_of(headers) == lane


def test_a_busy_receiver_slows_the_backlog_before_it_shuts_it_out(centre: Centre) -> None:
    sender = centre.enrolled()
    shedder = centre.intake.shedder
    assert centre.answer(request(sender.report(NOW_MS))).backlog_bytes_per_second == 0
    shedder.begin(2 << 20, centre.clock.monotonic())
    assert shedder.refuses(BACKLOG_LANE, centre.clock.monotonic()) == 0
    two = request(sender.report(NOW_MS + 1), sender.report(NOW_MS + 2))
    assert centre.answer(two).backlog_bytes_per_second == 2 * SLOWED_BYTES_PER_SECOND


def test_under_load_the_backlog_is_asked_back_and_what_is_live_comes_in(centre: Centre) -> None:
    sender, other = centre.enrolled(), centre.enrolled("srv2")
    shed: list[str] = []
    centre.intake.on_shed = shed.append
    stuck: list[Work] = []
    submit = centre.writer.submit
    centre.writer.submit = stuck.append  # type: ignore[method-assign]  # a disk that does not come back

    async def under_load() -> tuple[int, bytes, int]:
        first = asyncio.create_task(post(centre, request(sender.report(NOW_MS)), LIVE_LANE))
        await asyncio.sleep(0)
        while not stuck:
            await asyncio.sleep(0.001)
        centre.clock.now_ms += 1_000
        status, body, again = await post(centre, request(other.report(NOW_MS)), BACKLOG_LANE)
        empty, _, _ = await post(centre, b"\x90", BACKLOG_LANE)
        assert empty == 200  # asks nothing but the time
        centre.writer.submit = submit  # type: ignore[method-assign]
        live, _, _ = await post(centre, request(other.report(NOW_MS)), LIVE_LANE)
        assert live == 200
        for work in stuck:
            submit(work)
        assert (await first)[0] == 200
        return status, body, again

    status, body, again = asyncio.run(under_load())
    low, high = HEIGHTS[BACKLOG_LANE].retry_seconds
    assert (status, problem(body)["code"]) == (503, "busy")
    assert low <= again <= high
    assert shed == [BACKLOG_LANE]
    centre.clock.now_ms += 60_000
    assert asyncio.run(post(centre, request(other.report(NOW_MS)), BACKLOG_LANE))[0] == 200


async def post(centre: Centre, body: bytes, lane: str) -> tuple[int, bytes, int]:
    """(status, body, Retry-After)"""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"bongsu-lane", lane.encode())]
    await centre.intake.envelopes({"type": "http", "method": "POST", "headers": headers}, receive, send)  # type: ignore[arg-type]
    said = dict(sent[0]["headers"])  # type: ignore[call-overload]
    return sent[0]["status"], sent[1]["body"], int(said.get(b"retry-after", 0))  # type: ignore[return-value]
