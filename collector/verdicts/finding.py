"""What one step of the judgement hands to the next."""

from __future__ import annotations

from typing import NamedTuple

from collector.verdicts import reasons as r
from collector.verdicts.standing import MAINTENANCE, OK, Fact


class Finding(NamedTuple):
    """A state and why, before it is told since when. ``cause`` as in ``standing``."""

    state: int
    reason: str
    cause: str = ""
    evidence: tuple[Fact, ...] = ()

    @property
    def is_disturbance(self) -> bool:
        """Whether something happened, as against all well, agreed, or never begun."""
        return self.state not in (OK, MAINTENANCE) and self.reason not in r.SELF_EXPLAINED
