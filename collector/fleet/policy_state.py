"""Whether an agent does what its policy says, from what it reports about itself.

    agent_policy_info{version="3",overridden="checks,interval_seconds"} 1

``overridden`` names the keys where the agent's own file says otherwise; that file wins, and here it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

POLICY_INFO = "agent_policy_info"
NONE, APPLIED, PENDING, UNREPORTED = "none", "applied", "pending", "unreported"


class Reported(Protocol):
    """A host's newest sample, as ``collector.live.board.LiveHost``."""

    def named(self, name: str) -> Iterator[tuple[tuple[tuple[str, str], ...], float]]: ...


@dataclass(frozen=True, slots=True)
class PolicyState:
    """``state``: none (there is no policy), applied, pending (it still follows ``applied_version``), unreported.

    ``version`` is the newest of the centre's, 0 for none; ``applied_version`` what the agent says, 0 for nothing.
    """

    state: str
    version: int
    applied_version: int
    overridden: tuple[str, ...]


def policy_state(version: int, host: Reported | None) -> PolicyState:
    """``host`` is the one the agent runs on, None where it has not reported."""
    said = _said(host) if host is not None else None
    if said is None:
        return PolicyState(UNREPORTED if version else NONE, version, 0, ())
    applied, overridden = said
    if not version:
        return PolicyState(NONE, 0, applied, overridden)
    return PolicyState(APPLIED if applied == version else PENDING, version, applied, overridden)


def _said(host: Reported) -> tuple[int, tuple[str, ...]] | None:
    for labels, _ in host.named(POLICY_INFO):
        known = dict(labels)
        version = known.get("version", "")
        words = (word.strip() for word in known.get("overridden", "").split(","))
        return int(version) if version.isdecimal() else 0, tuple(sorted(word for word in words if word))
    return None
