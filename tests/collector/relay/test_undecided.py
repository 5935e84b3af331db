"""What the centre does not decide on says nothing about an agent, and holds up nobody else."""

from __future__ import annotations

import base64

import msgspec
from region import Region

from agent.link.exchange import Failure, Request, Response
from agent.link.keys import SigningKey, new_key
from agent.link.model import encode
from agent.link.names import REGISTRY_PREFIX
from collector.fleet.hubs import set_hub_status
from collector.store.schema import instant


def suspend(region: Region, status: str) -> None:
    with region.at_centre.store.transaction() as connection:
        set_hub_status(connection, "mea", status, instant(region.centre.clock.wall_ms()))
    region.at_centre.registry.refresh()


def test_whom_a_suspended_hub_let_in_stays_until_the_centre_decides(region: Region) -> None:
    token, key = region.token(), new_key()
    region.is_cut = True
    status, said = region.enrol(region.hub, token, key)
    assert status == 200
    agent_id = bytes.fromhex(said["agent_id"])
    region.is_cut = False
    suspend(region, "suspended")
    region.wait(61)
    region.hub.turn()
    assert region.at_hub.registry.fleet.agents[agent_id].status == "provisional"
    suspend(region, "active")
    region.wait(120)
    region.hub.turn()
    assert region.at_hub.registry.fleet.agents[agent_id].status == "active"
    assert region.at_centre.registry.fleet.agents[agent_id].status == "active"


def test_an_admission_the_centre_stumbles_over_holds_up_nobody(region: Region) -> None:
    agent = region.agent()
    region.is_cut = True
    assert region.enrol(region.hub, region.token(), new_key(), "srv2")[0] == 200
    region.report(agent)
    region.is_cut = False
    region.tamper = lambda asked: asked._replace(path="/nowhere") if asked.path == "/v1/enrolments" else asked
    region.wait(61)
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 1)]
    pull = region.at_hub.upstream.pull if region.at_hub.upstream is not None else None
    assert pull is not None
    assert pull.pulled_ms == region.hub.clock.wall_ms(), "and the registry is pulled"


def test_a_registry_that_does_not_fit_holds_up_no_reports(region: Region) -> None:
    agent = region.agent()
    region.wait(61)
    region.report(agent)
    region.forge = lambda said: unfit(said, region.key)
    region.hub.turn()
    assert region.held(region.at_centre, agent) == [(1, 1)]
    assert region.at_hub.upstream is not None
    assert "registry" in region.at_hub.upstream.standing.trouble


def test_nobody_waits_at_a_hub_for_a_centre_that_does_not_answer(region: Region) -> None:
    agent = region.agent()
    region.hub.turn()
    region.is_cut = True
    region.wait(120)
    region.hub.turn()
    region.sent.clear()
    body = msgspec.json.encode(
        {"agent_id": agent.agent_id.hex(), "key_no": 2, "public_key": new_key().public.hex(), "signature": "00" * 64}
    )
    said = region.hub.answer(Request("POST", "", "/v1/keys", body))
    assert isinstance(said, Response)
    assert (said.status, said.retry_after_seconds) == (503, 60)
    assert region.sent == []


def test_a_hub_vouches_for_no_token_that_was_over_long_ago(region: Region) -> None:
    token, key = region.token(hours=1), new_key()
    region.is_cut = True
    assert region.enrol(region.hub, token, key)[0] == 200
    region.is_cut = False
    region.wait(40 * 86_400)
    region.hub.turn()
    region.wait(61)
    region.hub.turn()
    (agent,) = region.at_hub.registry.fleet.agents.values()
    assert agent.status == "revoked"
    assert not region.at_centre.registry.fleet.agents


def unfit(said: Response | Failure, key: SigningKey) -> Response | Failure:
    """The centre's registry with a site of an agency that is not in it, as a fault of the centre might sign it."""
    if isinstance(said, Failure) or b'"registry"' not in said.body:
        return said
    answer = msgspec.json.decode(said.body)
    registry = msgspec.msgpack.decode(msgspec.msgpack.decode(base64.b64decode(answer["registry"]))[0])
    registry["tables"]["sites"][0]["agency"] = "nobody"
    payload = encode(registry)
    answer["registry"] = base64.b64encode(encode((payload, key.sign(REGISTRY_PREFIX + payload)))).decode()
    return said._replace(body=msgspec.json.encode(answer))
