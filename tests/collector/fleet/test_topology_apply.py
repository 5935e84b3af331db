"""Taking a topology over into rows: whole or not at all, and never behind an agent's back."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select
from stage import START, TOPOLOGY

from collector.agencies.tables import system_hosts
from collector.errors import TopologyError
from collector.fleet.agent_status import REVOKED, find_agent, set_status
from collector.fleet.registry import Registry, read_fleet
from collector.fleet.tables import agents, fleet_version, hosts, join_tokens, sites
from collector.fleet.topology import Topology, read_topology
from collector.fleet.topology_apply import apply_topology, current_topology
from collector.store.engine import Store

AGENT = bytes(range(16))


def version(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(fleet_version.c.version)).scalar_one())


def apply(store: Store, text: str) -> list[str]:
    with store.transaction() as connection:
        return [f"{change.sign} {change.id}" for change in apply_topology(connection, read_topology(text))]


def refused(store: Store, text: str) -> list[str]:
    before = version(store)
    with pytest.raises(TopologyError) as caught:
        apply(store, text)
    assert version(store) == before
    return list(caught.value.problems)


def join(store: Store, host: str = "srv", site: str = "here", agent: bytes = AGENT) -> None:
    with store.transaction() as connection:
        connection.execute(
            insert(agents).values(
                id=agent, site=site, host=f"{host}.{site}", status="active", enrolled_at=START, status_at=START
            )
        )
        connection.execute(
            insert(hosts).values(
                id=f"{host}.{site}", name=host, site=site, agency="owner", managed_by="enrolment", agent_id=agent
            )
        )


def test_the_rows_say_what_the_file_says(store: Store) -> None:
    assert len(apply(store, TOPOLOGY)) == 12
    with store.reading() as connection:
        assert current_topology(connection) == read_topology(TOPOLOGY)
        fleet = read_fleet(connection, 1)
    assert fleet.sites["here"].hub == "mea"
    assert fleet.sites["there"].hub == ""
    assert fleet.hosts["shared.here"].agency == "stranger"
    assert fleet.hosts["shared.here"].is_shared
    assert fleet.hosts["web.here"].agency == "owner"
    assert fleet.systems["portal"].hosts == ("shared.here", "web.here", "web.there")
    assert version(store) == 1


def test_the_same_file_again_changes_nothing(store: Store) -> None:
    apply(store, TOPOLOGY)
    assert apply(store, TOPOLOGY) == []
    assert version(store) == 1


def test_every_process_hears_of_a_change(store: Store) -> None:
    apply(store, TOPOLOGY)
    registry = Registry(store)
    assert registry.refresh()
    assert not registry.refresh()
    apply(store, TOPOLOGY.replace("grade = 1", "grade = 2"))
    assert registry.refresh()
    assert registry.fleet.systems["portal"].grade == 2


def test_what_is_gone_from_the_file_goes_from_here(store: Store) -> None:
    apply(store, TOPOLOGY)
    assert apply(store, '[[agencies]]\nid = "owner"\n') == [
        "- mail", "- portal", "- shared.here", "- web.away", "- web.here", "- web.there", "- away", "- here", "- there",
        "- mea", "- stranger",
    ]  # fmt: skip
    with store.reading() as connection:
        assert connection.execute(select(system_hosts)).all() == []
        assert current_topology(connection).of("agencies").keys() == {"owner"}


def test_a_site_may_change_hands_while_its_old_agency_goes(store: Store) -> None:
    apply(store, TOPOLOGY)
    join(store, site="away", host="srv")
    text = '[[agencies]]\nid = "new"\n[[sites]]\nid = "away"\nagency = "new"\ntimezone = "Asia/Dubai"\n'
    assert "- stranger" in apply(store, text)
    with store.reading() as connection:
        assert connection.execute(select(hosts.c.id, hosts.c.agency)).all() == [("srv.away", "new")]


def test_what_an_agent_stands_on_is_not_removed(store: Store) -> None:
    apply(store, TOPOLOGY)
    join(store)
    without = '[[agencies]]\nid = "owner"\n'
    assert refused(store, without) == [
        f"site 'here' is in use: agent {AGENT.hex()} of host srv.here is there; revoke it first "
        f"(bongsu agent revoke {AGENT.hex()}) or keep it in the file"
    ]
    with store.transaction() as connection:
        connection.execute(
            insert(join_tokens).values(
                hash=b"h" * 32, token_id=b"t" * 8, site="here", created_at=START, created_by="x", expires_at=START
            )
        )
        set_status(connection, find_agent(connection, "srv.here"), REVOKED, START)
    apply(store, without)
    with store.reading() as connection:
        for table in (agents, hosts, sites, join_tokens):
            assert connection.execute(select(table)).all() == [], table.name


def test_a_host_an_agent_runs_on_stays_in_the_file(store: Store) -> None:
    apply(store, TOPOLOGY)
    join(store)
    listed = TOPOLOGY + '[[hosts]]\nname = "srv"\nsite = "here"\nrole = "file server"\n'
    assert apply(store, listed) == ["~ srv.here"]
    assert "host 'srv.here' is in use" in refused(store, TOPOLOGY)[0]
    own = listed + 'agent = "web.here"\n'
    assert "host 'srv.here' has an agent of its own" in refused(store, own)[0]


def test_naming_a_host_that_joined_adopts_it_without_a_change(store: Store) -> None:
    apply(store, TOPOLOGY)
    join(store)
    assert apply(store, TOPOLOGY + '[[hosts]]\nname = "srv"\nsite = "here"\n') == []
    with store.reading() as connection:
        row = connection.execute(select(hosts).where(hosts.c.id == "srv.here")).one()
    assert (row.managed_by, row.agent_id) == ("file", AGENT)


def test_a_system_may_stand_on_a_host_that_joined_but_on_none_that_is_not_there(store: Store) -> None:
    apply(store, TOPOLOGY)
    text = TOPOLOGY.replace('hosts = ["web.away"]', 'hosts = ["srv.here"]')
    assert refused(store, text) == [
        "system 'mail': host 'srv.here' is neither in the file under [[hosts]] nor enrolled"
    ]
    join(store)
    assert apply(store, text) == ["~ mail"]


def test_targets_are_bound_and_freed(store: Store) -> None:
    apply(store, TOPOLOGY)
    join(store)
    target = TOPOLOGY + '[[hosts]]\nname = "db"\nsite = "here"\nagent = "srv.here"\n'

    def bound() -> bytes | None:
        with store.reading() as connection:
            found: bytes | None = connection.execute(
                select(hosts.c.agent_id).where(hosts.c.id == "db.here")
            ).scalar_one()
            return found

    apply(store, target)
    assert bound() == AGENT
    apply(store, target.replace('agent = "srv.here"', ""))
    assert bound() is None
    apply(store, target.replace('agent = "srv.here"', 'agent = "other.here"'))
    assert bound() is None
    apply(store, target)
    assert bound() == AGENT


def test_an_empty_topology_is_nothing(store: Store) -> None:
    with store.transaction() as connection:
        assert apply_topology(connection, Topology()) == []


FULL = """
[[links]]
site = "here"
name = "main"
kind = "geo"
carrier = "sat-one"
[[links]]
site = "here"
name = "spare"
role = "backup"
kind = "leo"
loss_ratio_limit = 0.1
test_days = 30
[[probes]]
from = "web.there"
target = "gw.here"
link = "here/main"
[[probes]]
from = "web.there"
target = "anchor"
anchor = true
[[systems]]
id = "login"
agency = "stranger"
grade = 1
groups = [{ name = "pair", rule = "standby", members = ["web.here", "web.away"] }, { name = "ok", rule = "1 of 1", members = ["web.here/http:login"] }]
depends_on = ["portal"]
[[interfaces]]
id = "sso"
source = "portal"
target = "login"
"""


def test_paths_and_groups_come_back_as_the_file_says(store: Store) -> None:
    text = (
        TOPOLOGY.replace(
            '[[sites]]\nid = "there"',
            '[[sites]]\nid = "there"\ncountry = "KR"\nweekend = ["sun"]\nclosures = [2026-12-24]\nbehind = ["shared.here"]\ncollector = true\nfacility = "f"',
        )
        + FULL
    )
    apply(store, text)
    with store.reading() as connection:
        assert current_topology(connection) == read_topology(text)
        fleet = read_fleet(connection, 1)
    assert [(link.id, link.role, link.loss_ratio_limit) for link in fleet.links.values()] == [
        ("here/main", "primary", None),
        ("here/spare", "backup", 0.1),
    ]
    assert [(probe.id, probe.link, probe.is_anchor) for probe in fleet.probes] == [
        ("web.there>anchor", "", True),
        ("web.there>gw.here", "here/main", False),
    ]
    assert [group.needed for group in fleet.systems["login"].groups] == [1, 1]
    assert fleet.systems["login"].hosts == ("web.away", "web.here")
    assert [(group.rule, group.needed) for group in fleet.systems["portal"].groups] == [("all", 3)]
    assert (fleet.interfaces["sso"].source_owner, fleet.interfaces["sso"].target_owner) == ("owner", "stranger")
    there = fleet.sites["there"]
    assert (there.calendar.closures, there.behind, there.is_collector) == (("2026-12-24",), ("shared.here",), True)
    assert apply(store, text) == []
    assert set(apply(store, TOPOLOGY)) >= {"- here/main", "- web.there>anchor", "- login", "- sso", "~ there"}
