"""A request on its way through the commit, and what became of each of its envelopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from collector.intake.admit import Admitted, Refused
from collector.log.positions import Accepted, Name


@dataclass(slots=True)
class Work:
    """One request on its way through the commit; ``finish`` is called in the writer's thread, with the error if any."""

    admitted: list[Admitted]
    refused: list[Refused]
    received_at_ms: int
    finish: Callable[[BaseException | None], None]
    singly: bool = False
    """Brought by a hub: what may not come in of an envelope is left out record by record."""
    outcomes: list[Outcome] = field(default_factory=list)
    held: dict[Name, list[tuple[int, int]]] = field(default_factory=dict)
    """After the commit: what is held of names that had a refusal."""
    receipts: dict[Name, str] = field(default_factory=dict)
    """After the commit, on a hub: what the centre signed of these names."""
    wanted: list[bytes] = field(default_factory=list)
    """Schemas that earlier envelopes of its agents still wait for: the answer that asked for them may have been lost."""

    @property
    def needs_writer(self) -> bool:
        """Whether only the writer's thread can answer: what is held may be said only of what is committed."""
        return bool(self.admitted) or any(refusal.name for refusal in self.refused)


@dataclass(slots=True)
class Outcome:
    """What became of an admitted envelope. ``asked``: its numbers; ``ranges``: what is held after the commit."""

    envelope: Admitted
    accepted: Accepted
    duplicates: int = 0
    expired: int = 0
    refused: int = 0
    """Records left out although the others came in."""
    asked: list[int] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
