"""Whom a step reaches and when the next one is due, as tables; and what a file of escalation may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import TopologyError
from collector.escalation.policy import SHIPPED, Policy, Route, Step, freeze, thaw
from collector.escalation.policy_file import is_escalation_file, plan_of, read_escalation, rows_of
from collector.escalation.reach import reach
from collector.people.person import Contact, Person, Team
from collector.rosters.duty import Called, Duty
from collector.rosters.roster import Roster, Shift

NOW = datetime(2026, 11, 22, 1, 42, tzinfo=UTC)
SHIPPED_TEXT = (Path(__file__).parents[3] / "configs/escalation.toml").read_text("utf-8")


def person(name: str, *channels: str) -> Person:
    return Person(name, name, name, contacts=tuple(Contact(channel, f"{name}@{channel}") for channel in channels))


def called(name: str, *layers: tuple[str, ...], fallback: tuple[str, ...] = ()) -> Called:
    roster = Roster(name, name, name, "", (), (), "Asia/Seoul", "", "always", fallback, ())
    hour = timedelta(hours=1)
    duties = tuple(Duty(f"l{n}", (Shift(NOW, NOW + hour, who, f"l{n}"),)) for n, who in enumerate(layers))
    return Called(roster, duties, not duties, () if duties else fallback)


PEOPLE = {
    p.id: p for p in (person("kim", "sms", "phone"), person("lee", "email", "sms"), person("ada"), person("far", "sms"))
}
ROOM = called("room", ("kim",), ("lee", "ada"), fallback=("far",))
HOLE = called("hole", fallback=("far", "kim"))
TEAMS = {"net": Team("net", "net", "net", members=("lee", "far"))}
CASES = [
    ("the first layer on its first channel", Step(0, ("on_duty",)), [ROOM], {}, [("kim", "sms phone")]),
    ("the next who was not called", Step(0, ("next_on_duty",), "next"), [ROOM], {"kim": {"sms"}}, [("lee", "email sms")]),
    ("the next, where the channel may be broken", Step(0, ("next_on_duty",), "next"), [ROOM], {"kim": {"email"}}, [("lee", "sms email")]),
    ("the same one on another channel", Step(0, ("on_duty",), "next"), [ROOM], {"kim": {"sms"}}, [("kim", "phone sms")]),
    ("all were called", Step(0, ("next_on_duty",), "next"), [called("r", ("kim",))], {"kim": {"sms"}}, [("kim", "phone sms")]),
    ("everybody", Step(0, ("all_on_duty", "fallback"), "all"), [ROOM], {},
     [("kim", "sms phone"), ("lee", "email sms"), ("ada", ""), ("far", "sms")]),
    ("off shift never alone", Step(0, ("person:far",)), [ROOM], {}, [("far", "sms"), ("kim", "sms phone")]),
    ("the fallback is off shift too", Step(0, ("next_on_duty",)), [ROOM], {n: {"x"} for n in ("kim", "lee", "ada")},
     [("far", "sms"), ("kim", "sms phone")]),
    ("nobody on duty", Step(0, ("on_duty",)), [HOLE], {}, [("far", "sms"), ("kim", "sms phone")]),
    ("a hole, and another roster", Step(0, ("on_duty",)), [HOLE, ROOM], {}, [("kim", "sms phone")]),
    ("in turn", Step(0, ("all_on_duty",), "first", "round_robin"), [ROOM], {}, [("lee", "email sms")]),
    ("a channel by name", Step(0, ("on_duty",), "phone"), [ROOM], {}, [("kim", "phone sms")]),
    ("a channel they have not", Step(0, ("on_duty",), "ntfy"), [ROOM], {}, [("kim", "sms phone")]),
    ("a team and a roster", Step(0, ("team:net", "roster:room")), [ROOM], {}, [("lee", "email sms"), ("far", "sms"), ("kim", "sms phone"), ("ada", "")]),
    ("nobody there at all: somebody on duty", Step(0, ("team:none",)), [ROOM], {}, [("kim", "sms phone")]),
    ("no roster", Step(0, ("on_duty",)), [], {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("step", "rosters", "tried", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_whom_a_step_reaches(
    step: Step, rosters: list[Called], tried: dict[str, set[str]], expected: list[tuple[str, str]]
) -> None:
    found = reach(step, rosters, PEOPLE, tried, TEAMS, {each.roster.id: each for each in rosters}, turn=1)
    assert [(target.person, " ".join(target.channels)) for target in found] == expected
    assert all(target.is_all == (step.channel == "all") for target in found)


def test_those_called_in_are_named_with_their_team() -> None:
    found = reach(Step(0, ("summons:net",), "all"), [ROOM], PEOPLE, {}, TEAMS)
    assert [(target.person, target.team) for target in found] == [("lee", "net"), ("far", "net")]


def test_steps_follow_each_other_and_the_last_repeats() -> None:
    policy, seen = SHIPPED.policies[0], []
    number, at = 0, NOW
    while len(seen) < 5:
        following = policy.following(number, at)
        assert following is not None
        number, at = number + 1, following
        seen.append(int((at - NOW).total_seconds()))
    assert seen == [300, 600, 1500, 2400, 3300]
    assert policy.step(7) == policy.steps[-1]
    warning = SHIPPED.policies[1]
    assert (warning.following(0, NOW), warning.following(1, NOW)) == (NOW + timedelta(minutes=30), None)
    assert (Policy("x").step(0), Policy("x", repeat_seconds=60).following(0, NOW)) == (None, None)


def test_the_first_route_that_meets_decides() -> None:
    some = (Route("info", sites=("quiet",)), Route("critical", ("critical",), (1, 2)), *SHIPPED.routes[1:])
    plan = type(SHIPPED)(SHIPPED.policies, some)
    asked = [("critical", 1, "quiet", ""), ("critical", 1, "a", ""), ("critical", 3, "a", ""), ("warning", 3, "a", "")]
    assert [plan.choose(*each).id for each in asked] == ["info", "critical", "none", "warning"]


def test_a_frozen_policy_is_read_back() -> None:
    for policy in SHIPPED.policies:
        assert thaw(freeze(policy)) == policy
    assert thaw({}).steps == ()


def test_the_shipped_file_says_what_holds_without_it() -> None:
    assert is_escalation_file(SHIPPED_TEXT)
    assert read_escalation(SHIPPED_TEXT) == SHIPPED == plan_of(rows_of(SHIPPED))


WRONG = [
    ('policy = "info"', 'policy = "infos"', "routes no. 3: policy = 'infos': no such policy; did you mean 'info'?"),
    (
        'channel = "all"',
        'channel = "fax"',
        "policies 'critical': steps no. 3: channel = 'fax': expected first, next, all",
    ),
    (
        "after_seconds = 600",
        "after_seconds = 100",
        "policies 'critical': steps: expected after_seconds to begin with 0",
    ),
    ('notify = ["next_on_duty"]', 'notify = ["next"]', "notify = ['next']: expected some of on_duty"),
    ("priorities = []", "priorities = [5]", "routes no. 1: priorities = [5]"),
    ("1 = 7200", '1 = "2h"', "fix_seconds: 1 = '2h'"),
    ("[course]", "[courses]", "courses: unknown table in a file of escalation; did you mean 'course'?"),
    ("repeat_seconds = 900", "repeat_seconds = 5", "repeat_seconds = 5: expected 0, or 60 and more"),
    ("mode = ", "modus = ", "modus: unknown key; did you mean 'mode'?"),
    ('timezone = "Asia/Seoul"', 'timezone = "Seoul"', "digest: timezone = 'Seoul'"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG, ids=[case[1] for case in WRONG])
def test_a_mistake_is_named(right: str, wrong: str, said: str) -> None:
    assert right in SHIPPED_TEXT
    with pytest.raises(TopologyError) as why:
        read_escalation(SHIPPED_TEXT.replace(right, wrong))
    assert any(said in problem for problem in why.value.problems), why.value.problems
