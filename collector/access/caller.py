"""Who is asking, and what the role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from collector.access.roles import RIGHTS, rights_of
from collector.store.scope import EVERYTHING, Scope

Way = Literal["open", "session", "token"]


@dataclass(frozen=True, slots=True)
class Caller:
    """``way`` says how we know them; ``csrf`` is what their forms must carry (sessions only)."""

    name: str
    role: str
    scope: Scope
    language: str = ""
    way: Way = "open"
    csrf: str = ""
    display_name: str = ""
    timezone: str = ""
    """By which clock they read times besides Korea's; empty = by none."""

    @property
    def can_write(self) -> bool:
        return self.may("work")

    @property
    def is_signed_in(self) -> bool:
        return self.way != "open"

    def may(self, right: str) -> bool:
        """Whether this caller has this right (``collector.access.roles``). By being near enough to connect one may only
        read."""
        assert right in RIGHTS, f"no right is called {right!r}"
        return right in rights_of(self.role) and (right == "read" or self.is_signed_in)


ANONYMOUS = Caller("anonymous", "viewer", EVERYTHING)
"""Whoever reads over a loopback bind."""
