"""The verdict tick on both databases: changes are rows, written once, and a restart goes on from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from worlds import START, Known, agent_id, fleet, known

from collector.fleet.registry import Fleet, Registry
from collector.live.reconcile import unmonitored
from collector.store.engine import Store
from collector.verdicts.job import VerdictJob
from collector.verdicts.queries import changes_of, failing
from collector.verdicts.reasons import CHECKS_FAILING, HOSTS_SILENT, SILENT, STARTING
from collector.verdicts.standing import DEGRADED, NO_DATA, OK
from collector.verdicts.tables import state_changes, states

LATER = 1000.0


class World:
    """A registry whose fleet the test sets, and what was heard; the rows are real."""

    def __init__(self, store: Store, its_fleet: Fleet) -> None:
        self.store = store
        self.registry = Registry(store)
        self.registry.fleet = its_fleet
        self.heard = Known()
        self.begin(0)

    def begin(self, at: float) -> None:
        self.job = VerdictJob(self.store, self.registry, self.heard, START + round(at * 1000))

    def hear(self, reports: dict[str, Any]) -> None:
        found = known(reports)
        self.heard.hosts.update(found.hosts)
        self.heard.agents.update(found.agents)

    def tick(self, at: float) -> None:
        self.job.step(datetime.fromtimestamp((START + round(at * 1000)) / 1000, UTC))

    def rows(self) -> list[tuple[str, str, int | None, int, str]]:
        with self.store.reading() as connection:
            found = connection.execute(select(state_changes).order_by(state_changes.c.id)).all()
        return [(r.kind, r.subject, r.from_state, r.to_state, r.reason) for r in found]

    def now(self) -> dict[tuple[str, str], int]:
        with self.store.reading() as connection:
            return {(row.kind, row.id): row.state for row in connection.execute(select(states))}


@pytest.fixture
def world(store: Store) -> World:
    return World(store, fleet({"a.seoul": "x"}))


def test_only_changes_are_written(world: World) -> None:
    world.hear({"a.seoul": ("x", LATER)})
    for at in range(5):
        world.tick(LATER + at)
    assert [row[0::2] for row in world.rows()] == [(kind, None, "reporting") for kind in ("site", "host", "agent")]
    world.tick(LATER + 46)
    world.tick(LATER + 47)
    world.hear({"a.seoul": ("x", LATER + 60, {"disk": 1})})
    world.tick(LATER + 60)
    assert [row[2:4] for row in world.rows() if row[0] == "site"] == [(None, OK), (OK, NO_DATA), (NO_DATA, DEGRADED)]
    assert world.now()["site", "seoul"] == DEGRADED
    with world.store.reading() as connection:
        changes = changes_of(connection, "site", "seoul", START, START + round((LATER + 60) * 1000))
    assert [(c.before, c.after, c.at_ms - START, c.reason) for c in changes] == [
        (None, OK, 1_000_000, "reporting"),
        (OK, NO_DATA, 1_046_000, SILENT),
    ]


def test_restart_keeps_since_and_writes_nothing(world: World) -> None:
    world.hear({"a.seoul": ("x", LATER)})
    world.tick(LATER)
    before = world.rows()
    world.begin(LATER + 600)
    world.tick(LATER + 601)
    assert world.job.standing.sites["seoul"].reason == STARTING
    world.hear({"a.seoul": ("x", LATER + 610)})
    world.tick(LATER + 611)
    assert world.job.standing.sites["seoul"][:2] == (OK, START + round(LATER * 1000))
    assert world.rows() == before


def test_who_was_silent_for_long_is_not_new_after_a_restart(world: World) -> None:
    """A start reads back the last minutes of reports; whoever was silent before that has none."""
    world.hear({"a.seoul": ("x", LATER, {"disk": 2})})
    world.tick(LATER)
    world.tick(LATER + 100)
    world.tick(LATER + 700)
    before = world.rows()
    for restart in (1, 2):
        del world.heard.hosts["a.seoul"]
        world.begin(LATER + 1000 * restart)
        for at in range(0, 100, 20):
            world.tick(LATER + 1000 * restart + at)
        found = world.job.standing.hosts["a.seoul"]
        assert (found.reason, found.last_report_ms) == (SILENT, START + round(LATER * 1000))
        assert (world.rows(), unmonitored(world.registry.fleet, world.heard, world.job.standing.hosts)) == (before, [])
        with world.store.reading() as connection:
            assert [check.check for check in failing(connection)] == ["disk"], "what it said last stays said"
        world.heard.hosts |= known({"a.seoul": ("x", LATER, {"disk": 2})}).hosts
    world.begin(LATER + 3000)
    world.hear({"a.seoul": ("x", LATER + 3001)})
    world.tick(LATER + 3001)
    assert world.job.standing.hosts["a.seoul"].state == OK
    with world.store.reading() as connection:
        assert failing(connection) == set()


def test_what_cannot_be_written_is_published_and_written_later(world: World) -> None:
    world.hear({"a.seoul": ("x", LATER)})
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE state_changes RENAME TO away")
    with pytest.raises(Exception, match="state_changes"):  # the database's own error, whichever it is
        world.tick(LATER)
    assert world.job.standing.sites["seoul"].state == OK
    assert world.now() == {}, "the states went with the changes that could not be written"
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO state_changes")
    world.tick(LATER + 1)
    assert len(world.rows()) == len(world.now()) == 3


def test_what_leaves_the_fleet_leaves_the_states_but_not_the_changes(world: World) -> None:
    world.registry.fleet = fleet({"a.seoul": "x", "b.seoul": "y"})
    world.hear({"a.seoul": ("x", LATER), "b.seoul": ("y", LATER)})
    world.tick(LATER)
    world.registry.fleet = fleet({"a.seoul": "x"}, version=2)
    world.tick(LATER + 1)
    assert {subject for kind, subject in world.now() if kind == "host"} == {"a.seoul"}
    assert {row[1] for row in world.rows() if row[0] == "host"} == {"a.seoul", "b.seoul"}
    world.registry.fleet = fleet({"a.seoul": "x", "b.seoul": "y"}, version=3)
    world.tick(LATER + 2)
    assert [row[2] for row in world.rows() if row[1] == "b.seoul"] == [None, None]


def test_many_hosts_change_at_once(world: World) -> None:
    world.registry.fleet = fleet({f"h{n}.s{n % 7}": f"a{n}" for n in range(700)})
    world.hear({f"h{n}.s{n % 7}": (f"a{n}", LATER) for n in range(700)})
    world.tick(LATER)
    world.tick(LATER + 100)
    assert len(world.rows()) == 2 * (700 + 700 + 7) + 1, "the empty site changes once"
    assert set(world.now().values()) == {NO_DATA}


def test_another_reason_alone_is_known_after_a_start_and_is_nobodys_history(world: World) -> None:
    world.registry.fleet = fleet({"a.seoul": "x", "b.seoul": "y"})
    world.hear({"a.seoul": ("x", LATER, {"disk": 2}), "b.seoul": ("y", LATER - 100)})
    world.tick(LATER)
    before = world.rows()
    assert (world.job.standing.sites["seoul"].reason, world.now()["site", "seoul"]) == (HOSTS_SILENT, DEGRADED)
    world.hear({"b.seoul": ("y", LATER + 1)})
    world.tick(LATER + 1)
    since_ms = world.job.standing.sites["seoul"].since_ms
    assert [row[:2] for row in world.rows()[len(before) :]] == [("host", "b.seoul"), ("agent", agent_id("y").hex())]
    world.heard = Known()
    world.begin(LATER + 2)
    world.tick(LATER + 2)
    found = world.job.standing.sites["seoul"]
    assert (found.state, found.reason, found.since_ms) == (DEGRADED, CHECKS_FAILING, since_ms)
