"""What a demonstration's world and its pages tell each other, as files around the centre's directory: what can be played,
what is asked for, what is under way. Whoever may write there may play.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

OFFERED, UNDER_WAY, ASKED = "scenarios.json", "playing.json", "plays"
STOP = "stop"


class Offer(NamedTuple):
    """A disaster that can be played; ``name`` is its key in the catalogs, ``seconds`` how long it lasts."""

    number: int
    name: str
    seconds: float


class Playing(NamedTuple):
    """One under way: instants by the demonstration's clock."""

    number: int
    began_ms: int
    ends_ms: int


class Wish(NamedTuple):
    """``number`` None = all of them."""

    is_stop: bool
    number: int | None


def offer(folder: Path, offers: Iterable[Offer]) -> None:
    make_ready(folder)
    _write(folder / OFFERED, [one._asdict() for one in offers])


def make_ready(folder: Path) -> None:
    """For wishes to be taken: nothing is under way yet."""
    (folder / ASKED).mkdir(parents=True, exist_ok=True)
    tell(folder, ())


def is_one(folder: Path) -> bool:
    """Whether this is a demonstration's."""
    return (folder / OFFERED).exists()


def offered(folder: Path) -> list[Offer]:
    """Empty where this is no demonstration."""
    return [Offer(**one) for one in _read(folder / OFFERED)]


def tell(folder: Path, plays: Iterable[Playing]) -> None:
    _write(folder / UNDER_WAY, [one._asdict() for one in plays])


def playing(folder: Path) -> dict[int, Playing]:
    """By number, the oldest first."""
    return {one["number"]: Playing(**one) for one in _read(folder / UNDER_WAY)}


def ask(folder: Path, wish: Wish) -> None:
    name = "" if wish.number is None else str(wish.number)
    (folder / ASKED / (f"{STOP}{name}" if wish.is_stop else name)).touch()


def take_wishes(folder: Path) -> list[Wish]:
    """What was asked for since the last time; ends before beginnings."""
    found = []
    for file in (folder / ASKED).iterdir():
        file.unlink(missing_ok=True)
        is_stop, number = file.name.startswith(STOP), file.name.removeprefix(STOP)
        if number.isdecimal() or (is_stop and not number):
            found.append(Wish(is_stop, int(number) if number else None))
    return sorted(found, key=lambda wish: (not wish.is_stop, wish.number or 0))


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return found


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    """Whole or not at all: somebody may be reading."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(rows), "utf-8")
    beside.replace(file)
