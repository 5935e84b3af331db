"""Policies as values: which steps an incident takes, when the next one is due, and which policy one gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

ON_DUTY, NEXT_ON_DUTY, ALL_ON_DUTY, FALLBACK = "on_duty", "next_on_duty", "all_on_duty", "fallback"
WORDS = (ON_DUTY, NEXT_ON_DUTY, ALL_ON_DUTY, FALLBACK)
NAMED = ("roster", "team", "person", "summons")
"""Written ``team:network``."""
FIRST, NEXT, ALL = "first", "next", "all"
CHANNEL_WORDS = (FIRST, NEXT, ALL)
EVERYBODY, ROUND_ROBIN = "all", "round_robin"
MODES = (EVERYBODY, ROUND_ROBIN)


@dataclass(frozen=True, slots=True)
class Step:
    """``after_seconds`` counts from when the incident was due. ``channel``: a person's first one, the next they were not
    tried on (nor anybody before them), all of them, or one by name. ``round_robin``: one of those named, in turn."""

    after_seconds: int
    notify: tuple[str, ...]
    channel: str = FIRST
    mode: str = EVERYBODY


@dataclass(frozen=True, slots=True)
class Policy:
    id: str
    steps: tuple[Step, ...] = ()
    repeat_seconds: int = 0
    """After the last step it is taken again every so often until somebody acknowledges; 0 = never."""
    reack_seconds: int = 0
    """Who acknowledged and is silent for so long is paged again, from the first step; 0 = never."""
    summons_seconds: int = 600
    """Nobody of those called in answered for so long: the next step is due at once."""

    def step(self, number: int) -> Step | None:
        """The step of this number; the last again and again where it repeats. None where there is none."""
        if number < len(self.steps):
            return self.steps[number]
        return self.steps[-1] if self.steps and self.repeat_seconds else None

    def following(self, number: int, now: datetime) -> datetime | None:
        """When the step after ``number`` is due, which is taken now. None where there is none."""
        if self.step(number + 1) is None:
            return None
        if number + 1 >= len(self.steps):
            return now + timedelta(seconds=self.repeat_seconds)
        seconds = self.steps[number + 1].after_seconds - self.steps[number].after_seconds
        return now + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Route:
    """Which incidents get a policy; an empty list means any."""

    policy: str
    severities: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()
    sites: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()

    def meets(self, severity: str, priority: int, site: str, agency: str) -> bool:
        wanted: tuple[tuple[tuple[Any, ...], Any], ...] = (
            (self.severities, severity),
            (self.priorities, priority),
            (self.sites, site),
            (self.agencies, agency),
        )
        return all(not some or value in some for some, value in wanted)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole file: policies, who gets which, and how incidents run their course."""

    policies: tuple[Policy, ...]
    routes: tuple[Route, ...]
    hold_seconds: int = 30
    """Before anybody is told of what verdicts find, where they do not wait for longer by themselves."""
    alert_hold_seconds: int = 30
    """Before anybody is told of an alert: what it lies behind may be found meanwhile."""
    settle_seconds: int = 120
    """What ended must stay so for this long before it counts as resolved; twice as long with each return."""
    settle_most_seconds: int = 1800
    reopen_seconds: int = 600
    """What comes back within this time after it was resolved is the same incident."""
    close_seconds: int = 86_400
    """What was resolved for so long is closed, unless the clock for fixing ran: people close those. 0 = never."""
    storm_per_minute: int = 50
    storm_calm_seconds: int = 300
    """A storm is over when so long fewer than that came."""
    only_on_shift: bool = True
    """Whether only somebody on duty ends the steps by acknowledging, while anybody is."""
    fix_seconds: Mapping[int, int] = field(default_factory=dict)
    """By the grade of the highest system that is down; a grade without one has no clock."""
    digest_hours: str = "09:00-18:00"
    digest_timezone: str = "Asia/Seoul"

    def choose(self, severity: str, priority: int, site: str, agency: str) -> Policy:
        """The policy of the first route that meets; one without steps where none does."""
        for route in self.routes:
            if route.meets(severity, priority, site, agency):
                return next(policy for policy in self.policies if policy.id == route.policy)
        return Policy("none")


SHIPPED = Plan(
    policies=(
        Policy(
            "critical",
            (
                Step(0, (ON_DUTY,)),
                Step(300, (NEXT_ON_DUTY,), NEXT),
                Step(600, (ALL_ON_DUTY, FALLBACK), ALL),
            ),
            repeat_seconds=900,
            reack_seconds=3600,
        ),
        Policy("warning", (Step(0, (ON_DUTY,)), Step(1800, (ON_DUTY,), NEXT)), reack_seconds=14_400),
        Policy("info"),
    ),
    routes=(Route("critical", ("critical",)), Route("warning", ("warning",)), Route("info", ("info",))),
    fix_seconds={1: 7200, 2: 10_800},
)
"""What holds while nothing was applied; ``configs/escalation.toml`` says the same."""


def freeze(policy: Policy) -> dict[str, Any]:
    """As plain values, to be kept with an incident."""
    return asdict(policy)


def thaw(frozen: Mapping[str, Any]) -> Policy:
    """What ``freeze`` gave, also where it was written by an older program."""
    steps = tuple(
        Step(step["after_seconds"], tuple(step["notify"]), step.get("channel", FIRST), step.get("mode", EVERYBODY))
        for step in frozen.get("steps", ())
    )
    return Policy(
        frozen.get("id", "none"),
        steps,
        frozen.get("repeat_seconds", 0),
        frozen.get("reack_seconds", 0),
        frozen.get("summons_seconds", 600),
    )
