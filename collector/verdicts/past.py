"""What the next judgement stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.verdicts.finding import Finding
from collector.verdicts.heard import Hearing
from collector.verdicts.index import Index
from collector.verdicts.memory import Memory
from collector.verdicts.standing import Change, FailingCheck, Recorded, Standing

KINDS = ("site", "host", "agent", "link", "hub", "system", "interface")
Books = dict[str, dict[str, Recorded]]


def no_books() -> Books:
    return {kind: {} for kind in KINDS}


class RawSite(NamedTuple):
    """A site by what it has, before anyone asks why."""

    state: int
    reason: str
    last_report_ms: int | None
    hosts: tuple[int, int, int, int, int]
    agents_current: int
    agents: int
    failing: tuple[FailingCheck, ...]


@dataclass(frozen=True, slots=True)
class Working:
    """Findings that are taken over where nothing moved."""

    own: Mapping[str, Finding] = field(default_factory=dict)
    """Hosts about which more is known than their reports say."""
    raw_sites: Mapping[str, RawSite] = field(default_factory=dict)
    special: frozenset[str] = frozenset()
    """Sites looked at on every tick, for something is not as usual."""
    links: Mapping[str, Finding] = field(default_factory=dict)
    systems: Mapping[str, Finding] = field(default_factory=dict)
    current: frozenset[str] = frozenset()
    """Hosts that probe and report."""
    mute: frozenset[str] = frozenset()
    loose_hosts: frozenset[str] = frozenset()
    """Hosts whose cause was found among others of their kind."""


@dataclass(slots=True)
class Past:
    """The last judgement, what the rows say, and what was remembered besides."""

    standing: Standing = field(default_factory=Standing)
    books: Books = field(default_factory=no_books)
    memory: Memory = field(default_factory=Memory)
    hearing: Hearing = field(default_factory=Hearing)
    index: Index | None = None
    working: Working = field(default_factory=Working)

    def record(self, changes: Iterable[Change]) -> None:
        """Take over changes once their rows are committed."""
        for change in changes:
            since_ms = change.at_ms if change.since_ms is None else change.since_ms
            self.books[change.kind][change.id] = Recorded(change.after, since_ms, change.reason, change.cause)


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything concluded now, and what of it differs from the rows."""

    standing: Standing
    changes: list[Change]
    memory: Memory
    hearing: Hearing
    index: Index
    working: Working
    says_anew: bool = False
    """Whether some path says something else than before."""

    def into(self, past: Past) -> None:
        """Make it what the next judgement starts from."""
        past.standing, past.memory, past.hearing = self.standing, self.memory, self.hearing
        past.index, past.working = self.index, self.working
