"""Policy: which tables fit whom, how they merge, how they are signed and numbered, and what agents say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select
from stage import START

from agent.link.keys import new_key
from agent.link.policy import Policy, open_policy
from collector.errors import TopologyError
from collector.fleet.agent_status import REVOKED, set_status
from collector.fleet.job import PolicyJob
from collector.fleet.policy import fits, policy_for
from collector.fleet.policy_state import PolicyState, policy_state
from collector.fleet.queries import find_signed_policy
from collector.fleet.registry import Agent, Fleet, HostEntry, PolicyRule, Registry, Site
from collector.fleet.tables import agent_policies, agents, hosts
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.store.engine import Store

CENTRE = new_key()
AGENT = bytes(range(16))
SITE = Site("abuja", "a", "", "", "", None, None, "Africa/Lagos", "geo", frozenset({"far"}))
HOST = HostEntry("srv1.abuja", "srv1", "abuja", "a", False, "file server", AGENT, frozenset({"old"}))
RULE = PolicyRule("r", None, None, None, None, None, None, None, None)
MEMBER = Agent(AGENT, "abuja", "srv1.abuja", "active", {}, frozenset({"srv1.abuja"}))


def fleet_of(*rules: PolicyRule) -> Fleet:
    return Fleet(sites={"abuja": SITE}, hosts={"srv1.abuja": HOST}, agents={AGENT: MEMBER}, policies=rules)


@pytest.mark.parametrize(
    ("rule", "is_for_it"),
    [
        (RULE, True),
        (replace(RULE, sites=("abuja",)), True),
        (replace(RULE, sites=("tokyo",)), False),
        (replace(RULE, sites=()), False),
        (replace(RULE, sites=("tokyo", "abuja")), True),
        (replace(RULE, roles=("file server",)), True),
        (replace(RULE, roles=("router",)), False),
        (replace(RULE, tags=("far",)), True),
        (replace(RULE, tags=("old",)), True),
        (replace(RULE, tags=("near", "old")), True),
        (replace(RULE, tags=("near",)), False),
        (replace(RULE, sites=("abuja",), tags=("near",)), False),
        (replace(RULE, sites=("abuja",), roles=("file server",), tags=("far",)), True),
    ],
)
def test_whom_a_rule_is_for(rule: PolicyRule, is_for_it: bool) -> None:
    assert fits(rule, fleet_of(), MEMBER) is is_for_it


def test_a_host_nobody_listed_has_no_role_and_its_sites_tags() -> None:
    unlisted = replace(MEMBER, host="new.abuja")
    assert fits(replace(RULE, tags=("far",)), fleet_of(), unlisted)
    assert not fits(replace(RULE, roles=("file server",)), fleet_of(), unlisted)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((), {"link_profile": "geo"}),
        ((replace(RULE, link_profile="thin"),), {"link_profile": "thin"}),
        ((replace(RULE, sites=("tokyo",), link_profile="thin"),), {"link_profile": "geo"}),
        (
            (replace(RULE, interval_seconds=30), replace(RULE, link_profile="thin", interval_seconds=90)),
            {"link_profile": "thin", "interval_seconds": 90},
        ),
        (
            (replace(RULE, checks={"off": ("zfs", "nfs")}), replace(RULE, interval_seconds=90)),
            {"link_profile": "geo", "interval_seconds": 90, "checks": {"off": ["zfs", "nfs"]}},
        ),
        (  # a later policy says its key anew, also where it says "none"
            (replace(RULE, processes=({"name": "sshd"},)), replace(RULE, processes=())),
            {"link_profile": "geo"},
        ),
    ],
)
def test_later_ones_win_key_by_key(rules: tuple[PolicyRule, ...], said: dict[str, object]) -> None:
    assert policy_for(fleet_of(*rules), MEMBER) == Policy(agent=AGENT, version=0, at_ms=0, **said)  # type: ignore[arg-type]


def test_nothing_for_who_is_revoked_or_nowhere() -> None:
    assert policy_for(fleet_of(), replace(MEMBER, status="revoked")) is None
    assert policy_for(Fleet(), MEMBER) is None


TOPOLOGY = """
[[agencies]]
id = "a"
[[sites]]
id = "abuja"
agency = "a"
timezone = "Africa/Lagos"
link_profile = "geo"
tags = ["far"]
[[hosts]]
name = "db1"
site = "abuja"
role = "database"
tags = ["old"]
[[policies]]
id = "far"
tags = ["far"]
interval_seconds = 90
checks = { off = ["bonding"] }
processes = [{ name = "sshd", command = "sshd", min_count = 2 }]
probes = [{ name = "portal", ports = [80, 443] }]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'tags = ["fra"]',
            "policies 'p': tags: 'fra': no such tag of a site or host in this file; did you mean 'far'?",
        ),
        ('roles = ["databse"]', "roles: 'databse': no such role of a host in this file; did you mean 'database'?"),
        ('sites = ["abudja"]', "sites: 'abudja': no such site in this file; did you mean 'abuja'?"),
        ('sites = "abuja"', "sites = 'abuja': expected a list of the ids of sites"),
        ('link_profile = "thn"', "link_profile = 'thn': expected one of lan"),
        ("interval_seconds = 4", "interval_seconds = 4: expected 5 to 300 seconds"),
        ("interval_seconds = 30.0", "interval_seconds = 30.0: expected 5 to 300 seconds"),
        ("checks = { on = [] }", "expected { off = [names] } or { only = [names] }"),
        ('checks = { off = ["a b"] }', "expected { off = [names] } or { only = [names] }"),
        ('processes = [{ command = "x" }]', "expected tables { name, command or pattern, min_count }"),
        ('processes = [{ name = "x", command = "x", pattern = "x" }]', "expected tables { name, command or pattern"),
        ('processes = [{ name = "x", min_count = 0 }]', "expected tables { name, command or pattern"),
        ('probes = [{ type = "http" }]', "probes = [{'type': 'http'}]: expected tables with a name"),
        ("intervall_seconds = 30", "intervall_seconds: unknown key; did you mean 'interval_seconds'?"),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    with pytest.raises(TopologyError) as caught:
        read_topology(TOPOLOGY + '[[policies]]\nid = "p"\n' + text + "\n", "t.toml")
    assert [said in problem for problem in caught.value.problems] == [True], caught.value.problems


@pytest.fixture
def registry(store: Store) -> Registry:
    """The topology above, with an agent on a host of its own that nobody listed."""
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
        at = {"enrolled_at": START, "status_at": START}
        connection.execute(insert(agents), {"id": AGENT, "site": "abuja", "host": "x.abuja", "status": "active", **at})
        host = {"id": "x.abuja", "name": "x", "site": "abuja", "agency": "a", "managed_by": "enrolment"}
        connection.execute(insert(hosts), {**host, "agent_id": AGENT})
    made = Registry(store)
    made.refresh()
    return made


def kept(store: Store) -> Policy:
    with store.reading() as connection:
        packed = find_signed_policy(connection, AGENT)
    assert packed is not None
    return open_policy(packed, CENTRE.public, AGENT)


def turn(store: Store, registry: Registry, job: PolicyJob, minutes: int = 0) -> Policy:
    """What the background does: read the fleet, then the policies, then the fleet again."""
    registry.refresh()
    job.step(START + timedelta(minutes=minutes))
    registry.refresh()
    return kept(store)


def test_it_is_signed_once_and_anew_only_when_it_says_something_else(store: Store, registry: Registry) -> None:
    job = PolicyJob(store, registry, CENTRE.sign, CENTRE.public)
    first = turn(store, registry, job)
    assert (first.version, first.interval_seconds, first.checks) == (1, 90, {"off": ["bonding"]})
    assert first.processes == [{"name": "sshd", "command": "sshd", "min_count": 2}]
    assert first.probes == [{"name": "portal", "ports": [80, 443]}]
    version, hint = registry.fleet.agents[AGENT].policy
    assert version == 1
    assert len(hint) == 8
    assert turn(store, registry, job, 1) == first
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY + '[[hosts]]\nname = "db2"\nsite = "abuja"\n'))
    assert turn(store, registry, job, 2) == first
    # another process, after a restart
    assert turn(store, registry, PolicyJob(store, registry, CENTRE.sign, CENTRE.public), 3) == first
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY.replace("= 90", "= 120")))
    second = turn(store, registry, job, 4)
    assert (second.version, second.interval_seconds) == (2, 120)
    assert second.at_ms == first.at_ms + 4 * 60_000
    assert registry.fleet.agents[AGENT].policy[1] != hint


def test_a_policy_that_goes_leaves_the_sites_profile(store: Store, registry: Registry) -> None:
    job = PolicyJob(store, registry, CENTRE.sign, CENTRE.public)
    turn(store, registry, job)
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY.partition("[[policies]]")[0]))
    left = turn(store, registry, job)
    assert (left.version, left.link_profile, left.interval_seconds, left.checks) == (2, "geo", 0, {})


def test_none_is_kept_of_who_is_revoked(store: Store, registry: Registry) -> None:
    job = PolicyJob(store, registry, CENTRE.sign, CENTRE.public)
    turn(store, registry, job)
    with store.transaction() as connection:
        set_status(connection, AGENT, REVOKED, START)
    registry.refresh()
    job.step(START)
    with store.reading() as connection:
        assert connection.execute(select(agent_policies)).all() == []


@pytest.mark.parametrize("damage", [b"", b"\xc1", "foreign"])
def test_what_cannot_be_read_back_is_signed_anew_under_the_next_number(
    store: Store, registry: Registry, damage: bytes | str
) -> None:
    turn(store, registry, PolicyJob(store, registry, CENTRE.sign, CENTRE.public))
    other = new_key()
    with store.transaction() as connection:
        if isinstance(damage, bytes):
            connection.execute(agent_policies.update().values(packed=damage))
    key = other if damage == "foreign" else CENTRE
    registry.refresh()
    PolicyJob(store, registry, key.sign, key.public).step(START)
    with store.reading() as connection:
        packed = find_signed_policy(connection, AGENT)
    assert packed is not None
    assert open_policy(packed, key.public, AGENT).version == 2


def test_the_file_says_policies_again_as_they_are(store: Store, registry: Registry) -> None:
    with store.transaction() as connection:
        assert apply_topology(connection, read_topology(TOPOLOGY)) == []
        changes = apply_topology(connection, read_topology(TOPOLOGY.replace("bonding", "zfs")))
    assert [str(change) for change in changes] == [
        "~ policies  far  checks: {'off': ('bonding',)} -> {'off': ('zfs',)}"
    ]


class Host:
    """A host's newest sample, as far as this looks at it."""

    def __init__(self, **labels: str) -> None:
        self._labels = labels

    def named(self, name: str) -> Iterator[tuple[tuple[tuple[str, str], ...], float]]:
        if self._labels and name == "agent_policy_info":
            yield tuple(self._labels.items()), 1.0


@pytest.mark.parametrize(
    ("version", "host", "state"),
    [
        (0, None, PolicyState("none", 0, 0, ())),
        (3, None, PolicyState("unreported", 3, 0, ())),
        (3, Host(), PolicyState("unreported", 3, 0, ())),
        (3, Host(version="3", overridden=""), PolicyState("applied", 3, 3, ())),
        (3, Host(version="2", overridden=""), PolicyState("pending", 3, 2, ())),
        (3, Host(version="0", overridden=""), PolicyState("pending", 3, 0, ())),
        (3, Host(version="x"), PolicyState("pending", 3, 0, ())),
        (
            3,
            Host(version="3", overridden="interval_seconds,checks"),
            PolicyState("applied", 3, 3, ("checks", "interval_seconds")),
        ),
        (0, Host(version="2", overridden=""), PolicyState("none", 0, 2, ())),
    ],
)
def test_what_an_agent_says_of_it(version: int, host: Host | None, state: PolicyState) -> None:
    assert policy_state(version, host) == state


def test_a_version_is_gone_with_its_row(store: Store, registry: Registry) -> None:
    turn(store, registry, PolicyJob(store, registry, CENTRE.sign, CENTRE.public))
    with store.transaction() as connection:
        connection.execute(delete(agent_policies))
        assert find_signed_policy(connection, AGENT) is None
