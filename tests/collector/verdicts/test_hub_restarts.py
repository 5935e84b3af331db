"""Hubs are restarted at every point of every situation: no verdict changes, neither at the centre nor on a hub's own board.

Whole applications (``app_fleet``): of a hub only its data directory survives. What is compared is every board in the end,
state, reason and cause, and every change of state and cause that was written on the way there.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from app_fleet import HUBS, AppFleet, playing
from situations import SITUATIONS, Situation
from test_situations import told

STEPS_AFTER = 10
HUBS_OUT = [row for row in SITUATIONS if "mute" in row.script]


class Ending:
    """What stands on every board, and the changes that were written down on the way there."""

    def __init__(self, world: AppFleet) -> None:
        self.boards = {name: told(standing) for name, standing in world.boards().items()}
        self.changes = {
            name: sorted(
                str((kind, subject, before, after, cause)) for (kind, subject, before, after, _, cause), _ in changes
            )
            for name, changes in world.written().items()
        }


def words_of(situation: Situation) -> list[str]:
    return [word.strip() for word in situation.script.split(";")]


def hubs_of(situation: Situation) -> list[str]:
    """Those it is about."""
    found = [hub for hub, sites in HUBS.items() if any(name in situation.script for name in (hub, *sites))]
    return found or ["mea"]


def play(folder: Path, situation: Situation, points: Iterable[int] = (), away_steps: int = 0) -> Ending:
    """Its hubs are restarted after the words at these ``points``, and are away for so many steps."""
    with playing(folder / "world") as world:
        for at, word in enumerate(words_of(situation)):
            world.do(word)
            if at in set(points):
                before = {name: told(standing) for name, standing in world.boards().items()}
                world.restart_hubs(hubs_of(situation), away_steps)
                for name, standing in world.boards().items() if not away_steps else ():
                    after = told(standing)
                    assert {thing: after.get(thing) for thing in before[name]} == before[name], f"{name} after {word}"
        if not points:
            expected = {name: text for name, text in situation.expected.items() if not name.startswith("host:")}
            found = {
                name: re.sub(r"maintenance:\d+", "maintenance:7", text) for name, text in told(world.standing).items()
            }
            assert found == expected, "the applications conclude what the table says"
        world.run(STEPS_AFTER)
        return Ending(world)


@cache
def undisturbed(name: str) -> Ending:
    with tempfile.TemporaryDirectory(prefix="bongsu-fleet-") as folder:
        return play(Path(folder), next(row for row in SITUATIONS if row.name == name))


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS, ids=[row.name for row in SITUATIONS])
def test_hubs_are_restarted_after_everything_that_happens(situation: Situation, tmp_path: Path) -> None:
    usual = undisturbed(situation.name)
    found = play(tmp_path, situation, range(len(words_of(situation))))
    assert found.boards == usual.boards
    assert found.changes == usual.changes


POINTS = [(row, place) for row in HUBS_OUT for place in range(len(words_of(row)))]


@pytest.mark.slow
@pytest.mark.parametrize(("situation", "place"), POINTS, ids=[f"{row.name}-{place}" for row, place in POINTS])
def test_hubs_are_restarted_at_one_point_where_a_hub_is_out(situation: Situation, place: int, tmp_path: Path) -> None:
    usual = undisturbed(situation.name)
    found = play(tmp_path, situation, [place])
    assert found.boards == usual.boards
    assert found.changes == usual.changes


@pytest.mark.slow
@pytest.mark.parametrize("situation", HUBS_OUT, ids=[row.name for row in HUBS_OUT])
def test_hubs_are_away_for_a_while_after_everything_that_happens(situation: Situation, tmp_path: Path) -> None:
    """What they did not hear meanwhile shifts when a thing is seen, not how it stands in the end."""
    found = play(tmp_path, situation, range(len(words_of(situation))), away_steps=1)
    assert found.boards == undisturbed(situation.name).boards
