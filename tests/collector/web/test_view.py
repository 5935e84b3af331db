"""What the board shows: order, honesty, and what is hidden from whom."""

from __future__ import annotations

from world import World

from collector.store.scope import EVERYTHING, NOTHING, Scope
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, OK, Standing
from collector.web import view


def rows(world: World, scope: Scope = EVERYTHING) -> dict[str, view.SiteRow]:
    return view.site_rows(world.registry.fleet, world.live, world.standing, scope)


def test_states_and_evidence_come_from_the_verdicts(world: World) -> None:
    found = rows(world)
    assert len(found) == 27
    states = {site: found[site].verdict.state for site in ("nairobi", "dc-djn", "abuja", "beirut", "cairo")}
    assert states == {"nairobi": DOWN, "dc-djn": DEGRADED, "abuja": NO_DATA, "beirut": MAINTENANCE, "cairo": OK}
    assert [line.state for line in found["dc-djn"].failing] == [2, 1, 1]
    assert found["dc-djn"].failing[0].check == "disk_space"
    assert found["dc-djn"].hosts == (2, 0, 0, 2, 0)
    assert found["dc-djn"].checks == 36


def test_what_nobody_judged_is_no_data(world: World) -> None:
    world.standing = Standing()
    for row in rows(world).values():
        assert row.verdict.state == NO_DATA
        assert row.hosts[OK] == 0
        assert row.failing == ()


def test_a_silent_host_does_not_show_what_it_said_last(world: World) -> None:
    world.failing["srv2.dc-djn"]["disk_space"] = (2, "full")
    world.silent.add("srv2.dc-djn")
    world.clock.now_ms += 120_000  # type: ignore[attr-defined]
    world.step()
    row = rows(world)["dc-djn"]
    assert row.hosts[NO_DATA] == 1
    assert {line.host for line in row.failing} == {"srv3.dc-djn"}


def test_worst_first_and_stable(world: World) -> None:
    groups = view.groups(rows(world).values())
    worst = [group.worst for group in groups]
    assert worst == sorted(worst, reverse=True)
    assert [row.site.id for row in groups[0].rows][:3] == ["nairobi", "abuja", "beirut"]
    again = view.groups(reversed(list(rows(world).values())))
    assert [[row.site.id for row in group.rows] for group in again] == [
        [row.site.id for row in group.rows] for group in groups
    ]
    assert groups[-1].id == "nam"


def test_scope_hides_other_sites_and_hosts(world: World) -> None:
    assert rows(world, NOTHING) == {}
    missions = rows(world, Scope(agencies=frozenset({"for"})))
    assert len(missions) == 24
    assert not any(site.startswith("dc-") for site in missions)
    assert set(rows(world, Scope(sites=frozenset({"cairo"})))) == {"cairo"}


def test_a_guest_sees_its_own_hosts_and_their_state(world: World) -> None:
    """Agency adm has srv3 and srv4 in the centres, which belong to nirs."""
    guest = rows(world, Scope(agencies=frozenset({"adm"})))
    assert set(guest) == {"dc-djn", "dc-gwj", "dc-dgu"}
    assert guest["dc-djn"].host_total == 2
    assert {line.host for line in guest["dc-djn"].failing} == {"srv3.dc-djn"}
    del world.failing["srv3.dc-djn"]
    world.clock.now_ms += 16_000  # type: ignore[attr-defined]
    world.step()
    guest = rows(world, Scope(agencies=frozenset({"adm"})))
    assert guest["dc-djn"].verdict.state == OK, "the neighbour's full disk is none of adm's business"
    assert rows(world)["dc-djn"].verdict.state == DEGRADED


def test_the_filter_looks_in_names_hub_and_agency(world: World) -> None:
    found = rows(world)
    for query, expected in (
        ("나이지리아", {"abuja"}),
        ("ABUJA", {"abuja"}),
        ("중남미", {"brasilia", "lima", "mexico-city", "santiago"}),
    ):
        assert {site for site, row in found.items() if view.matches(row, query, None)} == expected
    assert {site for site, row in found.items() if view.matches(row, "", DOWN)} == {"nairobi"}
    assert sum(view.counts_by_state(found.values())) == 27
