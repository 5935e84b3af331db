"""From what the checks of one host said to a schema and its values, and which states changed.

Naming 460 series takes far longer than measuring them, and they hardly ever change: so the names of this report are
compared with those of the last one (one comparison of two lists), and schema, choice and order are kept as long as
they are equal. A report that lacks some of the names, as a probe's that failed, keeps the schema too and says of those
that they are absent: what comes and goes would otherwise send its whole schema at each turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.checks.base import OK, WARNING, Labels, Sample, State
from agent.checks.profiles import keep
from agent.link.model import Schema, Series, StateChange, make_schema, pack_values
from agent.link.names import Limits
from agent.series_order import LastSchema, Named, ordered

LIMITS = Limits()
TEXT_BYTES = 1000
LEFT_OUT = -1
Key = tuple[str, int, Labels]


class Report(NamedTuple):
    """One instant of one host. ``changes``: states that are not what they were; the first OK of a check is no news."""

    schema: Schema
    values: bytes
    changes: list[StateChange]


class HostReports:
    """Makes the reports of one host; remembers names and states between them."""

    def __init__(self, host_id: str, series_profile: str, last_schema: LastSchema | None = None) -> None:
        """``last_schema`` keeps the order of the series over restarts."""
        self.host_id = host_id
        self._profile = series_profile
        self._last_schema = last_schema
        self._names: list[tuple[str, Labels]] = []
        self._checks: list[str] = []
        self._chosen: list[int] = []
        """By column, the place of its sample; ``LEFT_OUT`` where the report has none."""
        self._columns: dict[tuple[str, Labels], int] = {}
        """By name and labels as measured, the column of the schema; ``LEFT_OUT`` of what does not travel."""
        self._schema: Schema | None = None
        self._states: dict[str, State] = {}

    def follow(self, series_profile: str) -> None:
        """Another amount of series from the next report on."""
        if series_profile != self._profile:
            self._profile = series_profile
            self._names, self._columns = [], {}

    def judge(self, states: Sequence[State]) -> list[StateChange]:
        """Take in current states of some checks; returns what changed."""
        changes = []
        for state in states:
            before = self._states.get(state.check)
            self._states[state.check] = state
            previous = -1 if before is None else before.state
            if state.state != previous and (before is not None or state.state != OK):
                changes.append(StateChange(self.host_id, state.check, state.state, previous, _cut(state.text)))
        return changes

    def make(self, samples: Sequence[Sample], states: Sequence[State]) -> Report:
        """``states`` are those of every check that ran now; a check that fell silent leaves the report."""
        if len(samples) > LIMITS.series_per_host:
            text = f"{len(samples)} series: expected at most {LIMITS.series_per_host}; the rest is left out"
            states = [*states, State("series_limit", WARNING, text)]
        changes = self.judge(states)
        self._states = {state.check: state for state in states}
        names = [(sample.name, sample.labels) for sample in samples]
        checks = list(self._states)
        if self._schema is None or names != self._names or checks != self._checks:
            if checks != self._checks or not self._fits(names):
                self._rebuild(samples, names, checks)
            self._names, self._checks = names, checks
        assert self._schema is not None
        numbers: list[float | None] = [None if at == LEFT_OUT else samples[at].value for at in self._chosen]
        numbers += [float(state.state) for state in self._states.values()]
        return Report(self._schema, pack_values(numbers), changes)

    def _fits(self, names: Sequence[tuple[str, Labels]]) -> bool:
        """Choose anew within the schema there is; False where a name is new, or most of the schema would be absent."""
        chosen = [LEFT_OUT] * len(self._chosen)
        for at, name in enumerate(names):
            column = self._columns.get(name)
            if column is None:
                return False
            if column != LEFT_OUT and chosen[column] == LEFT_OUT:  # of one said twice the first stands
                chosen[column] = at
        if chosen.count(LEFT_OUT) * 2 > len(chosen):
            return False
        self._chosen = chosen
        return True

    def _rebuild(self, samples: Sequence[Sample], names: Sequence[tuple[str, Labels]], checks: Sequence[str]) -> None:
        seen: set[tuple[str, Labels]] = set()
        chosen: list[tuple[int, Named, float | None]] = []
        for at, sample in enumerate(samples):
            key = (sample.name, sample.labels)
            if key in seen or len(chosen) >= LIMITS.series_per_host or not keep(self._profile, sample):
                continue
            seen.add(key)
            chosen.append((at, (sample.name, _clean(sample.labels)), sample.value))
        if self._schema is None and self._last_schema is not None:
            self._schema = self._last_schema.read()
        self._chosen = ordered(chosen, self._schema)
        series = tuple(
            Series(self.host_id, sample.name, sample.type, _clean(sample.labels))
            for sample in (samples[at] for at in self._chosen)
        )
        before, self._schema = self._schema, make_schema(series, tuple((self.host_id, check) for check in checks))
        self._columns = dict.fromkeys(names, LEFT_OUT) | {names[at]: column for column, at in enumerate(self._chosen)}
        if self._last_schema is not None and (before is None or before.hash != self._schema.hash):
            self._last_schema.write(self._schema)


def _clean(labels: Labels) -> Labels:
    """Labels within what a receiver takes: long values cut, empty ones left out."""
    return tuple((name, _cut(value, LIMITS.label_value_bytes)) for name, value in labels[: LIMITS.labels] if value)


def _cut(text: str, most: int = TEXT_BYTES) -> str:
    """At most so many bytes of UTF-8, whole characters, never half a surrogate."""
    packed = text.encode("utf-8", "replace")
    return packed[:most].decode("utf-8", "ignore")
