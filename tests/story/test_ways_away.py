"""Mail and text messages are away for an hour: nothing is lost, and people hear how it stands, not all that was.

The whole collector in virtual time, a real SMTP server that nobody answers for, a webhook that answers 503.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from whole_collector import Whole, whole_collector

from collector.incidents.incident import ACKNOWLEDGED, RESOLVED
from collector.pages.page import CALLS

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Whole]:
    with whole_collector(tmp_path) as made:
        made.play(5)
        assert made.incidents == []
        yield made


def test_without_mail_the_next_way_is_taken(world: Whole) -> None:
    world.mailbox.shut()
    world.agents["abuja"].kill(cut_power=False)
    world.play(4)
    (open_,) = [one for one in world.incidents if one.severity == "critical"]
    assert open_.site == "abuja"
    first = world.heard[0]
    assert first[1:] == ("kim", "sms", "trigger", open_.number)
    assert first.at - 300 <= 120, "a service that is away costs seconds; the hub of two would be missed first"
    assert [one for one in world.heard if one.incident == open_.number] == [first], "once"


def test_an_hour_without_any_way(world: Whole) -> None:
    world.mailbox.shut()
    world.phone.is_away = True
    world.agents["abuja"].kill(cut_power=False)
    world.play(10)
    world.agents["lima"].kill(cut_power=False)
    world.play(15)
    world.agents["lima"].boot()
    world.play(35)
    abuja, lima = (next(one for one in world.incidents if one.site == site) for site in ("abuja", "lima"))
    assert world.heard == []
    assert world.phone.refused > 5
    assert lima.state == RESOLVED

    world.mailbox.open()
    world.phone.is_away = False
    world.play(7)
    got = world.heard
    of_abuja = [one for one in got if one.incident == abuja.number]
    assert {one.person for one in of_abuja} == {"kim", "lee", "boss"}, "everybody whose turn came"
    assert max(Counter(one[1:3] for one in of_abuja).values()) == 1, "one for each, and not one for each step"
    assert {one.kind for one in of_abuja} <= CALLS
    of_lima = [one for one in got if one.incident == lima.number]
    assert {one.kind for one in of_lima} <= {"recovery"}, "it is over: nobody is called"
    assert max(Counter(one.person for one in of_lima).values(), default=1) == 1
    assert len(got) <= 12, "no flood"

    link = next(call.link for call in world.phone.calls if call.incident == abuja.number and call.person == "lee")
    assert world.ask("POST", urlsplit(link).path).status in (200, 303)
    answered = next(one for one in world.incidents if one.number == abuja.number)
    assert (answered.state, answered.acknowledged_by) == (ACKNOWLEDGED, "lee")
    calm = len(world.heard)
    world.agents["abuja"].boot()
    world.play(10)
    ends = [one for one in world.heard[calm:] if one.incident == abuja.number]
    assert sorted((one.person, one.kind) for one in ends) == [(name, "recovery") for name in ("boss", "kim", "lee")]
    assert world.missing == []
