"""How long one waits for the next report, and for proof of what a report says, before anybody is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from virtual_fleet import warm
from worlds import START, HeardAt, Known, agent_id, fleet, known

from collector.fleet.paths import Group
from collector.fleet.registry import System
from collector.incidents.from_verdicts import is_unjudged
from collector.verdicts.judge import judge
from collector.verdicts.memory import Memory
from collector.verdicts.past import Past
from collector.verdicts.reasons import FLAPPING, REPORTING, SILENT, STARTING
from collector.verdicts.standing import NO_DATA, OK, Standing

LATER = 100_000.0
SLOW = 600.0
BOTH = fleet({"a.seoul": "x", "b.seoul": "y"})
BOTH = replace(
    BOTH,
    systems={
        name: System(name, "mofa", name, name, 1, hosts, (Group("all", "all", members),))
        for name, hosts, members in (
            ("post", ("a.seoul",), ("a.seoul",)),
            ("form", (), ("post",)),
            ("mail", ("b.seoul",), ("b.seoul",)),
        )
    },
)


def heard(**at: float) -> Known:
    """Reports by host of seoul; ``a`` says that it reports every ten minutes."""
    found = known({f"{host}.seoul": ("x" if host == "a" else "y", when) for host, when in at.items()})
    if "a" in at:
        found.hosts["a.seoul"] = replace(found.hosts["a.seoul"], interval_ms=round(SLOW * 1000))
        found.agents[agent_id("x")] = replace(found.agents[agent_id("x")], interval_ms=round(SLOW * 1000))
    else:  # as a start reads it back: when it was heard, and nothing of what it said
        found.agents[agent_id("x")] = HeardAt(START + round(LATER * 1000))
    return found


class Turns:
    """Judgements one after another, and starts between them."""

    def __init__(self) -> None:
        self.past, self.started_ms = Past(), START
        self.changes: list[tuple[str, str, int, str]] = []

    def at(self, seconds: float, evidence: Known) -> Standing:
        judged = judge(BOTH, evidence, START + round(seconds * 1000), self.past, self.started_ms)
        self.past.record(judged.changes)
        judged.into(self.past)
        self.changes = [(c.kind, c.id, c.after, c.reason) for c in judged.changes]
        return judged.standing

    def restart(self, seconds: float) -> None:
        memory = Memory()
        for part, rows in self.past.memory.plain().items():
            memory = memory.taking(part, rows)
        self.past = Past(books=self.past.books, memory=memory)
        self.started_ms = START + round(seconds * 1000)


def test_a_start_is_as_patient_as_the_host_said_itself() -> None:
    turns = Turns()
    turns.at(LATER, heard(a=LATER, b=LATER))
    turns.restart(LATER + 590)  # its last report is too old to be read back; it reports again 30 s later
    for after in (1, 29, 31, 200):
        standing = turns.at(LATER + 590 + after, heard(b=LATER + 590 + after))
        assert turns.changes == [], after
        assert standing.hosts["a.seoul"].reason == STARTING
        assert standing.hosts["b.seoul"][0::2][:2] == (OK, REPORTING)
        assert standing.agents[agent_id("x")].reason == STARTING
        assert (standing.systems["mail"].state, standing.systems["post"].reason) == (OK, STARTING)
        assert standing.systems["form"].reason == STARTING
        assert is_unjudged(standing) == (after < 30), "the others can be told of long before"
        assert standing.causes == {}
    standing = turns.at(LATER + 800, heard(a=LATER + 800, b=LATER + 800))
    assert turns.changes == []
    assert {found.state for book in (standing.hosts, standing.sites, standing.systems) for found in book.values()} == {
        OK
    }  # type: ignore[attr-defined]


def test_who_does_not_come_back_by_then_is_silent() -> None:
    turns = Turns()
    turns.at(LATER, heard(a=LATER, b=LATER))
    turns.restart(LATER + 590)
    last = LATER + 590 + 2 * SLOW
    turns.at(last - 1, heard(b=last - 1))
    assert turns.changes == []
    standing = turns.at(last, heard(b=last))
    assert ("host", "a.seoul", NO_DATA, SILENT) in turns.changes
    assert {kind for kind, *_ in turns.changes} == {"host", "site", "agent", "system"}
    assert set(standing.causes) == {"host:a.seoul"}
    assert standing.causes["host:a.seoul"].since_ms == START + round(LATER * 1000)


def test_an_interval_is_forgotten_with_the_next_report() -> None:
    turns = Turns()
    turns.at(LATER, heard(a=LATER, b=LATER))
    assert turns.past.memory.slow == {"a.seoul": 600_000}
    turns.at(LATER + 10, known({"a.seoul": ("x", LATER + 10), "b.seoul": ("y", LATER + 10)}))
    assert turns.past.memory.slow == {}
    turns.restart(LATER + 20)
    assert turns.at(LATER + 60, heard(b=LATER + 60)).hosts["a.seoul"].reason != STARTING


@pytest.mark.parametrize(
    ("interval", "hub", "check", "state", "held"),
    [
        # looked at every few seconds, and said at once: half a minute is half a minute, wherever the host is
        (15, "", "process:nginx", 2, 30),
        (30, "", "process:nginx", 2, 30),
        (60, "", "process:nginx", 2, 30),
        (60, "mea", "process:nginx", 2, 30),
        (60, "", "ssh", 2, 30),
        (60, "", "ups:rack1", 2, 30),
        # looked at with each report: another look must have had the time to say that it is well again
        (15, "", "disk", 2, 30),
        (30, "", "disk", 2, 45),
        (60, "", "probe:portal", 2, 75),
        (60, "mea", "probe:portal", 2, 75),
        (600, "", "systemd", 2, 615),
        # what only warns proves nothing of what is critical beside it
        (60, "", "process:nginx", 1, 75),
    ],
)
def test_what_fails_is_held_down_until_it_is_looked_at_again(
    interval: int, hub: str, check: str, state: int, held: int
) -> None:
    world = fleet({"a.seoul": "x"})
    world = replace(world, sites={"seoul": replace(world.sites["seoul"], hub=hub)})
    evidence = known({"a.seoul": ("x", LATER, {check: state, "clock": 2 if state == 1 else 0})})
    evidence.hosts["a.seoul"] = replace(evidence.hosts["a.seoul"], interval_ms=interval * 1000)
    standing = judge(world, evidence, START + round(LATER * 1000), Past(), START).standing
    (cause,) = standing.causes.values()
    assert cause.due_ms is not None
    assert (cause.due_ms - standing.at_ms) / 1000 == held
    assert cause.hold_ms == held * 1000


@pytest.mark.parametrize("said_later", [0, 7, 14])
def test_nobody_is_called_to_one_site_before_its_hub_would_be_missed(said_later: int) -> None:
    """The hub's last word may come a while after the site's; with two sites behind it nothing else tells that it is gone."""
    world = warm()
    world.do("silent hanoi")
    world.do("mute apac")
    last_heard = world.now_ms
    world.hub_seen_ms["apac"] = last_heard + said_later * 1000
    while world.standing.hubs["apac"].state == OK:
        world.at += 1
        if (world.now_ms - last_heard) % 15_000 == 0:
            world.at -= 15
            world.step()
        else:
            world.judge()
        for cause in world.standing.causes.values():
            assert cause.due_ms is None or cause.due_ms > world.now_ms, cause.id
    assert set(world.standing.causes) == {"hub:apac"}


def test_what_flaps_is_called_for_once_it_stays_bad_for_as_long_as_anything_else() -> None:
    """While it flaps it is shown as not well all the time; that is no reason to call at the next short restart."""
    turns, now = Turns(), LATER
    dues = []
    for _ in range(8):
        for state, lasts in ((2, 3), (0, 7)):
            evidence = known({"a.seoul": ("x", now, {"process:nginx": state}), "b.seoul": ("y", now)})
            standing = turns.at(now, evidence)
            cause = standing.causes.get("host:a.seoul")
            dues.append(None if cause is None or cause.due_ms is None else (cause.due_ms - START) / 1000 - now)
            now += lasts
    assert standing.hosts["a.seoul"].reason == FLAPPING
    assert dues == [30, None] * 8
    for later in (0, 29):
        evidence = known({"a.seoul": ("x", now + later, {"process:nginx": 2}), "b.seoul": ("y", now + later)})
        assert turns.at(now + later, evidence).causes["host:a.seoul"].due_ms == START + round(now * 1000) + 30_000


def test_what_stands_on_a_system_that_is_not_judged_yet_is_not_judged_either() -> None:
    """One of two is heard first; what the other would say decides nothing but whether there is a second."""
    either = (Group("either", "any", ("a.seoul", "b.seoul")),)
    world = replace(
        BOTH,
        systems={
            "login": System("login", "mofa", "login", "login", 1, ("a.seoul", "b.seoul"), either),
            "form": System("form", "mofa", "form", "form", 1, ("a.seoul",), depends_on=("login",)),
            "desk": System("desk", "mofa", "desk", "desk", 1, (), (Group("all", "all", ("login",)),)),
        },
    )
    past = Past()
    standing = judge(
        world, known({"b.seoul": ("y", LATER)}), START + round(LATER * 1000), past, START + round(LATER * 1000)
    )
    assert {name: found.reason for name, found in standing.standing.systems.items()} == dict.fromkeys(
        ("login", "form", "desk"), STARTING
    )
    assert standing.standing.causes == {}
    later = START + round((LATER + 400) * 1000)
    judged = judge(world, known({"b.seoul": ("y", LATER + 400)}), later, past, START + round(LATER * 1000))
    found = {name: (system.state, system.reason) for name, system in judged.standing.systems.items()}
    assert found == {"login": (3, "members_unknown"), "form": (3, "dependency"), "desk": (3, "members_degraded")}
