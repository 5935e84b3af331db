"""Who would be called, as the command, the API and the pages say it, is who is called: both are played and compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from paging_stage import ROSTERS, PagingStage
from sqlalchemy import update

from collector.escalation.policy import ALL, ROUND_ROBIN, SHIPPED, Policy, Route, Step
from collector.escalation.policy_apply import apply_escalation
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.pages.who import Turn, Who
from collector.pages.who_queries import ask_who
from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings_channels import Channel
from collector.store.engine import Store
from collector.world.demo.fleet import document
from collector.world.demo.people import rosters

CHANNELS = tuple(Channel(name, "webhook", {}, {}) for name in ("email", "sms"))


@pytest.fixture
def stage(store: Store) -> PagingStage:
    return PagingStage(store)


@pytest.fixture
def demo(stage: PagingStage) -> PagingStage:
    """The people and the places of the demonstration."""
    with stage.store.transaction() as connection:
        apply_rosters(connection, read_rosters(""))
        apply_topology(connection, read_topology(document(is_thin=True)))
        apply_rosters(connection, read_rosters(rosters(is_thin=True)))
        connection.execute(update(people_contacts).values(verified_at=stage.now))
    stage.registry.refresh()
    return stage


def told(stage: PagingStage, site: str, severity: str = "critical") -> Who:
    with stage.store.reading() as connection:
        where = stage.registry.fleet.sites[site]
        return ask_who(connection, stage.registry.fleet, CHANNELS, where, stage.now, severity).who


def by_turns(found: Who) -> list[set[tuple[str, str]]]:
    return [{(call.person, way) for call in turn.calls for way in call.channels} for turn in found.turns]


def by_pages(stage: PagingStage, site: str, policy: Policy, severity: str = "critical") -> list[set[tuple[str, str]]]:
    """(person, channel) of each step, of an incident that breaks out now and that nobody answers."""
    began_at = stage.now
    number = stage.open(severity, site=site, agency=stage.registry.fleet.sites[site].agency, policy=policy)
    made: dict[int, set[tuple[str, str]]] = {step.after_seconds: set() for step in policy.steps}
    for after_seconds in made:
        stage.now = began_at + timedelta(seconds=after_seconds)
        stage.tick()
    stage.resolve(number)
    for page in stage.rows(number):
        assert page.created_at is not None
        made[round((page.created_at - began_at).total_seconds())].add((page.person, page.channel))
    return list(made.values())


# Site, its own time, and who is called at each step; "+" = by every channel.
# fmt: off
SITES_AND_TIMES = [
    ("abuja", "2026-11-22T23:20+01:00", ["choi", "kim choi", "choi kim lee park+"]),  # nobody there: the room first, not its fallback
    ("abuja", "2026-11-23T10:00+01:00", ["hassan", "lee", "hassan lee kim park choi+"]),  # office hours there
    ("new-york", "2026-11-26T10:00-05:00", ["lee", "kim lee", "lee kim park choi+"]),  # a holiday there
    ("dc-djn", "2026-11-22T07:52+09:00", ["choi", "kim choi", "kim lee park choi+"]),  # the shift changes before the third step
]
# fmt: on


def test_who_is_who_is_called_in_the_demonstration(demo: PagingStage) -> None:
    for site, at, expected in SITES_AND_TIMES:
        demo.now = datetime.fromisoformat(at)
        found = told(demo, site)
        assert [people(turn) for turn in found.turns] == expected, (site, at)
        assert by_turns(found) == by_pages(demo, site, SHIPPED.policies[0]), (site, at)
        assert not set(found.fallback) & {duty for each in found.called for one in each.duties for duty in one.people}


NOC = Step(0, ("roster:noc",))
POLICIES = [
    ("somebody off shift is never alone", [], Policy("p", (Step(0, ("person:park",)),)), ["park kim"]),
    ("a team that is called in", [], Policy("p", (Step(0, ("summons:days",)), Step(60, ("fallback",), ALL))), ["park", "boss kim+"]),
    ("a roster by name, then nobody new", [], Policy("p", (NOC, replace(NOC, after_seconds=300))), ["kim lee", "kim lee"]),
    ("who cannot be reached", ["kim"], SHIPPED.policies[0], ["kim! lee boss", "kim! lee boss", "kim! lee boss+"]),
    ("nobody can be reached", ["kim", "lee", "boss"], Policy("p", (NOC,)), ["kim! lee!"]),
    ("one of them in turn", [], Policy("p", (replace(NOC, mode=ROUND_ROBIN),)), ["kim|lee"]),
    ("no steps", [], Policy("p"), []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "deaf", "policy", "expected"), POLICIES, ids=[row[0] for row in POLICIES])
def test_who_follows_the_policy(
    stage: PagingStage, name: str, deaf: list[str], policy: Policy, expected: list[str]
) -> None:
    with stage.store.transaction() as connection:
        apply_rosters(connection, read_rosters(f'[[teams]]\nid = "days"\nmembers = ["park"]\n{ROSTERS}'))
        apply_escalation(connection, replace(SHIPPED, policies=(policy,), routes=(Route(policy.id, ("critical",)),)))
        connection.execute(update(people_contacts).where(people_contacts.c.person.in_(deaf)).values(verified_at=None))
    found = told(stage, "here")
    assert [people(turn) for turn in found.turns] == expected
    if policy.steps and "|" not in expected[0]:
        assert by_turns(found) == by_pages(stage, "here", policy)


ASLEEP = 'id = "{}"\nquiet_hours = "{}"'
NIGHTS = [
    ("critical", ["kim"], ["kim", "lee", "kim lee boss+"], []),
    ("warning", [], ["kim", "kim"], []),
    ("warning", ["kim"], ["lee", "lee"], []),  # one of those on duty is awake
    ("warning", ["kim", "lee"], ["kim", "kim"], [datetime(2026, 11, 22, 22, tzinfo=UTC)] * 2),
    ("info", ["kim"], [], []),
]


@pytest.mark.parametrize(("severity", "asleep", "expected", "waits"), NIGHTS)
def test_who_is_told_of_less_at_night(
    stage: PagingStage, severity: str, asleep: list[str], expected: list[str], waits: list[datetime]
) -> None:
    text = ROSTERS
    for name, hours in (("kim", "23:00-07:00"), ("lee", "18:00-07:00")):
        text = text.replace(f'id = "{name}"', ASLEEP.format(name, hours), name in asleep)
    with stage.store.transaction() as connection:
        apply_rosters(connection, read_rosters(text))
    stage.now = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # 03:30 in Seoul, 19:30 in Lagos
    found = told(stage, "here", severity)
    assert [people(turn) for turn in found.turns] == expected
    assert [call.waits_until for turn in found.turns for call in turn.calls if call.waits_until] == waits
    policy = next(one for one in SHIPPED.policies if one.id == severity)
    assert by_turns(found) == by_pages(stage, "here", policy, severity)


def people(turn: Turn) -> str:
    """Their names; "!" = cannot be reached, "+" = each by every channel they have, "|" = one of them."""
    names = [call.person + "!" * bool(call.trouble) for call in turn.calls]
    is_all = any(len(call.channels) > 1 for call in turn.calls)
    return ("|" if turn.is_one_of else " ").join(names) + "+" * is_all
