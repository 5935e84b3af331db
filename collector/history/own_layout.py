"""Which series a sample of the collector's own holds, and where in it those stand that a selector names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from collector.history.matchers import Matchers, accept
from collector.history.source import LabelSet, LabelSets
from collector.store.scope import EVERYTHING, Scope

FOUND_KEPT = 500


class Found(NamedTuple):
    places: NDArray[np.intp]
    labels: LabelSets


NOTHING = Found(np.empty(0, np.intp), LabelSets())


class OwnLayout:
    """``labels[i]`` is the series at place i of a sample."""

    def __init__(self, labels: Sequence[LabelSet]) -> None:
        self.labels = tuple(labels)
        self._places: dict[LabelSet, int] | None = None
        self._named: dict[str, list[int]] | None = None
        self._found: dict[tuple[object, ...], Found] = {}

    @property
    def packed(self) -> bytes:
        return msgspec.msgpack.encode(self.labels)

    def places(self, labels: Sequence[LabelSet]) -> list[int] | None:
        """Where these series stand; None where one of them is not among them."""
        known = self._places
        if known is None:
            known = self._places = {one: at for at, one in enumerate(self.labels)}
        try:
            return [known[one] for one in labels]
        except KeyError:
            return None

    def find(self, matchers: Matchers, scope: Scope) -> Found:
        """The series the matchers name that the caller may see."""
        named = self._by_name()
        name = next((one.value for one in matchers if one.label == "__name__" and one.op == "="), None)
        if name is not None and name not in named:
            return NOTHING
        key = (tuple(one[:3] for one in matchers), scope)
        found = self._found.get(key)
        if found is None:
            asked = range(len(self.labels)) if name is None else named[name]
            places = [at for at in asked if _is_wanted(matchers, dict(self.labels[at]), scope)]
            found = Found(np.array(places, np.intp), LabelSets(self.labels[at] for at in places))
            if len(self._found) >= FOUND_KEPT:
                self._found = {}
            self._found[key] = found
        return found

    def _by_name(self) -> dict[str, list[int]]:
        named = self._named
        if named is None:
            named = {}
            for at, labels in enumerate(self.labels):
                named.setdefault(dict(labels).get("__name__", ""), []).append(at)
            self._named = named
        return named


def unpacked(packed: bytes) -> OwnLayout:
    return OwnLayout([tuple((name, value) for name, value in labels) for labels in msgspec.msgpack.decode(packed)])


def _is_wanted(matchers: Matchers, own: dict[str, str], scope: Scope) -> bool:
    return (scope == EVERYTHING or scope.allows(own.get("agency"), own.get("site"))) and accept(matchers, own)
