"""Situations, one a row: who is registered, what was heard when, and what has to be concluded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worlds import START, Check, Known, Reported, agent_id, fleet, known

from collector.fleet.registry import Fleet
from collector.verdicts.grace import GRACE_INTERVALS
from collector.verdicts.judge import judge
from collector.verdicts.past import Past
from collector.verdicts.reasons import (
    AGENTS_SILENT,
    CHECKS_FAILING,
    HOSTS_NEVER_REPORTED,
    HOSTS_SILENT,
    LATE,
    NEVER_REPORTED,
    NO_HOSTS,
    REASONS,
    REPORTING,
    REVOKED,
    SILENT,
    STARTING,
    SUSPENDED,
)
from collector.verdicts.standing import DEGRADED, NO_DATA, OK, STATES, Standing

ONE = fleet({"a.seoul": "x"})
TWO = fleet({"a.seoul": "x", "b.seoul": "y"})
SHARED = fleet({"a.seoul": "x", "b.seoul": "x"})
UNWATCHED = fleet({"a.seoul": "x", "b.seoul": None})
GEO = fleet({"a.seoul": "x"}, profile="geo")
LATER = 1000.0  # long after any grace

GOOD = (OK, REPORTING)
SILENCE = (NO_DATA, SILENT)

SITUATIONS: list[tuple[str, Fleet, Known, float, dict[str, tuple[int, str]]]] = [
    # one host, one agent
    ("reports", ONE, known({"a.seoul": ("x", LATER - 1)}), LATER, {"a.seoul": GOOD, "seoul": GOOD, "x": GOOD}),
    ("at the last moment", ONE, known({"a.seoul": ("x", LATER - 45)}), LATER, {"a.seoul": GOOD, "seoul": GOOD}),
    (
        "a moment too late",
        ONE,
        known({"a.seoul": ("x", LATER - 45.001)}),
        LATER,
        {"a.seoul": SILENCE, "seoul": SILENCE, "x": SILENCE},
    ),
    ("silent for long", ONE, known({"a.seoul": ("x", -86400)}), LATER, {"a.seoul": SILENCE, "seoul": SILENCE}),
    (
        "never heard of",
        ONE,
        known({}),
        LATER,
        {"a.seoul": (NO_DATA, NEVER_REPORTED), "seoul": (NO_DATA, NEVER_REPORTED), "x": (NO_DATA, NEVER_REPORTED)},
    ),
    ("our clock went back", ONE, known({"a.seoul": ("x", LATER + 30)}), LATER, {"a.seoul": GOOD, "seoul": GOOD}),
    (
        "only old records arrive",
        ONE,
        known({}, x=LATER - 1),
        LATER,
        {"a.seoul": (NO_DATA, NEVER_REPORTED), "x": (NO_DATA, LATE), "seoul": (NO_DATA, NEVER_REPORTED)},
    ),
    (
        "old records after a silence",
        ONE,
        known({"a.seoul": ("x", LATER - 600)}, x=LATER - 1),
        LATER,
        {"a.seoul": SILENCE, "x": (NO_DATA, LATE), "seoul": SILENCE},
    ),
    # intervals follow the report, else the profile
    ("slow link waits longer", GEO, known({}, x=LATER - 170), LATER, {"x": (NO_DATA, LATE)}),
    ("slow link runs out too", GEO, known({}, x=LATER - 181), LATER, {"x": SILENCE}),
    # checks
    (
        "warning",
        ONE,
        known({"a.seoul": ("x", LATER, {"disk": 1})}),
        LATER,
        {"a.seoul": (DEGRADED, CHECKS_FAILING), "seoul": (DEGRADED, CHECKS_FAILING), "x": GOOD},
    ),
    ("critical", ONE, known({"a.seoul": ("x", LATER, {"disk": 2})}), LATER, {"a.seoul": (DEGRADED, CHECKS_FAILING)}),
    ("unknown alone", ONE, known({"a.seoul": ("x", LATER, {"disk": 3})}), LATER, {"a.seoul": GOOD, "seoul": GOOD}),
    ("all ok", ONE, known({"a.seoul": ("x", LATER, {"disk": 0, "cpu": 0})}), LATER, {"a.seoul": GOOD}),
    (
        "silence is worse known than failing",
        ONE,
        known({"a.seoul": ("x", LATER - 100, {"disk": 2})}),
        LATER,
        {"a.seoul": SILENCE, "seoul": SILENCE},
    ),
    # two hosts
    (
        "both report",
        TWO,
        known({"a.seoul": ("x", LATER), "b.seoul": ("y", LATER)}),
        LATER,
        {"a.seoul": GOOD, "b.seoul": GOOD, "seoul": GOOD},
    ),
    (
        "one of two silent",
        TWO,
        known({"a.seoul": ("x", LATER), "b.seoul": ("y", LATER - 60)}),
        LATER,
        {"a.seoul": GOOD, "b.seoul": SILENCE, "seoul": (DEGRADED, HOSTS_SILENT)},
    ),
    (
        "both silent",
        TWO,
        known({"a.seoul": ("x", LATER - 60), "b.seoul": ("y", LATER - 60)}),
        LATER,
        {"seoul": SILENCE},
    ),
    (
        "one silent, one never heard of",
        TWO,
        known({"a.seoul": ("x", LATER - 60)}),
        LATER,
        {"seoul": SILENCE, "b.seoul": (NO_DATA, NEVER_REPORTED)},
    ),
    (
        "one silent, one failing",
        TWO,
        known({"a.seoul": ("x", LATER - 60), "b.seoul": ("y", LATER, {"disk": 2})}),
        LATER,
        {"seoul": (DEGRADED, HOSTS_SILENT)},
    ),
    (
        "second agent never came",
        TWO,
        known({"a.seoul": ("x", LATER)}),
        LATER,
        {"seoul": (DEGRADED, AGENTS_SILENT), "y": (NO_DATA, NEVER_REPORTED)},
    ),
    # one agent, two hosts (the second over SSH)
    (
        "agent well, its target silent",
        SHARED,
        known({"a.seoul": ("x", LATER), "b.seoul": ("x", LATER - 60)}),
        LATER,
        {"x": GOOD, "b.seoul": SILENCE, "seoul": (DEGRADED, HOSTS_SILENT)},
    ),
    ("only the target reports", SHARED, known({"b.seoul": ("x", LATER)}), LATER, {"x": GOOD, "b.seoul": GOOD}),
    # registered, not watched
    (
        "host without an agent",
        UNWATCHED,
        known({"a.seoul": ("x", LATER)}),
        LATER,
        {"b.seoul": (NO_DATA, NEVER_REPORTED), "seoul": (DEGRADED, HOSTS_NEVER_REPORTED)},
    ),
    (
        "no host has an agent",
        fleet({"a.seoul": None}),
        known({}),
        LATER,
        {"a.seoul": (NO_DATA, NEVER_REPORTED), "seoul": (NO_DATA, NEVER_REPORTED)},
    ),
    ("empty site", fleet({}, sites=("empty",)), known({}), LATER, {"empty": (NO_DATA, NO_HOSTS)}),
    # suspended and revoked
    (
        "suspended",
        fleet({"a.seoul": "x"}, {"x": "suspended"}),
        known({"a.seoul": ("x", LATER)}),
        LATER,
        {"a.seoul": (NO_DATA, SUSPENDED), "x": (NO_DATA, SUSPENDED), "seoul": (NO_DATA, SUSPENDED)},
    ),
    (
        "revoked, its last word is no evidence",
        fleet({"a.seoul": "x", "b.seoul": "y"}, {"x": "revoked"}),
        known({"a.seoul": ("x", LATER), "b.seoul": ("y", LATER)}),
        LATER,
        {"a.seoul": (NO_DATA, REVOKED), "b.seoul": GOOD, "seoul": (DEGRADED, HOSTS_SILENT)},
    ),
    # right after a start
    ("started, heard before", ONE, known({"a.seoul": ("x", -300)}), 5, {"a.seoul": (NO_DATA, STARTING)}),
    ("started, never heard", ONE, known({}), 5, {"a.seoul": (NO_DATA, STARTING), "seoul": (NO_DATA, STARTING)}),
    ("started, reported since", ONE, known({"a.seoul": ("x", 3)}), 5, {"a.seoul": GOOD, "seoul": GOOD, "x": GOOD}),
    ("started, still current", ONE, known({"a.seoul": ("x", -20)}), 5, {"a.seoul": GOOD, "seoul": GOOD}),
    ("grace's last moment", ONE, known({}), 29.999, {"a.seoul": (NO_DATA, STARTING), "x": (NO_DATA, STARTING)}),
    ("grace is over", ONE, known({}), 30, {"a.seoul": (NO_DATA, NEVER_REPORTED), "x": (NO_DATA, NEVER_REPORTED)}),
    ("slow link, longer grace", GEO, known({}), 119, {"a.seoul": (NO_DATA, STARTING)}),
    (
        "started, one of two is back",
        TWO,
        known({"a.seoul": ("x", 3), "b.seoul": ("y", -300)}),
        5,
        {"a.seoul": GOOD, "b.seoul": (NO_DATA, STARTING), "seoul": (NO_DATA, STARTING)},
    ),
    (
        "started, what is failing is failing",
        TWO,
        known({"a.seoul": ("x", 3, {"disk": 2}), "b.seoul": ("y", -300)}),
        5,
        {"seoul": (DEGRADED, CHECKS_FAILING)},
    ),
    ("no agent needs no grace", fleet({"a.seoul": None}), known({}), 5, {"a.seoul": (NO_DATA, NEVER_REPORTED)}),
]


@pytest.mark.parametrize(
    ("world", "heard", "at", "expected"), [row[1:] for row in SITUATIONS], ids=[r[0] for r in SITUATIONS]
)
def test_situation(world: Fleet, heard: Known, at: float, expected: dict[str, tuple[int, str]]) -> None:
    standing = judge(world, heard, START + round(at * 1000), Past(), START).standing
    everything: dict[str, Any] = {**standing.hosts, **standing.sites}
    everything.update((agent.rstrip(b"\0").decode(), found) for agent, found in standing.agents.items())
    assert {name: everything[name][0::2][:2] for name in expected} == expected
    for found in everything.values():
        assert found.reason in REASONS
        assert found.state < len(STATES)
    assert not [host for host, found in standing.hosts.items() if found.state == OK and found.last_report_ms is None]


def settle(world: Fleet, heard: Known, at: float, past: Past, started_ms: int = START) -> tuple[Standing, list[Any]]:
    """One tick as the job does it."""
    judged = judge(world, heard, START + round(at * 1000), past, started_ms)
    past.record(judged.changes)
    judged.into(past)
    return judged.standing, judged.changes


def test_change_is_found_once_and_since_stays() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER)})
    _, changes = settle(ONE, heard, LATER, past)
    assert {(c.kind, c.id, c.before, c.after) for c in changes} == {
        ("host", "a.seoul", None, OK),
        ("agent", agent_id("x").hex(), None, OK),
        ("site", "seoul", None, OK),
    }
    standing, changes = settle(ONE, heard, LATER + 10, past)
    assert changes == []
    assert standing.sites["seoul"].since_ms == START + LATER * 1000
    standing, changes = settle(ONE, heard, LATER + 46, past)
    assert {(c.kind, c.before, c.after, c.reason) for c in changes} == {
        ("host", OK, NO_DATA, SILENT),
        ("agent", OK, NO_DATA, SILENT),
        ("site", OK, NO_DATA, SILENT),
    }
    assert standing.hosts["a.seoul"].since_ms == START + (LATER + 46) * 1000


def test_tick_without_news_takes_over_the_same_objects() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER), "b.seoul": ("y", LATER)})
    first, _ = settle(TWO, heard, LATER, past)
    second, _ = settle(TWO, heard, LATER + 1, past)
    assert second.hosts["a.seoul"] is first.hosts["a.seoul"]
    assert second.sites["seoul"] is first.sites["seoul"]
    heard.hosts["b.seoul"] = replace(heard.hosts["b.seoul"], received_at_ms=START + round((LATER + 2) * 1000))
    third, _ = settle(TWO, heard, LATER + 2, past)
    assert third.hosts["a.seoul"] is first.hosts["a.seoul"]
    assert third.sites["seoul"].last_report_ms == START + (LATER + 2) * 1000


def test_state_change_between_reports_is_seen_at_once() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER, {"nginx": 0})})
    settle(ONE, heard, LATER, past)
    heard.hosts["a.seoul"] = replace(heard.hosts["a.seoul"], checks={"nginx": Check(2, START + 1, "not running")})
    standing, changes = settle(ONE, heard, LATER + 1, past)
    assert [(c.kind, c.after) for c in changes] == [("site", DEGRADED), ("host", DEGRADED)]
    assert [(f.check, f.text) for f in standing.sites["seoul"].failing] == [("nginx", "not running")]


def test_failing_checks_stand_worst_first_and_outlive_silence() -> None:
    heard = known({"a.seoul": ("x", LATER, {"b": 1, "a": 3, "c": 2, "d": 0})})
    standing = judge(ONE, heard, START + round(LATER * 1000), Past(), START).standing
    assert [f.check for f in standing.hosts["a.seoul"].failing] == ["c", "b", "a"]
    later = judge(ONE, heard, START + round((LATER + 100) * 1000), Past(), START).standing
    assert (later.hosts["a.seoul"].state, len(later.hosts["a.seoul"].failing)) == (NO_DATA, 3)


def test_restart_leaves_no_trace() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER)})
    settle(ONE, heard, LATER, past)
    restarted = Past(books=past.books, memory=past.memory)  # as read back from the rows
    started = START + round((LATER + 600) * 1000)
    standing, changes = settle(ONE, heard, LATER + 601, restarted, started)
    assert changes == []
    assert standing.sites["seoul"].reason == STARTING
    heard = known({"a.seoul": ("x", LATER + 610)})
    standing, changes = settle(ONE, heard, LATER + 611, restarted, started)
    assert changes == []
    assert standing.sites["seoul"][:3] == (OK, START + LATER * 1000, REPORTING)


def test_restart_that_finds_silence_says_so_after_the_grace() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER)})
    settle(ONE, heard, LATER, past)
    started = START + round((LATER + 600) * 1000)
    restarted = Past(books=past.books, memory=past.memory)
    _, changes = settle(ONE, heard, LATER + 600 + GRACE_INTERVALS * 15 - 1, restarted, started)
    assert changes == []
    _, changes = settle(ONE, heard, LATER + 600 + GRACE_INTERVALS * 15, restarted, started)
    assert {(c.kind, c.before, c.after) for c in changes} == {(kind, OK, NO_DATA) for kind in ("host", "site", "agent")}


def test_fleet_that_changed_is_judged_anew() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER)})
    settle(ONE, heard, LATER, past)
    grown = fleet({"a.seoul": "x", "b.seoul": None}, version=2)
    standing, changes = settle(grown, heard, LATER + 1, past)
    assert standing.sites["seoul"][0::2][:2] == (DEGRADED, HOSTS_NEVER_REPORTED)
    assert {(c.kind, c.id) for c in changes} == {("host", "b.seoul"), ("site", "seoul")}
    standing, changes = settle(fleet({"a.seoul": "x"}, version=3), heard, LATER + 2, past)
    assert "b.seoul" not in standing.hosts
    assert [(c.kind, c.after) for c in changes] == [("site", OK)]


def test_report_without_an_interval_uses_the_profile() -> None:
    heard = Known({"a.seoul": Reported(agent_id("x"), START, interval_ms=0)})
    assert judge(GEO, heard, START + 180_000, Past(), 0).standing.hosts["a.seoul"].state == OK
    assert judge(GEO, heard, START + 180_001, Past(), 0).standing.hosts["a.seoul"].state == NO_DATA


def test_watched_seconds_grow_only_while_there_is_evidence() -> None:
    past = Past()
    heard = known({"a.seoul": ("x", LATER)})
    settle(ONE, heard, LATER, past)
    standing, _ = settle(ONE, heard, LATER + 10, past)
    assert standing.eligible_seconds == {"seoul": 10.0}
    settle(ONE, heard, LATER + 50, past)  # fell silent; a tick 40 s late counts as 15
    standing, _ = settle(ONE, heard, LATER + 60, past)
    assert standing.eligible_seconds == {"seoul": 25.0}
    assert standing.downtime_seconds == {"seoul": 0.0}
    standing, _ = settle(ONE, heard, LATER + 55, past)  # the clock went back
    assert standing.eligible_seconds == {"seoul": 25.0}


def test_who_reports_seldom_by_its_own_word_is_given_the_time() -> None:
    heard = known({"a.seoul": ("x", LATER - 170)})
    heard.hosts["a.seoul"] = replace(heard.hosts["a.seoul"], interval_ms=60_000)
    heard.agents[agent_id("x")] = replace(heard.agents[agent_id("x")], interval_ms=60_000)
    for at, expected in ((LATER, GOOD), (LATER + 10, GOOD), (LATER + 10.001, SILENCE)):
        now = judge(ONE, heard, START + round(at * 1000), Past(), START).standing
        for one in (now.hosts["a.seoul"], now.agents[agent_id("x")], now.sites["seoul"]):
            assert (one.state, one.reason) == expected, at
