"""What a judgement must remember of the ones before, beyond states: small values, kept in rows over a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collector.verdicts.flapping import Flap
from collector.verdicts.path_state import PathState
from collector.verdicts.standing import Fact

Key = tuple[str, str]
"""(kind, id), or (host, target) of a probed path."""
TIMES = ("recovered", "battery", "mains", "hubs", "suspected", "carried", "silent", "slow")
"""Parts that say when, or how long."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Never changed: each judgement makes the next one."""

    paths: Mapping[Key, PathState] = field(default_factory=dict)
    flaps: Mapping[Key, Flap] = field(default_factory=dict)
    recovered: Mapping[str, int] = field(default_factory=dict)
    """``hub:mea`` or ``site:abuja`` (end of a window) -> when it came back."""
    battery: Mapping[str, int] = field(default_factory=dict)
    """Host -> when its last report said that it ran on its UPS; ``mains``: that it did not."""
    mains: Mapping[str, int] = field(default_factory=dict)
    hubs: Mapping[str, int] = field(default_factory=dict)
    """Hub -> last contact."""
    suspected: Mapping[str, int] = field(default_factory=dict)
    """Hub, or ``collector``, that is out -> since when."""
    carried: Mapping[str, int] = field(default_factory=dict)
    """Backup link -> when it was last seen to work."""
    silent: Mapping[str, int] = field(default_factory=dict)
    """Host that fell silent -> its last report. A start reads back only the last minutes of reports; without this a host
    that has been out for longer would count as one that never reported."""
    slow: Mapping[str, int] = field(default_factory=dict)
    """Host -> milliseconds between its reports, of those that report more seldom than their site's profile says."""
    facts: Mapping[Key, tuple[Fact, ...]] = field(default_factory=dict)
    """Evidence of what is not well, so that a restart does not forget what a verdict stood on."""

    def plain(self, leaving: Sequence[str] = ()) -> dict[str, Any]:
        """For rows: lists of [key..., values...] by part, but for those left out."""
        made: dict[str, Callable[[], Any]] = {
            "paths": lambda: [[*key, *state] for key, state in self.paths.items()],
            "flaps": lambda: [[*key, *flap] for key, flap in self.flaps.items()],
            "facts": lambda: [[*key, [list(fact) for fact in facts]] for key, facts in self.facts.items()],
        }
        found = {part: make() for part, make in made.items() if part not in leaving}
        times = {part: getattr(self, part) for part in TIMES if part not in leaving}
        return found | {part: [list(item) for item in values.items()] for part, values in times.items()}

    def taking(self, part: str, rows: Any) -> Memory:
        """With one part as ``plain`` gave it."""
        if part == "paths":
            return replace(self, paths={(row[0], row[1]): PathState(*row[2:]) for row in rows})
        if part == "flaps":
            return replace(self, flaps={(row[0], row[1]): Flap(*row[2:]) for row in rows})
        if part == "facts":
            return replace(self, facts={(row[0], row[1]): tuple(Fact(*each) for each in row[2]) for row in rows})
        if part in TIMES:
            return replace(self, **{part: {row[0]: row[1] for row in rows}})
        return self
