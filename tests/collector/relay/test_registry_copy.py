"""A hub at a custodian site keeps the whole registry as the centre signed it; any other hub knows of its region alone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from region import TOPOLOGY, Region
from sqlalchemy import select, update

from agent.link.exchange import Failure, Response
from agent.link.keys import new_key
from agent.link.signed_get import Asker, Told, signed_get
from collector.cli import main
from collector.fleet.registry_copy import open_content, open_copy
from collector.fleet.registry_export import RegistryError, open_registry
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology, current_topology
from collector.relay.tables import registry_copy

CUSTODIAN = TOPOLOGY.replace('timezone = "Africa/Lagos"', 'timezone = "Africa/Lagos"\ncustodian = true')
REST = """
[[agencies]]
id = "edu"
name_ko = "교육\\"처\\""
[[hubs]]
id = "apac"
[[sites]]
id = "seoul"
agency = "edu"
hub = "apac"
timezone = "Asia/Seoul"
latitude = 37.5
longitude = 127.0
country = "KR"
closures = [2026-12-24]
tags = ["far"]
custodian = true
[[hosts]]
name = "db1"
site = "seoul"
role = "database"
[[hosts]]
name = "db2"
site = "seoul"
agency = "for"
shared = true
agent = "db1.seoul"
behind = ["db1.seoul"]
[[links]]
site = "seoul"
name = "main"
kind = "leased"
rtt_ms_limit = 90
[[systems]]
id = "visa"
agency = "edu"
grade = 1
hosts = ["db1.seoul"]
groups = [{ name = "db", rule = "1 of 2", members = ["db1.seoul/process:sql", "db2.seoul"] }]
depends_on = ["login"]
[[systems]]
id = "login"
agency = "for"
grade = 2
groups = [{ name = "any", rule = "any", members = ["db2.seoul"] }]
[[interfaces]]
id = "visa-login"
source = "visa"
target = "login"
[[probes]]
from = "db1.seoul"
target = "gw.abuja"
site = "abuja"
[[policies]]
id = "second"
roles = ["database"]
interval_seconds = 120
[[policies]]
id = "first"
tags = ["far"]
checks = { off = ["zfs"] }
processes = [{ name = "sshd", command = "sshd", min_count = 1 }]
probes = [{ name = "portal", "a key" = 1.5, module = "http", bad = "a\\u007fb" }]
"""


def apply(region: Region, text: str) -> None:
    with region.at_centre.store.transaction() as connection:
        apply_topology(connection, read_topology(text))
    region.at_centre.registry.refresh()


def again(region: Region, seconds: float = 301) -> None:
    region.wait(seconds)
    region.hub.turn()


@pytest.fixture
def custodian(region: Region) -> Region:
    apply(region, CUSTODIAN + REST)
    again(region)
    again(region)
    return region


def said(capsys: pytest.CaptureFixture[str], place: Path, *words: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(["registry", *words, "--data", str(place)]) == status
    out, err = capsys.readouterr()
    return out if status == 0 else err


def kept(region: Region) -> Any:
    with region.at_hub.store.reading() as connection:
        return connection.execute(select(registry_copy)).first()


@pytest.mark.parametrize("is_custodian", [False, True])
def test_who_gets_what(region: Region, is_custodian: bool) -> None:
    """A hub its region, a custodian besides all of it; nobody else anything."""
    apply(region, (CUSTODIAN if is_custodian else TOPOLOGY) + REST)
    again(region)
    agent, hub = region.agent(), region.at_hub.upstream._asker
    stranger = Asker(hub.id, 1, new_key().sign)
    for asker, scope, status in (
        (hub, "", 200),
        (hub, "full", 200 if is_custodian else 403),
        (hub, "all", 422),
        (stranger, "full", 403),
        (Asker(agent.agent_id, 1, agent.key.sign), "full", 403),
    ):
        told = signed_get(region.centre.answer, "", f"/v1/registry?scope={scope}", asker, "")
        assert (200 if isinstance(told, Told) else told.status) == status, (asker, scope)
        if not isinstance(told, Told):
            continue
        packed = base64.b64decode(told.said["registry"])
        if scope:
            tables = open_content(open_copy(packed, region.key.public, hub.id))
            assert {row["id"] for row in tables["sites"]} == {"abuja", "tokyo", "seoul"}
            with pytest.raises(RegistryError, match="of scope 'full', expected the region's"):
                open_registry(packed, region.key.public, hub.id)
        else:
            mine = open_registry(packed, region.key.public, hub.id).tables or {}
            assert {row["id"] for row in mine["sites"]} == {"abuja"}
            assert "systems" not in mine
            with pytest.raises(RegistryError):
                open_copy(packed, region.key.public, hub.id)
    assert (kept(region) is not None) == is_custodian
    assert set(region.at_hub.registry.fleet.sites) == {"abuja"}, "what it judges is its region"
    assert not region.at_hub.registry.fleet.systems


def test_the_centre_burns_and_the_copy_says_what_there_was(
    custodian: Region, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    region, place = custodian, custodian.hub.folder
    agent = region.agent()
    again(region)
    again(region, 61)
    with region.at_centre.store.reading() as connection:
        before = current_topology(connection)
    ours = msgspec.json.decode(said(capsys, place, "show", "--json"))
    assert region.at_centre.hub_contacts.copy_of("mea").version == ours["version"]
    region.centre.end()
    region.wait(3 * 86_400)
    region.hub.end()
    region.hub.begin()
    assert set(region.at_hub.registry.fleet.sites) == {"abuja"}
    facts = msgspec.json.decode(said(capsys, place, "show", "--json"))
    assert facts == ours | {"age_seconds": facts["age_seconds"]}, "a restart changes nothing"
    assert facts["centre_key"] == region.key.public.hex()
    assert facts["counts"] | {"systems": 2, "systems_grade_1": 1, "sites": 3, "agents_active": 1} == facts["counts"]
    assert "every signature holds" in said(capsys, place, "show")
    systems = msgspec.json.decode(said(capsys, place, "list", "systems", "--json"))
    assert [(row["id"], row["grade"], row["hosts"]) for row in systems] == [
        ("visa", 1, ["db1.seoul", "db2.seoul"]),
        ("login", 2, ["db2.seoul"]),
    ]
    (row,) = msgspec.json.decode(said(capsys, place, "list", "agents", "--json"))
    assert (row["id"], row["public_keys"]) == (agent.agent_id.hex(), [agent.key.public.hex()])
    file = tmp_path / "new.toml"
    said(capsys, place, "topology", "--out", str(file))
    assert "cannot be written" in said(capsys, place, "topology", "--out", str(file), status=1)
    again_there = read_topology(file.read_text("utf-8"))
    for noun in ("agencies", "hubs", "sites", "systems", "links", "interfaces", "probes", "policies"):
        assert again_there.of(noun) == before.of(noun), noun
    assert set(again_there.hosts) == {"db1.seoul", "db2.seoul", "srv1.abuja"}, "who joined by itself, too"
    assert again_there.hosts["db2.seoul"] == before.hosts["db2.seoul"]


def test_the_centre_knows_who_holds_what(custodian: Region) -> None:
    region = custodian
    held = region.at_centre.hub_contacts.copy_of("mea")
    assert held is not None
    before = held
    region.is_cut = True
    apply(region, CUSTODIAN)
    again(region, 7_200)
    assert region.at_centre.hub_contacts.copy_of("mea") == before, "as it was when it was last heard"
    region.at_centre.jobs.run("hub_contacts")
    region.centre.end()
    region.centre.begin()
    assert region.at_centre.hub_contacts.copy_of("mea") == before, "over a restart, too"
    region.is_cut = False
    again(region)
    again(region, 61)
    held = region.at_centre.hub_contacts.copy_of("mea")
    assert held is not None
    assert held.version > before.version
    apply(region, TOPOLOGY)
    again(region)
    assert kept(region) is None, "no custodian any more, and nothing kept"


def flipped(packed: bytes) -> bytes:
    changed = bytearray(packed)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("column", ["packed", "confirmed"])
def test_what_the_centre_did_not_sign_is_refused_in_words(
    custodian: Region, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    with custodian.at_hub.store.transaction() as connection:
        connection.execute(update(registry_copy).values({column: flipped(getattr(kept(custodian), column))}))
    text = said(capsys, custodian.hub.folder, "show", status=1)
    assert "is not to be believed: registry: " in text
    assert "ask another custodian" in text
    again(custodian)
    said(capsys, custodian.hub.folder, "show")


def old(first: Response, _now: Response) -> Response:
    return first


def forged(_first: Response, now: Response) -> Response:
    said = msgspec.json.decode(now.body)
    packed = base64.b64encode(flipped(base64.b64decode(said["registry"]))).decode()
    return now._replace(body=msgspec.json.encode(said | {"registry": packed}))


@pytest.mark.parametrize(("change", "word"), [(old, "expected a newer one"), (forged, "registry: ")])
def test_older_or_forged_changes_nothing(
    custodian: Region, change: Callable[[Response, Response], Response], word: str
) -> None:
    first: list[Response] = []

    def between(said: Response | Failure) -> Response | Failure:
        if isinstance(said, Failure) or "scope=full" not in custodian.sent[-1].path or said.status != 200:
            return said
        first.append(said)
        return change(first[0], said) if len(first) > 2 else said

    custodian.forge = between
    again(custodian)
    again(custodian)
    before = kept(custodian)
    apply(custodian, CUSTODIAN)
    again(custodian)
    assert word in custodian.at_hub.upstream.copy.trouble
    assert kept(custodian) == before
    assert custodian.at_hub.upstream.standing.state == 0, "reports and the region go on"


def test_a_centre_and_a_common_hub_have_no_copy_to_show(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is a centre's" in said(capsys, region.centre.folder, "show", status=1)
    assert "keeps no copy" in said(capsys, region.hub.folder, "list", "sites", status=1)
