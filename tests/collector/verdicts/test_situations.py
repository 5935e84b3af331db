"""What goes wrong, and what has to be concluded: state, reason and cause of everything that is not well, and of nothing else.

Each row of ``situations``: what happens (see ``virtual_fleet``; ``+N`` lets N intervals go by), then what has to stand there.
"""

from __future__ import annotations

import pytest
from situations import SITUATIONS, Situation
from virtual_fleet import VirtualFleet, warm

from collector.verdicts.reasons import FACTS, REASONS
from collector.verdicts.standing import OK, STATES, Standing


def told(standing: Standing) -> dict[str, str]:
    """Everything but hosts and agents that is not well, as ``state reason cause``."""
    books = {"site": standing.sites, "hub": standing.hubs, "link": standing.links, "system": standing.systems,
             "interface": standing.interfaces}  # fmt: skip
    return {
        f"{kind}:{subject}": f"{STATES[found.state]} {found.reason} {found.cause}".rstrip()
        for kind, book in books.items()
        for subject, found in book.items()
        if found.state != OK
    }


def behind(standing: Standing, cause: str) -> set[str]:
    return {f"{kind}:{subject}" for kind, subject in standing.causes[cause].affected}


def play(script: str) -> VirtualFleet:
    world = warm()
    for words in script.split(";"):
        world.do(words.strip())
    return world


def check(situation: Situation) -> None:
    world = play(situation.script)
    standing = world.standing
    found = told(standing)
    expected = dict(situation.expected)
    assert {
        name: found.get(name) for name in {**found, **expected} if ":" in name and not name.startswith("host:")
    } == {name: text for name, text in expected.items() if not name.startswith("host:")}
    for name, text in expected.items():
        if name.startswith("host:"):
            host = standing.hosts[name.removeprefix("host:")]
            assert f"{STATES[host.state]} {host.reason} {host.cause}".rstrip() == text, name
    assert {cause: behind(standing, cause) for cause in standing.causes} == {
        cause: set(affected) for cause, affected in situation.causes.items()
    }
    everything = [
        *standing.sites.values(),
        *standing.hubs.values(),
        *standing.links.values(),
        *standing.systems.values(),
    ]
    for one in (*everything, *standing.hosts.values()):
        assert one.reason in REASONS
        assert {fact.code for fact in one.evidence} <= set(FACTS)
    assert not [h for h, s in standing.hosts.items() if s.state == OK and h not in world.hosts], (
        "green without a report"
    )


@pytest.mark.parametrize("situation", SITUATIONS, ids=[row.name for row in SITUATIONS])
def test_situation(situation: Situation) -> None:
    check(situation)


def test_there_are_enough_and_each_says_something_else() -> None:
    assert len(SITUATIONS) >= 60
    assert len({row.name for row in SITUATIONS}) == len({row.script for row in SITUATIONS}) == len(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS[::4], ids=[row.name for row in SITUATIONS[::4]])
def test_a_restart_changes_no_verdict(situation: Situation) -> None:
    world, never_restarted = play(situation.script), play(situation.script)
    before = told(world.standing)
    world.restart()
    after = told(world.standing)
    assert {name: after.get(name) for name in before} == before, "what was not well is told as before at once"
    world.run(8)
    never_restarted.run(8)
    assert told(world.standing) == told(never_restarted.standing)
    assert [change[:6] for change in world.changes] == [change[:6] for change in never_restarted.changes]


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS, ids=[row.name for row in SITUATIONS])
def test_a_restart_at_any_point_of_a_story_changes_no_verdict(situation: Situation) -> None:
    """Also long after what happened: a start reads back only the last minutes of reports."""
    never_restarted = play(situation.script)
    never_restarted.run(10)
    words = [each.strip() for each in situation.script.split(";")]
    for place in range(len(words)):
        world = warm()
        for at, word in enumerate(words):
            world.do(word)
            if at == place:
                before = told(world.standing)
                world.restart()
                after = told(world.standing)
                # Work agreed or ended is first looked at by the tick of the restart.
                if not word.startswith(("window", "ended")):
                    assert {name: after.get(name) for name in before} == before, f"at once, after {word}"
        world.run(10)
        assert told(world.standing) == told(never_restarted.standing), words[place]
