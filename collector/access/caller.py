"""Who is asking, and what the role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from collector.store.scope import EVERYTHING, Scope

ROLES = ("viewer", "operator", "admin")
"""Each may do what those before it may."""

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

    @property
    def can_write(self) -> bool:
        return self.may("operator")

    @property
    def is_signed_in(self) -> bool:
        return self.way != "open"

    def may(self, role: str) -> bool:
        """Whether this caller has at least this role. Nobody has one by being near enough to connect."""
        return self.way != "open" and self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)


ANONYMOUS = Caller("anonymous", "viewer", EVERYTHING)
"""Whoever reads over a loopback bind."""
