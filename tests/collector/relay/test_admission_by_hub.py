"""Enrolling through a hub: the centre decides; cut off, the hub decides for the time being, and the centre afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from region import Region
from sender import Sender

from agent.link.exchange import Failure, Request, Response
from agent.link.keys import SigningKey, new_key
from collector.fleet.agent_status import set_status
from collector.fleet.tokens import cancel_token, list_tokens
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.world.station import Station


def status(region: Region, agent_id: str, at: Station) -> str:
    assert at.app is not None
    at.app.registry.refresh()
    agent = at.app.registry.fleet.agents.get(bytes.fromhex(agent_id))
    return agent.status if agent is not None else ""


def code(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1].get("code", "")


def return_of_the_line(region: Region) -> None:
    region.is_cut = False
    region.wait(61)
    region.hub.turn()


def test_the_centre_answers_through_the_hub_and_its_agent_reports_at_once(region: Region) -> None:
    token, key = region.token(), new_key()
    answer = region.enrol(region.hub, token, key)
    assert answer[0] == 200
    assert (answer[1]["hub"], answer[1]["collectors"]) == ("mea", ["http://hub.test", "http://centre.test"])
    assert [status(region, answer[1]["agent_id"], at) for at in (region.hub, region.centre)] == ["active", "active"]
    assert region.enrol(region.hub, token, key) == answer
    assert region.enrol(region.centre, token, key) == answer
    assert code(region.enrol(region.hub, token, new_key())) == (409, "token_used")
    region.is_cut = True
    assert region.enrol(region.hub, token, key) == answer, "also while cut off"


def test_a_lost_answer_costs_nothing(region: Region) -> None:
    """The centre enrolled, the hub did not hear it and let the agent in itself: the same agent."""
    token, key = region.token(), new_key()

    def deaf(said: Response | Failure) -> Response | Failure:
        return Failure("connection reset") if isinstance(said, Response) and b"agent_id" in said.body else said

    region.forge = deaf
    answer = region.enrol(region.hub, token, key)
    assert answer[0] == 200
    assert status(region, answer[1]["agent_id"], region.hub) == "provisional"
    assert status(region, answer[1]["agent_id"], region.centre) == "active"
    region.forge = lambda said: said
    return_of_the_line(region)
    assert status(region, answer[1]["agent_id"], region.hub) == "active"


def test_cut_off_it_lets_in_provisionally_and_the_centre_confirms(region: Region) -> None:
    token, key = region.token(), new_key()
    region.is_cut = True
    answer = region.enrol(region.hub, token, key)
    assert answer[0] == 200
    assert region.enrol(region.hub, token, key) == answer
    assert status(region, answer[1]["agent_id"], region.hub) == "provisional"
    assert code(region.enrol(region.hub, token, new_key())) == (409, "token_used")

    agent = Sender(answer[1]["hosts"][0], bytes.fromhex(answer[1]["agent_id"]), key)
    assert region.report(agent).agents[0].held == [(1, 1)]
    region.wait(86_400)  # the token is over by now; it was not when the agent came
    return_of_the_line(region)
    assert [status(region, answer[1]["agent_id"], at) for at in (region.hub, region.centre)] == ["active", "active"]
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 1)]
    assert region.enrol(region.centre, token, key)[1]["agent_id"] == answer[1]["agent_id"]


def test_what_a_provisional_agent_sent_waits_for_the_decision(region: Region) -> None:
    """The line is back for reports before it is for the enrolment: unknown_agent is no verdict."""
    token, key = region.token(), new_key()
    region.is_cut = True
    answer = region.enrol(region.hub, token, key)

    agent = Sender(answer[1]["hosts"][0], bytes.fromhex(answer[1]["agent_id"]), key)
    region.report(agent)

    def no_enrolment(asked: Request) -> Request:
        return asked._replace(path="/nowhere") if asked.path == "/v1/enrolments" else asked

    region.is_cut, region.tamper = False, no_enrolment
    region.wait(61)
    region.at_hub.upstream.relay.step(region.hub.clock.monotonic())
    for _ in range(3):
        region.at_hub.upstream.relay.step(region.hub.clock.monotonic())
    assert region.held(region.at_centre, agent) == []
    assert region.report(agent).agents[0].refused == [], "nobody is told"
    region.tamper = lambda asked: asked
    region.wait(61)
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 2)]


def test_a_token_used_elsewhere_meanwhile_costs_the_provisional_agent_its_place(
    region: Region, caplog: pytest.LogCaptureFixture
) -> None:
    token = region.token()
    region.is_cut = True
    first = region.enrol(region.hub, token, new_key(), "thief")
    second = region.enrol(region.centre, token, new_key(), "owner")
    assert (first[0], second[0]) == (200, 200)
    return_of_the_line(region)
    assert status(region, first[1]["agent_id"], region.hub) == "revoked"
    assert status(region, second[1]["agent_id"], region.hub) == "active"
    assert "the centre refused an agent that was let in provisionally: it is revoked here" in caplog.text
    region.is_cut = True
    assert code(region.enrol(region.hub, token, new_key(), "third")) == (409, "token_used")


def cancelled(region: Region) -> tuple[str, SigningKey]:
    token = region.token()
    with region.at_centre.store.transaction() as connection:
        now = region.centre.clock.wall_ms()

        (known,) = [one for one in list_tokens(connection, EVERYTHING, instant(now)) if one.state == "unused"]
        cancel_token(connection, known.token_id, instant(now))
    region.wait(31)
    region.hub.turn()
    return token, new_key()


def expired(region: Region) -> tuple[str, SigningKey]:
    token = region.token(hours=1)
    region.wait(timedelta(hours=2).total_seconds())
    return token, new_key()


def of_another_site(region: Region) -> tuple[str, SigningKey]:
    return region.token("tokyo"), new_key()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (cancelled, (409, "token_used")),
        (expired, (403, "token_expired")),
        (of_another_site, (503, "upstream_away")),
    ],
)
def test_what_it_refuses_while_cut_off(region: Region, case: Any, expected: tuple[int, str]) -> None:
    token, key = case(region)
    region.is_cut = True
    assert code(region.enrol(region.hub, token, key)) == expected


def test_revoking_at_the_centre_holds_at_the_hub(region: Region) -> None:
    agent = region.agent()
    region.hub.turn()

    with region.at_centre.store.transaction() as connection:
        set_status(connection, agent.agent_id, "revoked", instant(region.centre.clock.wall_ms()))
    region.wait(31)
    region.hub.turn()
    refused = region.report(agent).envelopes
    assert [(one.action, one.code) for one in refused] == [("hold", "revoked")]
