"""The relay's and the registry's rows, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, event, insert, select
from stage import Stage, set_stage

from agent.link.answer import DROP, RENEW, Receiver
from agent.link.keys import new_key
from agent.link.ranges import Ranges
from agent.link.receipt import Receipt, ReceiptError, pack_receipt, receipt_text
from agent.link.token import proof_message
from collector.agencies.tables import agencies
from collector.fleet.registry import Fleet, read_fleet
from collector.fleet.registry_export import Digests, RegistryError, SignedRegistry, export_registry, open_registry
from collector.fleet.tables import agent_keys, agents, hosts, sites
from collector.log.positions import Position
from collector.log.queries import NewEnvelope, add_envelopes
from collector.log.tables import envelopes
from collector.relay.custody import REFUSALS_KEPT, Custody, News, Refusal, Word
from collector.relay.queries import backlog, enclosed, last_id, read_position, waiting, write_position
from collector.relay.recall import Recall
from collector.relay.registry_apply import PROVISIONAL, RegistryOld, known_digest, take_over
from collector.relay.tables import relay_refusals
from collector.store.engine import Store

AGENT, EPOCH, HUB_ID = b"a" * 16, b"e" * 8, b"h" * 16
NAME = (AGENT, EPOCH)
CENTRE = new_key()
NONE = Ranges()


@pytest.fixture
def other(tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    path = tmp_path / "other.db"
    shutil.copy(sqlite_template, path)
    made = Store(f"sqlite:///{path}")
    yield made
    made.close()


# ---------------------------------------------------------------- what the centre said


def word(custody: Custody, ranges: list[tuple[int, int]], at_ms: int) -> Word:
    text = receipt_text(pack_receipt(Receipt(AGENT, EPOCH, ranges, at_ms), CENTRE.sign))
    return custody.open(text, AGENT)


def kept(store: Store, custody: Custody, news: News) -> Custody:
    """The same as after a restart."""
    with store.transaction() as connection:
        custody.keep(connection, news, 1)
    custody.learn(news)
    again = Custody(CENTRE.public)
    with store.reading() as connection:
        again.restore(connection)
    assert (again.receipt(NAME, NONE), again.refused(NAME)) == (custody.receipt(NAME, NONE), custody.refused(NAME))
    return again


def test_the_newest_receipt_is_handed_down_and_a_refusal_until_it_is_accounted_for(store: Store) -> None:
    custody = Custody(CENTRE.public)
    assert custody.receipt(NAME, NONE) == ""
    newer, older = word(custody, [(1, 9)], 2_000), word(custody, [(1, 4)], 1_000)
    refusal = Refusal(NAME, 10, 12, DROP, "bad_labels", "no")
    custody = kept(store, custody, News({NAME: newer}, [refusal]))
    custody = kept(store, custody, News({NAME: older}, [refusal]))
    assert custody.receipt(NAME, NONE) == newer.text
    assert [(one.seqs, one.code) for one in custody.refused(NAME)] == [([(10, 12)], "bad_labels")]
    custody = kept(store, custody, News({NAME: word(custody, [(1, 12)], 3_000)}))
    assert custody.refused(NAME) == []
    with store.transaction() as connection:
        custody.forget(connection)
    assert custody.receipt(NAME, NONE) == ""


@pytest.mark.parametrize(
    ("held", "waits", "is_told"),
    [
        ([(1, 6)], [], True),
        ([(1, 4), (6, 6)], [6], True),  # 6 waits, and the receipt says nothing of it
        ([(1, 5)], [3], False),  # the centre has a 3, and it is not ours
        ([(1, 2), (5, 5)], [], True),  # 3 and 4 went another way
        ([(1, 6)], [1, 2, 3, 4, 5, 6], False),
    ],
)
def test_a_receipt_is_kept_back_while_a_row_it_covers_waits(
    held: list[tuple[int, int]], waits: list[int], is_told: bool
) -> None:
    custody = Custody(CENTRE.public)
    here = Ranges(held)
    taken = [seq for seq in range(1, 9) if seq in here and seq not in waits]
    custody.learn(News({NAME: word(custody, [(1, 5)], 1_000)}, taken=[(NAME, taken)]))
    assert bool(custody.receipt(NAME, here)) == is_told
    custody.recall([(NAME, here)])  # as after a restart
    custody.leave_out({NAME: Ranges((seq, seq) for seq in waits)})
    assert not custody.receipt(NAME, here), "not before all rows were read"
    custody.recalled()
    assert bool(custody.receipt(NAME, here)) == is_told
    custody.learn(News(taken=[(NAME, waits)]))
    assert custody.receipt(NAME, here)


def test_a_fork_is_told_although_the_centre_accounts_for_its_number(store: Store) -> None:
    custody = Custody(CENTRE.public)
    fork = Refusal(NAME, 3, 3, RENEW, "fork", "a copy")
    custody = kept(store, custody, News({NAME: word(custody, [(1, 3)], 1_000)}, [fork]))
    custody = kept(store, custody, News({NAME: word(custody, [(1, 5)], 2_000)}))
    assert [one.action for one in custody.refused(NAME)] == [RENEW]
    custody.recall([(NAME, Ranges([(1, 5)]))])
    custody.recalled()
    assert custody.receipt(NAME, Ranges([(1, 5)])) == ""


def test_refusals_are_bounded_in_rows_too_and_forks_are_all_kept(store: Store) -> None:
    custody = Custody(CENTRE.public)
    fork = Refusal(NAME, 1, 1, RENEW, "fork", "a copy")
    many = [Refusal(NAME, seq, seq, DROP, "bad_labels", "no") for seq in range(2, REFUSALS_KEPT + 52)]
    custody = kept(store, custody, News(refusals=[fork, *many[:REFUSALS_KEPT]]))
    custody = kept(store, custody, News(refusals=many[REFUSALS_KEPT:]))
    told = {one.action: one.seqs for one in custody.refused(NAME)}
    assert told == {RENEW: [(1, 1)], DROP: [(52, REFUSALS_KEPT + 51)]}
    with store.reading() as connection:
        assert len(connection.execute(select(relay_refusals)).all()) == REFUSALS_KEPT + 1


def test_a_receipt_of_anybody_else_is_none(store: Store) -> None:
    custody = Custody(CENTRE.public)
    forged = receipt_text(pack_receipt(Receipt(AGENT, EPOCH, [(1, 9)], 1), new_key().sign))
    with pytest.raises(ReceiptError):
        custody.open(forged, AGENT)
    with store.transaction() as connection:  # as a former centre's would stand there
        custody.keep(connection, News({NAME: Word(forged, Receipt(AGENT, EPOCH, [(1, 9)], 1))}), 1)
        custody.restore(connection)
    assert custody.receipt(NAME, NONE) == ""


# ---------------------------------------------------------------- the cursor


def test_gaps_are_read_newest_first_and_ids_that_are_no_rows_are_told(store: Store) -> None:
    rows = [
        NewEnvelope(AGENT, EPOCH, n, n, 1_000 * n, b"\x93\x91\x01\xc4\x00\x90", b"x" * n, False) for n in range(1, 9)
    ]
    with store.transaction() as connection:
        add_envelopes(connection, rows)
        connection.execute(delete(envelopes).where(envelopes.c.id.in_((4, 5))))
        write_position(connection, Ranges([(1, 2), (7, 7)]), Receiver("centre", "c0", "01"))
    with store.reading() as connection:
        settled, receiver = read_position(connection)
        assert (settled.as_lists(), receiver) == ([[1, 2], [7, 7]], Receiver("centre", "c0", "01"))
        portions = list(waiting(connection, settled, 1, last_id(connection)))
        assert [(row.id, row.size) for found, _ in portions for row in found] == [(8, 8), (6, 6), (3, 3)]
        assert [gap for _, absent in portions for gap in absent] == [(4, 5)]
        assert backlog(connection, settled) == (5, 3_000)
        assert [(row.id, row.packed) for row in enclosed(connection, [3, 8])] == [(8, b"x" * 8), (3, b"x" * 3)]
        assert backlog(connection, Ranges([(1, 8)])) == (0, None)


def test_what_the_centre_took_is_read_back_some_rows_at_a_time_and_told_when_all_is_known(store: Store) -> None:
    custody, settled = Custody(CENTRE.public), Ranges([(1, 3)])
    custody.learn(News({NAME: word(custody, [(1, 9)], 1_000)}))
    rows = [NewEnvelope(AGENT, EPOCH, n, n, 1_000, b"\x93\x91%c\xc4\x00\x90" % n, b"x", False) for n in range(1, 8)]
    rows.append(NewEnvelope(AGENT, EPOCH, 8, 9, 1_000, b"\x93\x92\x08\x09\xc4\x00\x90", b"x", False))
    with store.transaction() as connection:
        add_envelopes(connection, rows)
    recall, held = Recall(store, custody, 3), Ranges([(1, 9)])
    recall.begin([(NAME, Position(0, 0, held))])
    recall.step(settled)
    assert (recall.is_done, custody.receipt(NAME, held)) == (False, ""), "7 to 9 are not known to wait yet"
    for row, seqs in ((5, [5]), (8, [8, 9])):  # meanwhile the centre takes one that was read, and one that was not
        settled.add(row)
        custody.learn(News(taken=[(NAME, seqs)]))
    recall.step(settled)
    assert (recall.is_done, custody.receipt(NAME, held)) == (True, "")
    custody.learn(News(taken=[(NAME, [4, 6])]))
    assert custody.receipt(NAME, held) == "", "7 waits"
    custody.learn(News(taken=[(NAME, [7])]))
    assert custody.receipt(NAME, held)


# ---------------------------------------------------------------- the registry


def enrolled(stage: Stage) -> bytes:
    token, key = stage.token(), new_key()
    proof = key.sign(proof_message(token, key.public)).hex()
    body = {"token": token, "public_key": key.public.hex(), "proof": proof, "host": "srv1"}
    return bytes.fromhex(stage.client().post("/v1/enrolments", json=body).json()["agent_id"])


def export(stage: Stage, have: str = "", hub_id: bytes = HUB_ID) -> bytes:
    with stage.store.reading() as connection:
        return export_registry(connection, "mea", hub_id, have, stage.clock.now, CENTRE.sign, {})


@pytest.mark.parametrize("is_centre", [True, False], ids=["exported from", "taken over into"])
def test_a_region_travels_whole_and_changes_follow(store: Store, other: Store, tmp_path: Path, is_centre: bool) -> None:
    stage = set_stage(store if is_centre else other, tmp_path)
    hub = other if is_centre else store
    agent_id = enrolled(stage)
    registry = open_registry(export(stage), CENTRE.public, HUB_ID)
    with hub.transaction() as connection:
        assert take_over(connection, registry)
        assert not take_over(connection, registry), "the same again changes nothing"
        assert known_digest(connection) == registry.digest
        fleet = read_fleet(connection, 1)
    assert (set(fleet.sites), set(fleet.hosts), set(fleet.agents)) == (
        {"here"},
        {"web.here", "shared.here", "srv1.here"},
        {agent_id},
    )
    assert fleet.hosts["shared.here"].agency == "stranger", "its agency came along"
    assert fleet.agents[agent_id].keys == read_fleet_of(stage).agents[agent_id].keys
    assert len(registry.spent) == 1
    unchanged = open_registry(export(stage, registry.digest), CENTRE.public, HUB_ID)
    assert (unchanged.tables, unchanged.digest) == (None, registry.digest)
    stage.clock.move(timedelta(seconds=60))
    with stage.store.transaction() as connection:
        connection.execute(agents.update().values(status="revoked"))
        connection.execute(delete(hosts).where(hosts.c.id == "web.here"))
    with hub.transaction() as connection:
        newer = open_registry(export(stage, registry.digest), CENTRE.public, HUB_ID)
        assert take_over(connection, newer)
        fleet = read_fleet(connection, 1)
        assert fleet.agents[agent_id].status == "revoked"
        assert "web.here" not in fleet.hosts
    with pytest.raises(RegistryOld, match="expected a newer one"), hub.transaction() as connection:
        take_over(connection, registry)


def test_a_hub_that_knows_everything_costs_a_look_at_the_version(store: Store, tmp_path: Path) -> None:
    stage = set_stage(store, tmp_path)
    digests: Digests = {}
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _k, text, *_rest: asked.append(text))

    def told(have: str) -> SignedRegistry:
        with store.reading() as connection:
            packed = export_registry(connection, "mea", HUB_ID, have, stage.clock.now, CENTRE.sign, digests)
        return open_registry(packed, CENTRE.public, HUB_ID)

    first = told("")
    asked.clear()
    assert told(first.digest).tables is None
    assert len([text for text in asked if "SELECT" in text]) == 1
    assert told("of another day").tables is not None
    enrolled(stage)
    newer = told(first.digest)
    assert newer.tables is not None
    assert newer.digest != first.digest


def read_fleet_of(stage: Stage) -> Fleet:
    with stage.store.reading() as connection:
        return read_fleet(connection, 1)


def test_who_was_let_in_provisionally_stays_beside_the_registry(store: Store, other: Store, tmp_path: Path) -> None:
    stage = set_stage(other, tmp_path)
    registry = open_registry(export(stage), CENTRE.public, HUB_ID)
    at = stage.clock.now
    with store.transaction() as connection:
        take_over(connection, registry)
        row = {"id": AGENT, "site": "here", "host": "web.here", "status": PROVISIONAL}
        connection.execute(insert(agents).values(**row, enrolled_at=at, status_at=at))
        connection.execute(insert(agent_keys).values(agent_id=AGENT, key_no=1, public_key=b"k" * 32, created_at=at))
        connection.execute(hosts.update().where(hosts.c.id == "web.here").values(agent_id=AGENT))
        take_over(connection, registry)
        agent = read_fleet(connection, 1).agents[AGENT]
        assert (agent.status, agent.hosts, len(agent.keys)) == (PROVISIONAL, {"web.here"}, 1)
        gone = open_registry(empty_region(stage), CENTRE.public, HUB_ID)
        take_over(connection, gone)
        assert connection.execute(select(sites.c.id)).scalars().all() == ["here"], "it still stands on its site"
        connection.execute(delete(agent_keys))
        connection.execute(delete(agents))
        take_over(connection, gone)
        assert connection.execute(select(sites.c.id)).all() == []
        assert connection.execute(select(agencies.c.id)).all() == []


def empty_region(stage: Stage) -> bytes:
    with stage.store.reading() as connection:
        return export_registry(connection, "nowhere", HUB_ID, "", stage.clock.now, CENTRE.sign, {})


def test_a_registry_of_another_hub_or_centre_is_refused(store: Store, tmp_path: Path) -> None:
    stage = set_stage(store, tmp_path)
    for packed, key in ((export(stage, hub_id=b"x" * 16), CENTRE), (export(stage), new_key()), (b"\x92\x01", CENTRE)):
        with pytest.raises(RegistryError):
            open_registry(packed, key.public, HUB_ID)
