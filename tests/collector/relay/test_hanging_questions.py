"""A request to the centre that hangs is given up in time: the hub goes on handing reports over and is not taken for silent."""

from __future__ import annotations

import pytest
from region import Region
from sender import Sender, schema_of

from agent.link.backoff import FIRST_SECONDS
from agent.link.exchange import Failure, Request, Response
from agent.link.keys import new_key
from agent.link.pace import LONGEST_DEADLINE
from collector.relay.registry_pull import REPORTS_FIRST_SECONDS
from collector.relay.upstream import LONGEST_SECONDS, QUESTION_SECONDS
from collector.settings import Upstream
from collector.verdicts.hubs import HEARTBEAT_MS


class Hanging:
    """The line of a region on which requests to some paths never end: each takes as long as the hub waits for it."""

    def __init__(self, region: Region, *paths: str) -> None:
        self.region = region
        self.paths = paths
        self.gaps: list[float] = []
        self.waits: list[float] = []
        """Seconds between two signs of life at the centre; seconds each hanging request was waited for."""

    def __call__(self, asked: Request) -> Response | Failure:
        if asked.path.startswith(self.paths):
            self.waits.append(asked.deadline_seconds)
            self.region.wait(asked.deadline_seconds)
            return Failure("no whole answer in time")
        self.gaps.append(self.since_heard())
        return self.region.carry(asked)

    def since_heard(self) -> float:
        heard_ms = self.region.at_centre.hub_contacts.last_ms("mea")
        assert heard_ms is not None
        return (self.region.centre.clock.wall_ms() - heard_ms) / 1000


def play(region: Region, line: Hanging, agent: Sender, minutes: int = 6) -> None:
    """An agent reports four times a minute, the hub takes its turns."""
    region.hub.end()
    region.hub.line = line
    region.hub.begin()
    began = reported_at = region.timeline.now
    while region.timeline.now < began + 60 * minutes:
        if region.timeline.now >= reported_at:
            reported_at += 15
            region.report(agent)
        region.wait(1)
        region.hub.turn()


@pytest.mark.parametrize("path", ["/v1/registry", "/v1/schemas", "/v1/enrolments"])
def test_a_question_that_always_hangs_does_not_make_the_hub_look_silent(region: Region, path: str) -> None:
    agent = region.agent()
    line = Hanging(region, path)
    if path == "/v1/schemas":  # the centre asks for it with every answer
        wanted = f'"need_schemas":["{schema_of(agent.host).hash.hex()}"]'.encode()
        region.forge = lambda said: (
            said._replace(body=said.body.replace(b'"need_schemas":[]', wanted)) if isinstance(said, Response) else said
        )
    if path == "/v1/enrolments":  # let in while cut off: the centre has to decide
        token = region.token()
        region.is_cut = True
        assert region.enrol(region.hub, token, new_key(), "srv2")[0] == 200
        region.is_cut = False
    play(region, line, agent)
    assert line.waits, "it was asked"
    assert max([*line.gaps, line.since_heard()]) < HEARTBEAT_MS / 1000, (line.waits, line.gaps)
    (_, here), (_, there) = *region.held(region.at_hub, agent), *region.held(region.at_centre, agent)
    assert here - there <= 6, "reports went on"


def test_one_question_that_hangs_is_not_noticed_where_nothing_else_is_said(region: Region) -> None:
    """A region without agents: the hub only asks for its registry."""
    line = Hanging(region, "/nothing")
    region.hub.end()
    region.hub.line = line
    region.hub.begin()
    for second in range(200):
        line.paths = ("/v1/registry",) if second > 20 and not line.waits else ("/nothing",)
        region.wait(1)
        region.hub.turn()
    assert line.waits == [QUESTION_SECONDS]
    seconds = Upstream().registry_seconds + QUESTION_SECONDS + REPORTS_FIRST_SECONDS + 2 * FIRST_SECONDS
    assert seconds < HEARTBEAT_MS / 1000, "as it is set where nobody sets it"
    assert max([*line.gaps, line.since_heard()]) < HEARTBEAT_MS / 1000


def test_a_question_is_waited_for_longer_after_it_came_to_nothing(region: Region) -> None:
    """For it may be long and the line thin."""
    line = Hanging(region, "/v1/registry")
    play(region, line, region.agent(), minutes=5)
    assert line.waits[:3] == [QUESTION_SECONDS, 2 * QUESTION_SECONDS, LONGEST_SECONDS]
    assert set(line.waits[3:]) <= {LONGEST_SECONDS}
    line.paths = ("/nothing",)
    region.wait(90)
    region.hub.turn()
    line.paths, line.waits = ("/v1/registry",), []
    region.wait(90)
    region.hub.turn()
    assert line.waits[0] == QUESTION_SECONDS


def test_reports_on_a_bad_line_are_given_up_in_time_too(region: Region) -> None:
    assert LONGEST_DEADLINE > LONGEST_SECONDS, "what an agent may wait for is longer"
    line = Hanging(region, "/nothing")
    agent = region.agent()
    play(region, line, agent, minutes=1)
    line.paths = ("/v1/envelopes",)
    play(region, line, agent, minutes=10)
    assert max(line.waits) <= LONGEST_SECONDS
