"""A list of hosts: whole or not at all, and never over what the topology file owns."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from stage import TOPOLOGY

from collector.errors import TopologyError
from collector.fleet.host_list import read_hosts
from collector.fleet.host_list_apply import owned_by_file, take_over
from collector.fleet.tables import hosts
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.store.engine import Store

SITES = {"here": "owner", "away": "stranger"}
AGENCIES = ("owner", "stranger")


def read(text: str) -> dict[str, dict[str, object]]:
    return read_hosts(text, "h.csv", SITES, AGENCIES, {"web.here"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "h.csv:1: column 'name': missing; expected name, site"),
        ("name,site,agncy\n", "h.csv:1: column 'agncy': unknown; did you mean 'agency'?"),
        ("name,site,name\n", "h.csv:1: column 'name': is there twice"),
        ("name,site\nsrv\n", "h.csv:2: 1 columns, expected 2: name, site"),
        ("name,site\nSRV,here\n", "h.csv:2: name: 'SRV': expected 1 to 63"),
        ("name,site\nsrv,her\n", "h.csv:2: site: 'her': no such site; did you mean 'here'?"),
        ("name,site,agency\nsrv,here,ownr\n", "h.csv:2: agency: 'ownr': no such agency; did you mean 'owner'?"),
        ("name,site,shared\nsrv,here,perhaps\n", "h.csv:2: shared: 'perhaps': expected yes or no"),
        ("name,site,agent\nsrv,here,x.away\n", "h.csv:2: agent: 'x.away': at another site"),
        ("name,site\na,here\n\na,here\n", "h.csv:4: name: 'a.here' is there twice"),
        ("name,site\nweb,here\n", "h.csv:2: name: 'web.here' is in the topology file, which owns it"),
    ],
)
def test_mistakes(text: str, expected: str) -> None:
    with pytest.raises(TopologyError) as caught:
        read(text)
    assert any(expected in problem for problem in caught.value.problems), caught.value.problems


def test_a_line_is_a_host() -> None:
    found = read("\ufeffsite,name,shared,tags\r\nhere,srv,Yes,far thin\r\naway,srv,,\r\n")
    assert found["srv.here"]["tags"] == ("far", "thin")
    assert (found["srv.here"]["is_shared"], found["srv.here"]["agency"]) == (True, "owner")
    assert (found["srv.away"]["is_shared"], found["srv.away"]["agency"]) == (False, "stranger")


def test_taken_over_and_again(store: Store) -> None:
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
        assert take_over(connection, read("name,site,role\na,here,x\nb,here,y\n")) == (2, 0, 0, 0)
        assert take_over(connection, read("name,site,role\na,here,x\nb,here,y\n")) == (0, 0, 0, 0)
        assert take_over(connection, read("name,site,role\na,here,z\nc,away,\n")) == (1, 1, 1, 0)
        assert apply_topology(connection, read_topology(TOPOLOGY)) == [], "the file leaves the list's hosts alone"
        rows = connection.execute(select(hosts.c.id, hosts.c.role).where(hosts.c.managed_by == "import")).all()
        assert sorted(tuple(row) for row in rows) == [("a.here", "z"), ("c.away", "")]
        assert "web.here" in owned_by_file(connection)


@pytest.mark.slow
def test_forty_seven_thousand(store: Store) -> None:
    text = "name,site,role\n" + "".join(f"h{n},{('here', 'away')[n % 2]},server\n" for n in range(47_000))
    seen: list[int] = []
    wanted = read_hosts(text, "h.csv", SITES, AGENCIES, (), seen.append)
    assert len(wanted) == 47_000
    assert seen[-1] == 47_000
    if store.is_sqlite:
        with store.transaction() as connection:
            apply_topology(connection, read_topology(TOPOLOGY))
            assert take_over(connection, wanted).made == 47_000
