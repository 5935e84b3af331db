"""A hub's rows are what the centre says of its region, signed; nothing older, foreign or altered is taken."""

from __future__ import annotations

import base64

import msgspec
import pytest
from region import TOPOLOGY, Region

from agent.link.exchange import Failure, Request, Response
from agent.link.keys import new_key
from agent.link.policy import open_policy, policy_hint
from agent.link.signed_get import Asker, NotTold, Told, signed_get, signed_headers
from collector.fleet.hubs import set_hub_status
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.store.schema import instant


def again(region: Region) -> None:
    region.wait(31)
    region.hub.turn()


def test_only_the_region_and_its_changes(region: Region) -> None:
    agent = region.agent()
    again(region)
    fleet = region.at_hub.registry.fleet
    assert set(fleet.sites) == {"abuja"}
    assert set(fleet.agents) == {agent.agent_id}
    assert fleet.hosts["srv1.abuja"].agent_id == agent.agent_id
    version = fleet.version
    again(region)
    assert region.at_hub.registry.fleet.version == version, "unchanged costs no new fleet"
    assert "have=" in region.sent[-1].path
    wanted = """
[[agencies]]
id = "for"
[[hubs]]
id = "mea"
[[sites]]
id = "abuja"
agency = "for"
hub = "mea"
timezone = "Africa/Lagos"
name_en = "Abuja"
[[sites]]
id = "lome"
agency = "for"
hub = "mea"
timezone = "Africa/Lome"
[[hosts]]
name = "srv1"
site = "abuja"
[[links]]
site = "abuja"
name = "main"
kind = "geo"
rtt_ms_limit = 900
[[links]]
site = "lome"
name = "main"
kind = "leased"
[[probes]]
from = "srv1.abuja"
target = "gw.lome"
link = "lome/main"
"""
    with region.at_centre.store.transaction() as connection:
        apply_topology(connection, read_topology(wanted))
    again(region)
    fleet = region.at_hub.registry.fleet
    assert {site.id: site.name_en for site in fleet.sites.values()} == {"abuja": "Abuja", "lome": "lome"}
    assert set(fleet.links) == {"abuja/main", "lome/main"}
    assert fleet.links["abuja/main"].rtt_ms_limit == 900
    assert [(probe.host, probe.target, probe.link) for probe in fleet.probes] == [
        ("srv1.abuja", "gw.lome", "lome/main")
    ]
    with region.at_centre.store.transaction() as connection:
        apply_topology(connection, read_topology(wanted[: wanted.index("[[links]]")]))
    again(region)
    assert not region.at_hub.registry.fleet.links
    assert not region.at_hub.registry.fleet.probes


def test_an_older_registry_changes_nothing(region: Region) -> None:
    region.agent()
    kept: list[Response] = []

    def keep(said: Response | Failure) -> Response | Failure:
        if isinstance(said, Response) and b'"registry"' in said.body:
            kept.append(said)
        return said

    region.forge = keep
    again(region)
    other = region.agent("srv2")
    again(region)
    assert other.agent_id in region.at_hub.registry.fleet.agents
    region.forge = lambda said: kept[0] if isinstance(said, Response) and b'"registry"' in said.body else said
    again(region)
    assert other.agent_id in region.at_hub.registry.fleet.agents
    assert "expected a newer one" in region.at_hub.upstream.pull.trouble


def altered(said: Response) -> Response:
    answer = msgspec.json.decode(said.body)
    packed = bytearray(base64.b64decode(answer["registry"]))
    packed[len(packed) // 2] ^= 1
    return said._replace(body=msgspec.json.encode(answer | {"registry": base64.b64encode(packed).decode()}))


def no_base64(said: Response) -> Response:
    return said._replace(body=b'{"registry": "@@@", "nonce": "00"}')


def portal(said: Response) -> Response:
    return said._replace(content_type="text/html", body=b"<html>Welcome to the hotel</html>")


@pytest.mark.parametrize("change", [altered, no_base64, portal])
def test_what_the_centre_did_not_sign_changes_nothing(region: Region, change: object) -> None:
    assert callable(change)
    region.agent()
    again(region)
    before = region.at_hub.registry.fleet
    region.agent("srv2", at=region.centre)
    region.forge = lambda said: change(said) if isinstance(said, Response) and b'"registry"' in said.body else said
    again(region)
    assert set(region.at_hub.registry.fleet.agents) == set(before.agents)
    assert region.at_hub.upstream.pull.trouble


def test_another_hubs_registry_is_not_ours(region: Region) -> None:
    """Of the same centre, of the same region even: but for another identity."""
    other = region.join("other")
    mine, region.hub = region.hub, other
    other.begin()
    theirs: list[Response] = []
    region.forge = lambda said: theirs.append(said) or said if isinstance(said, Response) else said
    other.turn()
    other.end()
    region.hub = mine
    registry = next(said for said in theirs if b'"registry"' in said.body)
    region.forge = lambda said: registry if isinstance(said, Response) and b'"registry"' in said.body else said
    again(region)
    assert "expected" in region.at_hub.upstream.pull.trouble


def test_who_may_ask(region: Region) -> None:
    """Nobody unsigned, nobody unknown, no agent, no hub that was revoked; a nonce is given to try again with."""
    agent, stranger = region.agent(), new_key()
    hub = region.at_hub.upstream._asker
    ask = region.centre.answer
    for asker, status in (
        (hub, 200),
        (Asker(hub.id, 1, stranger.sign), 403),
        (Asker(hub.id, 2, hub.sign), 403),
        (Asker(agent.agent_id, 1, agent.key.sign), 403),
    ):
        told = signed_get(ask, "", "/v1/registry?have=", asker, "")
        assert (200 if isinstance(told, Told) else told.status) == status
    with region.at_centre.store.transaction() as connection:
        assert len(set_hub_status(connection, "mea", "revoked", instant(region.centre.clock.wall_ms()))) == 1
    region.at_centre.registry.refresh()
    told = signed_get(ask, "", "/v1/registry?have=", hub, "")
    assert isinstance(told, NotTold)
    assert told.status == 403
    again(region)
    assert region.at_hub.upstream.standing.state == 2


def test_an_agent_gets_its_policy_and_only_signed(region: Region) -> None:
    agent = region.agent()
    told = signed_get(region.hub.answer, "", "/v1/policy", Asker(agent.agent_id, 1, agent.key.sign), "")
    assert isinstance(told, Told)
    assert told.said["policy"] == ""
    refused = signed_get(region.hub.answer, "", "/v1/policy", Asker(agent.agent_id, 1, new_key().sign), told.nonce)
    assert isinstance(refused, NotTold)
    assert refused.status == 403


def test_a_hub_hands_on_the_policy_the_centre_signed(region: Region) -> None:
    """While it is cut off too, and the newest once it hears of it; the hint in an answer has agents ask for it."""
    agent = region.agent()

    def policy_for(tag: str, seconds: int) -> str:
        site = TOPOLOGY.replace('timezone = "Africa/Lagos"', f'timezone = "Africa/Lagos"\ntags = ["{tag}"]')
        return f'{site}[[policies]]\nid = "p"\ntags = ["{tag}"]\ninterval_seconds = {seconds}\n'

    def told() -> tuple[int, int]:
        asked = signed_get(region.hub.answer, "", "/v1/policy", Asker(agent.agent_id, 1, agent.key.sign), "")
        assert isinstance(asked, Told)
        found = open_policy(base64.b64decode(asked.said["policy"]), region.key.public, agent.agent_id)
        assert policy_hint(base64.b64decode(asked.said["policy"])) == region.report(agent).agents[0].policy
        return found.version, found.interval_seconds

    for version, seconds in ((1, 120), (2, 90)):
        with region.at_centre.store.transaction() as connection:
            apply_topology(connection, read_topology(policy_for("far", seconds)))
        region.at_centre.registry.refresh()
        region.at_centre.jobs.run("policies")
        if version == 2:
            region.is_cut = True
            again(region)
            assert told() == (1, 120), "what it had when it was cut off"
            region.is_cut = False
            region.wait(120)
        again(region)
        assert told() == (version, seconds)


def test_a_signature_is_for_one_path_only(region: Region) -> None:
    """The query is part of it."""

    hub = region.at_hub.upstream._asker
    nonce = region.at_centre.nonces.make(region.centre.clock.wall_ms())
    headers = signed_headers(hub, "GET", "/v1/registry?have=1", nonce)
    for path, status in (("/v1/registry?have=1", 200), ("/v1/registry?have=2", 403)):
        said = region.centre.answer(Request("GET", "", path, b"", headers))
        assert isinstance(said, Response)
        assert said.status == status
