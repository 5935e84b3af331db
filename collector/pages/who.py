"""Who would be called for a site, one after the other, if something broke there and nobody answered. Pure.

Each step of the policy goes by the very way a page takes (``reach``, then ``pipeline.run``), for an incident that is none: so
the command, the API and the pages can say nothing else than what would be done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from collector.escalation.policy import EVERYBODY, ROUND_ROBIN, Policy
from collector.escalation.reach import reach
from collector.fleet.registry import Site
from collector.incidents.incident import TRIGGERED, Incident
from collector.pages import page as p
from collector.pages.pipeline import Ask, run
from collector.pages.recipients import aims, fallbacks, on_duty
from collector.pages.wording import Matter
from collector.people.person import Person, Team
from collector.rosters.duty import Called

PRIORITIES = {p.CRITICAL: 1, p.WARNING: 2, p.INFO: 4}
"""The most urgent that something of a severity can be: what is asked for reaches far."""


class Call(NamedTuple):
    """Somebody a step calls: because of what (``recipients``), and by which channels at once or, of one, first. ``trouble``
    = why no page can reach them; empty where one can. ``waits_until``: who sleeps is told then, None = at once."""

    person: str
    why: str
    channels: tuple[str, ...]
    team: str = ""
    trouble: str = ""
    waits_until: datetime | None = None


class Turn(NamedTuple):
    """A step: after so long without an answer these are called; ``is_one_of``: one of them, in turn."""

    after_seconds: int
    calls: tuple[Call, ...]
    is_one_of: bool = False

    @property
    def teams(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(call.team for call in self.calls if call.team))


@dataclass(frozen=True, slots=True)
class Who:
    """``called`` = what each roster for the site says at ``at``, the most particular first."""

    at: datetime
    policy: Policy
    turns: tuple[Turn, ...]
    called: tuple[Called, ...]
    severity: str = p.CRITICAL

    @property
    def fallback(self) -> tuple[str, ...]:
        """Who stands in where nobody is on duty, or where a step says so; not who is on duty anyway."""
        duty = on_duty(self.called)
        return tuple(name for name in fallbacks(self.called) if name not in duty)

    @property
    def reached(self) -> tuple[str, ...]:
        """Everybody a page would reach, in the order of calling."""
        found = (call.person for turn in self.turns for call in turn.calls if not call.trouble)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Ground:
    """What stays the same while steps follow one another. ``called_at``: what the site's rosters say at an instant, and what
    every roster does by its id, for steps that name one."""

    called_at: Callable[[datetime], tuple[Sequence[Called], Mapping[str, Called]]]
    people: Mapping[str, Person]
    teams: Mapping[str, Team] = field(default_factory=dict)
    configured: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()


def who(policy: Policy, ground: Ground, site: Site, at: datetime, severity: str = p.CRITICAL) -> Who:
    """The rosters are asked anew at each step's own time: the shift may change in between."""
    tried: dict[str, set[str]] = {}
    turns = []
    for number, step in enumerate(policy.steps):
        now = at + timedelta(seconds=step.after_seconds)
        called, named = ground.called_at(now)
        # Whose turn it is among several, the number of an incident decides that is not there yet.
        targets = reach(replace(step, mode=EVERYBODY), called, ground.people, tried, ground.teams, named)
        wanted = aims(targets, called, now)
        answer = run(_ask(ground, site, called, now, number, severity), wanted)
        troubles = {why.person: why.detail for why in answer.whys if why.outcome == "no_verified_channel"}
        ways: dict[str, list[str]] = {}
        for page in answer.pages:
            ways.setdefault(page.person, []).append(page.ways[0][0].channel)
            tried.setdefault(page.person, set()).add(page.ways[0][0].channel)
        reasons = {page.person: (page.why, page.team) for page in answer.pages}
        reasons.update({aim.person: (aim.why, aim.team) for aim in wanted})
        waits = {page.person: page.due_at for page in answer.pages if page.due_at > now}
        asleep = {why.person for why in answer.whys if why.outcome == "quiet_next"} - ways.keys()
        order = dict.fromkeys((*(aim.person for aim in wanted if aim.person not in asleep), *ways))
        calls = (
            Call(
                name, reasons[name][0], tuple(ways.get(name, ())), reasons[name][1], troubles.get(name, ""), waits.get(name)
            )
            for name in order
        )  # fmt: skip
        turns.append(Turn(step.after_seconds, tuple(calls), step.mode == ROUND_ROBIN))
    return Who(at, policy, tuple(turns), tuple(ground.called_at(at)[0]), severity)


def turn_rows(found: Who, people: Mapping[str, Person], may_reach: Callable[[Person], bool]) -> list[dict[str, Any]]:
    """The turns as plain values; ``channels``, ``trouble`` and ``waits_until`` are null where the asker may not know."""

    def row(call: Call) -> dict[str, Any]:
        known = people.get(call.person)
        is_told = known is None or may_reach(known)
        return {
            "id": call.person,
            "name_ko": known.name_ko if known else call.person,
            "name_en": known.name_en if known else call.person,
            "why": call.why,
            "team": call.team,
            "channels": list(call.channels) if is_told else None,
            "trouble": call.trouble if is_told else None,
            "waits_until": call.waits_until.isoformat() if is_told and call.waits_until else None,
        }

    return [
        {
            "after_seconds": turn.after_seconds,
            "is_one_of": turn.is_one_of,
            "people": [row(call) for call in turn.calls],
        }
        for turn in found.turns
    ]


def _ask(ground: Ground, site: Site, called: Sequence[Called], now: datetime, step: int, severity: str) -> Ask:
    incident = Incident(
        number=0, uid="", key="", source="", state=TRIGGERED, severity=severity, priority=PRIORITIES[severity], reason="",
        subject_kind="site", subject_id=site.id, site=site.id, agency=site.agency, title_ko="", title_en="",
        occurred_at=now, opened_at=now,
    )  # fmt: skip
    # As of one that was told before: that it might be a start of ours, which is over in a minute, is not asked for.
    kind = p.ESCALATION
    return Ask(
        now=now,
        incident=incident,
        kind=kind,
        step=step,
        matter=Matter(kind, "", incident),
        called=called,
        people=ground.people,
        configured=ground.configured,
        failing=ground.failing,
    )
