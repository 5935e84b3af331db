"""A scrape lets commits go first, and comes to its end all the same."""

from __future__ import annotations

import asyncio

from collector.exposition.turns import LOOK_SECONDS, Turns


def test_a_scrape_stands_still_until_the_commit_is_made() -> None:
    async def story() -> list[str]:
        said: list[str] = []
        is_committing = True

        async def scrape() -> None:
            await Turns(lambda: is_committing).over()
            said.append("text")

        task = asyncio.create_task(scrape())
        await asyncio.sleep(3 * LOOK_SECONDS)
        said.append("committed")
        is_committing = False
        await task
        return said

    assert asyncio.run(story()) == ["committed", "text"]


def test_where_there_is_always_a_commit_a_scrape_ends_as_well() -> None:
    """All its patience is for the whole of it, not for each turn."""

    async def story() -> int:
        turns = Turns(lambda: True, patience_seconds=0.002)
        await turns.over()
        looks = 0

        async def others() -> None:
            nonlocal looks
            while True:
                looks += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        for _ in range(10):
            await turns.over()
        beside.cancel()
        return looks

    assert 10 <= asyncio.run(story()) <= 12, "one turn of others after each of its own"
