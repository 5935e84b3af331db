"""The whole registry at a custodian: who is given it, that it is the centre's word, and that it is read when the centre is
gone, while the hub's own board goes on knowing its region alone."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from region import Region
from sqlalchemy import delete, select, update

from agent.link.exchange import Failure, Request, Response
from agent.link.keys import new_key
from agent.link.signed_get import Asker, NotTold, Told, signed_get
from collector.cli import main
from collector.cli.copy_finding import copies_of_hubs, own_copy
from collector.fleet.registry_copy import open_content, open_copy
from collector.fleet.registry_export import RegistryError, open_registry, seal
from collector.fleet.tables import hub_keys
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology, current_topology
from collector.relay.copy_keeping import read_kept
from collector.relay.tables import registry_copy
from collector.store.schema import instant

WORLD = """
[[agencies]]
id = "for"
name_ko = "외교부"
[[agencies]]
id = "moi"
[[hubs]]
id = "mea"
url = "http://hub.test"
[[hubs]]
id = "eur"
[[sites]]
id = "abuja"
agency = "for"
hub = "mea"
custodian = true
timezone = "Africa/Lagos"
[[sites]]
id = "tokyo"
agency = "for"
timezone = "Asia/Tokyo"
[[sites]]
id = "dc-dj"
agency = "moi"
hub = "eur"
timezone = "Asia/Seoul"
latitude = 35.2
longitude = 126.9
country = "KR"
closures = [2026-12-24]
tags = ["main"]
[[hosts]]
name = "db1"
site = "dc-dj"
role = "db"
[[hosts]]
name = "db2"
site = "dc-dj"
agency = "for"
shared = true
agent = "db1.dc-dj"
behind = ["db1.dc-dj"]
[[links]]
site = "dc-dj"
name = "main"
kind = "leased"
rtt_ms_limit = 90
[[probes]]
from = "db1.dc-dj"
target = "gw.abuja"
site = "abuja"
[[interfaces]]
id = "web-mail"
source = "web"
target = "mail"
[[systems]]
id = "mail"
agency = "moi"
grade = 1
depends_on = ["web"]
name_ko = '온나라 "메일"'
[[systems.groups]]
name = "db"
rule = "any"
members = ["db1.dc-dj", "db2.dc-dj"]
[[systems]]
id = "web"
agency = "for"
grade = 3
[[systems.groups]]
name = "web"
rule = "all"
members = ["db1.dc-dj"]
[[policies]]
id = "second"
tags = ["main"]
interval_seconds = 20
[[policies]]
id = "first"
checks = { off = ["zfs"] }
processes = [{ name = "sshd", command = "sshd", min_count = 1 }]
probes = [{ name = "portal", "a key" = 1.5, module = "http", bad = "a\\u007fb" }]
"""
NOBODY = WORLD.replace("custodian = true\n", "")


def tell(region: Region, topology: str = WORLD) -> None:
    tell_at_centre(region, topology)
    again(region)


def tell_at_centre(region: Region, topology: str) -> None:
    with region.at_centre.store.transaction() as connection:
        apply_topology(connection, read_topology(topology))
    region.at_centre.registry.refresh()


def again(region: Region, seconds: float = 301) -> None:
    """Twice: the registry says who is a custodian, and who is one is given the copy."""
    for _ in range(2):
        region.wait(seconds)
        region.hub.turn()


@pytest.fixture
def verb(region: Region, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("BONGSU_CONFIG", "")
    before = logging.root.manager.disable

    def said(*argv: str, status: int | None = 0, data: Path | None = None) -> str:
        """``status`` None: whatever it is."""
        capsys.readouterr()
        assert main([*argv, "--data", str(data or region.hub.folder)]) == status or status is None
        out, err = capsys.readouterr()
        return out if not status else err

    yield said
    logging.disable(before)


def test_who_is_given_what(region: Region) -> None:
    """A region's registry never grows by it; the whole is a custodian's alone, and only while it is one."""
    agent, hub = region.agent(), region.at_hub.upstream._asker
    tell(region, NOBODY)
    foreign = {"dc-dj", "tokyo", "db1.dc-dj", "eur", "moi", "mail"}
    for topology, asker, path, status in (
        (NOBODY, hub, "scope=full", 403),
        (NOBODY, hub, "have=", 200),
        (WORLD, hub, "have=", 200),
        (WORLD, hub, "scope=full", 200),
        (WORLD, hub, "scope=all", 422),
        (WORLD, Asker(hub.id, 1, new_key().sign), "scope=full", 403),
        (WORLD, Asker(agent.agent_id, 1, agent.key.sign), "scope=full", 403),
        (WORLD.replace("custodian = true\n", "").replace('id = "dc-dj"', 'id = "dc-dj"\ncustodian = true'), hub,
         "scope=full", 403),
    ):  # fmt: skip
        tell(region, topology)
        told = signed_get(region.centre.answer, "", f"/v1/registry?{path}", asker, "")
        assert (200 if isinstance(told, Told) else told.status) == status, (path, told)
        if isinstance(told, Told):
            packed = base64.b64decode(told.said["registry"])
            if "full" in path:
                tables = open_content(open_copy(packed, region.key.public, hub.id))
                known = {row.get("id") for rows in tables.values() for row in rows}
                assert foreign <= known
                assert not {"persons", "secrets", "agent_policies", "persons_contacts"} & set(tables)
                with pytest.raises(RegistryError, match="scope"):
                    open_registry(packed, region.key.public, hub.id)
            else:
                tables = open_registry(packed, region.key.public, hub.id).tables or {}
                assert not foreign & {row.get("id") for rows in tables.values() for row in rows}
                with pytest.raises(RegistryError, match="scope"):
                    open_copy(packed, region.key.public, hub.id)
    told = signed_get(region.hub.answer, "", "/v1/registry?scope=full", hub, "")
    assert isinstance(told, NotTold)
    assert told.status == 404, "a custodian hands its copy to nobody"


def test_the_centre_burns_and_the_copy_is_read(region: Region, verb: Any, tmp_path: Path) -> None:
    assert "keeps no copy" in verb("registry", "show", status=1)
    assert "bongsu hub list" in verb("registry", "show", status=1, data=region.centre.folder)
    agent = region.agent()
    tell(region)
    assert region.at_hub.upstream.copy.trouble == ""
    held = region.at_centre.hub_contacts.copy_of("mea")
    assert held is not None
    with region.at_centre.store.reading() as connection:
        there = current_topology(connection)

    region.is_cut = True  # and the building burns
    region.hub.end()
    region.hub.begin()
    again(region)
    assert set(region.at_hub.registry.fleet.sites) == {"abuja"}, "its region stays its region"
    assert set(region.at_hub.standing.sites) <= {"abuja"}

    facts = json.loads(verb("registry", "show", "--json"))
    assert (facts["hub"], facts["version"], facts["centre_key"]) == ("mea", held.version, region.key.public.hex())
    counts = facts["counts"]
    assert {noun: counts[noun] for noun in ("agencies", "systems", "hubs", "sites", "hosts", "agents")} == {
        "agencies": 2, "systems": 2, "hubs": 2, "sites": 3, "hosts": 3, "agents": 1,
    }  # fmt: skip
    assert (counts["systems_grade_1"], counts["systems_grade_3"], counts["agents_active"]) == (1, 1, 1)
    shown = verb("registry", "show")
    assert "every signature holds" in shown
    assert "ago, that this is all there is" in shown
    listed = json.loads(verb("registry", "list", "systems", "--json"))
    assert [(row["id"], row["grade"], row["hosts"]) for row in listed] == [
        ("mail", 1, ["db1.dc-dj", "db2.dc-dj"]),
        ("web", 3, ["db1.dc-dj"]),
    ]
    (one,) = json.loads(verb("registry", "list", "agents", "--json"))
    assert one["public_keys"] == [agent.key.public.hex()]

    made = tmp_path / "again.toml"
    verb("registry", "topology", "--out", str(made))
    assert "expected a new file" in verb("registry", "topology", "--out", str(made), status=1)
    again_made = read_topology(made.read_text("utf-8"))
    for noun in ("agencies", "hubs", "sites", "systems", "policies", "links", "probes", "interfaces"):
        assert again_made.of(noun) == there.of(noun), noun
    assert set(again_made.hosts) == set(there.hosts) | {"srv1.abuja"}, "those that joined by themselves, too"
    assert {name: again_made.hosts[name] for name in there.hosts} == there.hosts
    anew, password = tmp_path / "anew", tmp_path / "password"
    password.write_text("a rather long password\n")
    verb("init", "--admin-password-file", str(password), data=anew)
    verb("apply", str(made), data=anew)
    assert {row["id"]: row["site"] for row in json.loads(verb("hosts", "--json", data=anew))} == {
        name: host["site"] for name, host in again_made.hosts.items()
    }, "and a new centre takes it"


def test_it_follows_the_registry_and_goes_with_the_task(region: Region) -> None:
    tell(region)
    first = region.at_centre.hub_contacts.copy_of("mea")
    asked = len(region.sent)
    again(region, 61)
    assert sum("scope=full" in one.path for one in region.sent[asked:]) == 0, "once in five minutes"
    tell(region, WORLD.replace("grade = 3", "grade = 2"))
    second = region.at_centre.hub_contacts.copy_of("mea")
    assert first is not None
    assert second is not None
    assert second.version > first.version
    tell(region, NOBODY)
    again(region)
    with region.at_hub.store.reading() as connection:
        assert not connection.execute(select(registry_copy)).all(), "what it must not know it does not keep"


def doctor(verb: Any, data: Path) -> tuple[str, str]:
    (found,) = [one for one in json.loads(verb("doctor", "--json", data=data, status=None)) if one["id"] == "C018"]
    return found["result"], found["text"]


def asked(region: Region, path: str) -> str:
    answer = region.centre.answer(Request("GET", "", path, b"", [("accept-language", "en")]))
    assert isinstance(answer, Response)
    assert answer.status == 200, answer
    return answer.body.decode()


def test_the_centre_shows_who_holds_what(region: Region, verb: Any) -> None:
    """Over the API, on the hub's page, in the list of hubs and by doctor; as it was last heard while the hub is away."""
    centre, contacts = region.centre.folder, region.at_centre.hub_contacts
    tell(region, NOBODY)
    assert json.loads(asked(region, "/api/hubs/mea"))["registry_copy"] is None
    assert "whole registry" not in asked(region, "/hubs/mea")
    assert doctor(verb, centre)[0] == "warn"
    assert "custodian = true" in doctor(verb, centre)[1]
    region.is_cut = True
    tell(region)
    assert json.loads(asked(region, "/api/hubs/mea"))["registry_copy"] == {
        "version": None,
        "at": None,
        "is_stale": True,
    }
    assert "None yet" in asked(region, "/hubs/mea")
    assert doctor(verb, centre) == ("warn", "hub mea is a custodian and holds none; see bongsu doctor on that hub")
    region.is_cut = False
    again(region)
    held = contacts.copy_of("mea")
    assert held is not None
    region.at_centre.jobs.run("hub_contacts")
    (member,) = json.loads(verb("hub", "list", "--json", data=centre))
    assert (member["copy_version"], bool(member["copy_at"])) == (held.version, True)
    said = json.loads(asked(region, "/api/hubs/mea"))["registry_copy"]
    assert (said["version"], said["is_stale"]) == (held.version, False)
    assert f"version {held.version}" in asked(region, "/hubs/mea")
    assert "Not confirmed" not in asked(region, "/hubs/mea")
    region.is_cut = True
    tell(region, WORLD.replace("grade = 3", "grade = 2"))
    again(region, 3_600)
    region.centre.end()
    region.centre.begin()
    said = json.loads(asked(region, "/api/hubs/mea"))["registry_copy"]
    assert (said["version"], said["is_stale"]) == (held.version, True), "over a restart, too"
    assert "Not confirmed for an hour" in asked(region, "/hubs/mea")


AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_doctor_at_a_custodian_and_at_its_centre(region: Region) -> None:
    def found(after: timedelta = timedelta()) -> tuple[str, str]:
        with region.at_hub.store.reading() as connection:
            return own_copy(connection, region.hub.settings, instant(region.hub.clock.wall_ms()) + after)

    assert found() == ("ok", "no site of this hub is a custodian")
    tell(region)
    assert found()[0] == "ok"
    assert found(timedelta(hours=2)) == ("warn", found()[1] + ", not confirmed since")
    with region.at_hub.store.transaction() as connection:
        connection.execute(update(registry_copy).values(packed=_flipped(region, b"spoiled")))
    assert found()[0] == "FAIL"
    with region.at_hub.store.transaction() as connection:
        connection.execute(delete(registry_copy))
    assert found() == ("warn", "none kept yet, though a site of this hub is a custodian: see C013")
    for age, result, said in (
        (timedelta(minutes=59), "ok", "hub mea holds version 7, all there was at 2026-11-20 09:00 UTC"),
        (timedelta(minutes=61), "warn", "not confirmed since; see bongsu doctor on that hub"),
        (timedelta(hours=-3), "ok", "hub mea holds version 7"),
    ):
        with region.at_centre.store.transaction() as connection:
            connection.execute(update(hub_keys).values(copy_version=7, copy_at=AT))
            word, text = copies_of_hubs(connection, AT + age)
        assert (word, said in text) == (result, True), text


def _sealed_again(region: Region, packed: bytes, **other: Any) -> bytes:
    payload = msgspec.msgpack.decode(msgspec.msgpack.decode(packed)[0])
    return seal(payload | other, region.key.sign)


def _flipped(_region: Region, packed: bytes) -> bytes:
    spoiled = bytearray(packed)
    spoiled[len(spoiled) // 2] ^= 1
    return bytes(spoiled)


Change = Callable[[Region, bytes], bytes]
WRONG: tuple[tuple[Change, str], ...] = (
    (_flipped, "not signed by the centre"),
    (
        lambda _region, packed: seal(msgspec.msgpack.decode(msgspec.msgpack.decode(packed)[0]), new_key().sign),
        "not signed by the centre",
    ),
    (lambda region, packed: _sealed_again(region, packed, hub_id=b"x" * 16), "for hub identity"),
    (lambda region, packed: _sealed_again(region, packed, scope=""), "of scope"),
    (lambda region, packed: _sealed_again(region, packed, digest="0" * 32), "not what its digest says"),
    (lambda region, packed: _sealed_again(region, packed, at_ms=1_000), "expected a newer one"),
)


def test_what_does_not_hold_is_not_kept(region: Region) -> None:
    tell(region)
    before = kept(region)
    tell_at_centre(region, WORLD.replace("grade = 3", "grade = 2"))
    for change, said in WRONG:

        def forge(answer: Response | Failure, change: Change = change) -> Response | Failure:
            if not isinstance(answer, Response) or b'"registry"' not in answer.body or b"judged" in answer.body:
                return answer
            found = msgspec.json.decode(answer.body)
            packed = change(region, base64.b64decode(found["registry"]))
            return answer._replace(body=msgspec.json.encode(found | {"registry": base64.b64encode(packed).decode()}))

        region.forge = forge
        again(region)
        assert kept(region).tables == before.tables, said
        assert said in region.at_hub.upstream.copy.trouble
    region.forge = lambda answer: answer
    again(region)
    assert region.at_hub.upstream.copy.trouble == ""
    assert kept(region).tables != before.tables


def test_a_copy_altered_on_the_hubs_disk_is_refused_in_words(region: Region, verb: Any) -> None:
    tell(region)
    with region.at_hub.store.transaction() as connection:
        packed = connection.execute(select(registry_copy.c.packed)).scalar_one()
        connection.execute(update(registry_copy).values(packed=_flipped(region, packed)))
    for argv in (["show"], ["list", "hosts"], ["topology"]):
        words = verb("registry", *argv, status=1)
        assert "not to be believed" in words
        assert "another custodian" in words
    again(region)
    assert kept(region).tables["systems"], "and it is asked for anew"


def kept(region: Region) -> Any:
    with region.at_hub.store.reading() as connection:
        found = read_kept(connection, region.key.public, region.at_hub.upstream._asker.id)
    assert found is not None
    return found
