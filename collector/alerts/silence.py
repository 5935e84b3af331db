"""Silences: which alerts nobody is to hear of, from when to when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from collector.history.matchers import Matchers, accept, matcher
from collector.store.scope import Scope

PENDING, ACTIVE, EXPIRED = "pending", "active", "expired"
Words = tuple[tuple[str, str, str], ...]
"""(label, operator, value) of each matcher."""


@dataclass(frozen=True, slots=True)
class Silence:
    """``scope``: what its author may see; it touches nothing beyond."""

    id: str
    words: Words
    starts_at: datetime
    ends_at: datetime
    created_by: str
    login: str
    comment: str
    updated_at: datetime
    scope: Scope
    matchers: Matchers = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matchers", tuple(matcher(*word) for word in self.words))

    def state(self, at: datetime) -> str:
        if at < self.starts_at:
            return PENDING
        return ACTIVE if at < self.ends_at else EXPIRED

    def holds(self, labels: Mapping[str, str], at: datetime) -> bool:
        """Whether an alert with these labels is silenced by it; labels as the registry stamped them."""
        return (
            self.state(at) == ACTIVE
            and self.scope.allows(labels.get("agency", ""), labels.get("site", ""))
            and accept(self.matchers, dict(labels))
        )


class Silences:
    """The silences there are; replaced whole, so readers need no lock."""

    def __init__(self) -> None:
        self._all: tuple[Silence, ...] = ()

    def replace(self, silences: Iterable[Silence]) -> None:
        self._all = tuple(silences)

    @property
    def all(self) -> tuple[Silence, ...]:
        return self._all

    def silenced(self, labels: Mapping[str, str], at: datetime) -> str:
        """The id of a silence that holds, the one that lasts longest; "" where none does."""
        held = [one for one in self._all if one.holds(labels, at)]
        return max(held, key=lambda one: (one.ends_at, one.id)).id if held else ""

    def until(self, alerts: Iterable[Mapping[str, str]], at: datetime) -> datetime | None:
        """Until when all of these are silenced; None where one of them is not."""
        ends = []
        for labels in alerts:
            held = [one.ends_at for one in self._all if one.holds(labels, at)]
            if not held:
                return None
            ends.append(max(held))
        return min(ends, default=None)

    def by(self, labels: Mapping[str, str], at: datetime) -> list[str]:
        """The ids of every silence that holds."""
        return [one.id for one in self._all if one.holds(labels, at)]


def may_see(silence: Silence, scope: Scope) -> bool:
    """Whether someone who may see so much may see this silence: nobody learns of what is not theirs by it."""
    return _within(silence.scope.agencies, scope.agencies) and _within(silence.scope.sites, scope.sites)


def may_change(before: Silence, after: Silence, starts_at: datetime, now: datetime) -> bool:
    """Whether it may become this without rewriting what it silenced: the same matchers, and a beginning that is past
    stays."""
    if before.words != after.words:
        return False
    state = before.state(now)
    return state == PENDING or (state != EXPIRED and starts_at == before.starts_at)


def is_meant(silence: Silence, wanted: Matchers) -> bool:
    """Alertmanager's filter of silences: each matcher asked for meets the value of one of the silence's own."""
    said = {label: value for label, _, value in silence.words}
    return all(one.label in said and one.accepts(said[one.label]) for one in wanted)


def _within(inner: frozenset[str] | None, outer: frozenset[str] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)
