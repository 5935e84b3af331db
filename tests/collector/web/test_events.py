"""The event stream: only what changed, to whom it concerns, and a way back in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from world import World

from collector.store.scope import EVERYTHING, Scope
from collector.web.events import RELOAD, RETRY
from collector.web.i18n import words


def parsed(event: bytes) -> tuple[str, str, dict[str, Any]]:
    """(event, id, data)."""
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    return fields["event"], fields.get("id", ""), orjson.loads(fields["data"])


def board_token(world: World, scope: Scope = EVERYTHING) -> str:
    """Where a browser stands that just loaded the page."""
    board = world.streams.boards.of(scope)
    return board.observe(world.registry.fleet, world.live, world.standing).token


async def first(stream: AsyncIterator[bytes]) -> tuple[str, str, dict[str, Any]]:
    assert await anext(stream) == RETRY
    return parsed(await anext(stream))


def run(test: Any) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), 20)

    asyncio.run(limited())


def pass_seconds(world: World, seconds: float) -> None:
    world.clock.now_ms += int(seconds * 1000)  # type: ignore[attr-defined]
    world.step()


def test_a_fresh_browser_hears_a_beat_then_changes(world: World) -> None:
    async def test() -> None:
        streams = world.streams
        stream = streams.stream(EVERYTHING, "ko", board_token(world))
        assert (await first(stream))[0] == "beat"
        world.failing["srv1.cairo"] = {"memory": (2, "97 % used")}
        pass_seconds(world, 30)
        await streams.tick(list(streams._listeners))
        kind, token, data = parsed(await anext(stream))
        assert kind == "rows"
        assert "cairo" in data["rows"]
        assert "97 % used" in data["rows"]["cairo"]
        assert "tokyo" not in data["rows"], "an unchanged row is not sent"
        assert data["seen"]["tokyo"] > 0, "its new report is"
        assert data["counts"] == [20, 1, 1, 4, 1]
        assert data["at"] == world.standing.at_ms
        assert token == board_token(world)
        await stream.aclose()
        assert len(streams) == 0

    run(test)


def test_a_browser_that_was_away_gets_what_it_missed(world: World) -> None:
    token = board_token(world)
    world.failing["srv1.cairo"] = {"memory": (1, "")}
    pass_seconds(world, 30)
    board_token(world)
    world.failing["srv1.lima"] = {"memory": (1, "")}
    pass_seconds(world, 30)

    async def test() -> None:
        kind, _, data = await first(world.streams.stream(EVERYTHING, "en", token))
        assert kind == "rows"
        assert set(data["rows"]) == {"cairo", "lima"}
        assert "Degraded" in data["rows"]["lima"]

    run(test)


@pytest.mark.parametrize("epoch", ["another-life", ""])
def test_a_browser_from_before_a_restart_gets_everything(world: World, epoch: str) -> None:
    token = f"{epoch}.{world.registry.fleet.version}.7"

    async def test() -> None:
        kind, _, data = await first(world.streams.stream(EVERYTHING, "ko", token))
        assert kind == "rows"
        assert len(data["rows"]) == 27

    run(test)


@pytest.mark.parametrize("token", ["", "x", "a.999.1", "....", "💥"])
def test_another_fleet_means_loading_the_page_anew(world: World, token: str) -> None:
    async def test() -> None:
        stream = world.streams.stream(EVERYTHING, "ko", token)
        assert await anext(stream) == RETRY
        assert await anext(stream) == RELOAD
        assert [event async for event in stream] == []

    run(test)


def test_a_stream_is_scoped(world: World) -> None:
    scope = Scope(agencies=frozenset({"adm"}))

    async def test() -> None:
        token = f"old.{world.registry.fleet.version}.1"
        _, _, data = await first(world.streams.stream(scope, "ko", token))
        assert set(data["rows"]) == {"dc-djn", "dc-gwj", "dc-dgu"}
        assert set(data["seen"]) == set()
        assert sum(data["counts"]) == 3
        assert "srv2.dc-djn" not in data["rows"]["dc-djn"]

    run(test)


def test_one_change_is_written_once_for_all(world: World) -> None:
    async def test() -> None:
        streams = world.streams
        token = board_token(world)
        open_streams = [streams.stream(EVERYTHING, "ko", token) for _ in range(50)]
        for stream in open_streams:
            await first(stream)
        pass_seconds(world, 30)
        await streams.tick(list(streams._listeners))
        events = [await anext(stream) for stream in open_streams]
        assert len({id(event) for event in events}) == 1
        streams.close()

    run(test)


def test_who_does_not_keep_up_is_let_go(world: World) -> None:
    async def test() -> None:
        streams = world.streams
        stream = streams.stream(EVERYTHING, "ko", board_token(world))
        await first(stream)
        for _ in range(12):
            pass_seconds(world, 30)
            await streams.tick(list(streams._listeners))
        assert len(streams) == 0
        assert len([event async for event in stream]) <= 8

    run(test)


def test_closing_ends_every_stream(world: World) -> None:
    async def test() -> None:
        streams = world.streams
        stream = streams.stream(EVERYTHING, "ko", board_token(world))
        await first(stream)
        streams.close()
        assert [event async for event in stream] == []

    run(test)


def test_rows_are_kept_until_they_change(world: World) -> None:
    board = world.streams.boards.of(EVERYTHING)
    before = board.observe(world.registry.fleet, world.live, world.standing)
    assert board.observe(world.registry.fleet, world.live, world.standing) is before
    row = before.rows["cairo"]
    seen = before.seen["cairo"]
    assert seen is not None
    assert "30초 전" in board.markup(row, seen, seen + 30_000, words("ko"))
    assert "31 s ago" in board.markup(row, seen, seen + 31_000, words("en"))
    pass_seconds(world, 30)
    after = board.observe(world.registry.fleet, world.live, world.standing)
    assert after.rows["cairo"] is row
    assert after.changed["cairo"] == before.changed["cairo"]
    assert after.seen["cairo"] != before.seen["cairo"]
