"""Ten ways to get the judgement wrong: each has to be caught by the table of situations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
import virtual_fleet
from situations import SITUATIONS
from test_situations import check

from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.standing import DOWN, OK

pytestmark = pytest.mark.slow


def part(name: str) -> Any:
    return import_module(f"collector.verdicts.{name}")


def silence_is_green(old: Any) -> Any:
    return lambda *args: Finding(OK, r.REPORTING)


def silence_is_down(old: Any) -> Any:
    def silent(*args: Any) -> Finding:
        found: Finding = old(*args)
        return found._replace(state=DOWN) if found.reason in (r.SILENT, r.AGENT_DOWN) else found

    return silent


MUTANTS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "silence is green": ("sites", "_silent", silence_is_green),
    "silence is down": ("sites", "_silent", silence_is_down),
    "one vantage is enough": ("votes", "QUORUM", lambda old: 1),
    "everybody has a vote": ("senses", "mute_sites", lambda old: lambda *args: (frozenset(), frozenset())),
    "the UPS is not asked": ("sites", "_battery_facts", lambda old: lambda *args: ()),
    "hubs are never at fault": ("parents", "judge_hub", lambda old: lambda *args: (Finding(OK, r.REPORTING), False)),
    "no time to recover": ("sites", "_recovering_parent", lambda old: lambda *args: ""),
    "nobody shares a cable": ("sharing", "common_factors", lambda old: lambda *args: {}),
    "large packets are not looked at": ("path_state", "CLEAN_CYCLES", lambda old: 0),
    "we are never blind": ("judge", "blindness", lambda old: lambda *args, **kwargs: ()),
    "flapping is not damped": ("flapping", "START", lambda old: 1e9),
    "dependencies do not count": ("systems", "_depends", lambda old: lambda *args, **kwargs: Finding(OK, r.REPORTING)),
    "a group needs none of its members": ("systems", "judge_group", lambda old: lambda *args: Finding(OK, r.REPORTING)),
    "what went before is forgotten": ("sharing", "find_trouble", lambda old: lambda *args: None),
    "a bad battery explains everything": ("buildings", "BEFORE_MS", lambda old: 10**12),
    "agreed work is no excuse": ("judge", "find_site", lambda old: lambda s, raw, t, rec, a: old(s, raw, t, rec, _without_windows(a))),
    "work on the only line is no excuse": ("judge", "cut_off", lambda old: lambda *args: {}),
    "work on a hub is no excuse": ("parents", "in_window", lambda old: lambda window, facts: Finding(DOWN, r.HUB_DOWN, "", facts)),
}  # fmt: skip


def _without_windows(around: Any) -> Any:
    from dataclasses import replace

    return replace(around, windows={})


@pytest.fixture
def mutant(request: pytest.FixtureRequest) -> Iterator[str]:
    """One part of the judge replaced by a wrong one."""
    name: str = request.param
    module, attribute, change = MUTANTS[name]
    place = part(module)
    old = getattr(place, attribute)
    virtual_fleet._warm.cache_clear()
    setattr(place, attribute, change(old))
    yield name
    setattr(place, attribute, old)
    virtual_fleet._warm.cache_clear()


@pytest.mark.parametrize("mutant", MUTANTS, indirect=True)
def test_the_table_catches(mutant: str) -> None:
    caught = []
    for situation in SITUATIONS:
        try:
            check(situation)
        except AssertionError:
            caught.append(situation.name)
    assert caught, f"nothing in the table tells when {mutant}"
    print(mutant, len(caught), file=sys.stderr)


def test_the_unmutated_judge_is_not_caught() -> None:
    for situation in SITUATIONS:
        check(situation)
