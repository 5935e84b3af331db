"""What a rule file says, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.history.promql.plan import Node
from collector.rules.template import Template


@dataclass(frozen=True, slots=True)
class Rule:
    """A recording rule or, where ``is_alert``, an alerting rule."""

    name: str
    """The metric a recording rule writes, or the alert's name."""
    is_alert: bool
    query: str
    expr: Node
    labels: Mapping[str, Template] = field(default_factory=dict)
    annotations: Mapping[str, Template] = field(default_factory=dict)
    for_ms: int = 0
    keep_firing_for_ms: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated in order, at the same instants."""

    file: str
    name: str
    interval_ms: int
    rules: tuple[Rule, ...]
    limit: int = 0
    """Most series or alerts a rule of the group may give; 0 = any number."""

    @property
    def key(self) -> str:
        """As Prometheus names it in ``rule_group`` labels; unique among groups that are loaded together."""
        return f"{self.file};{self.name}"
