"""The audit log: what was done to it is found and named, whoever did it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from stage import PASSWORD, START, Stage

from agent.link.keys import new_key
from collector.access import audit_api
from collector.access.audit import add_head, let_go, list_heads, read_log, record, tip_of, whole_log
from collector.access.chain import Fault, Head, faults, row_hash
from collector.access.job import AuditJob, heads_file, read_heads
from collector.access.review import span_of
from collector.access.tables import audit_heads, audit_log, audit_tip
from collector.store.engine import Store
from collector.store.scope import Scope

OWN = {"Origin": "https://bongsu.test"}
KEY = new_key()
Log = audit_log.c


@pytest.fixture
def written(store: Store) -> Store:
    """Nine rows, an hour apart; a head signed after the sixth."""
    for number in range(1, 10):
        with store.transaction() as connection:
            at = START + timedelta(hours=number)
            assert record(connection, at, "kim", "config.apply", f"file{number}", {"n": number, "한글": [1]}) == number
            if number == 6:
                add_head(connection, at, KEY.sign)
    return store


def wrong(store: Store, more: tuple[Head, ...] = ()) -> list[tuple[str, int]]:
    with store.reading() as connection:
        heads = [*list_heads(connection), *more]
        found: Iterator[Fault] = faults(whole_log(connection), heads, tip_of(connection), KEY.public)
        return [(fault.what, fault.seq) for fault in found]


def edit_in_place(connection: Connection) -> None:
    connection.execute(update(audit_log).where(Log.seq == 4).values(actor="lee"))


def edit_data(connection: Connection) -> None:
    connection.execute(update(audit_log).where(Log.seq == 4).values(data={"n": 5, "한글": [1]}))


def edit_and_hash_anew(connection: Connection) -> None:
    row = connection.execute(select(audit_log).where(Log.seq == 4)).one()
    made = row_hash(row.previous, 4, row.at_ms, "lee", row.action, row.subject, row.data)
    connection.execute(update(audit_log).where(Log.seq == 4).values(actor="lee", hash=made))


def remove_one(connection: Connection) -> None:
    connection.execute(delete(audit_log).where(Log.seq == 4))


def remove_the_first(connection: Connection) -> None:
    connection.execute(delete(audit_log).where(Log.seq <= 2))


def cut_the_end(connection: Connection) -> None:
    connection.execute(delete(audit_log).where(Log.seq > 7))


def cut_the_end_and_its_tip(connection: Connection) -> None:
    """The head that was signed at row six is still there."""
    connection.execute(delete(audit_log).where(Log.seq > 4))
    row = connection.execute(select(Log.seq, Log.hash).where(Log.seq == 4)).one()
    connection.execute(update(audit_tip).values(seq=row.seq, hash=row.hash))


def put_one_in(connection: Connection) -> None:
    row = connection.execute(select(audit_log).where(Log.seq == 9)).one()
    made = row_hash(row.previous, 10, row.at_ms, "lee", "config.apply", "x", {})
    values = {**row._mapping, "seq": 10, "actor": "lee", "subject": "x", "data": {}, "hash": made}
    connection.execute(insert(audit_log).values(values))


def begin_anew(connection: Connection) -> None:
    """A whole new chain with one row less, as somebody with the database but without the key can make it."""
    rows = [row for row in connection.execute(select(audit_log).order_by(Log.seq)) if row.seq != 3]
    connection.execute(delete(audit_log))
    before = bytes(32)
    for seq, row in enumerate(rows, 1):
        made = row_hash(before, seq, row.at_ms, row.actor, row.action, row.subject, row.data)
        connection.execute(insert(audit_log).values({**row._mapping, "seq": seq, "previous": before, "hash": made}))
        before = made
    connection.execute(update(audit_tip).values(seq=len(rows), hash=before))


def sign_with_another_key(connection: Connection) -> None:
    connection.execute(delete(audit_heads))
    add_head(connection, START, new_key().sign)


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (None, []),
        (edit_in_place, [("edited", 4)]),
        (edit_data, [("edited", 4)]),
        (edit_and_hash_anew, [("inserted", 5)]),
        (remove_one, [("missing", 4)]),
        (remove_the_first, [("missing", 1)]),
        (cut_the_end, [("missing", 8)]),
        (cut_the_end_and_its_tip, [("missing", 5)]),
        (put_one_in, [("inserted", 10), ("inserted", 10)]),
        (begin_anew, [("rewritten", 6)]),
        (sign_with_another_key, [("unsigned", 9)]),
    ],
)
def test_what_was_done_to_the_log_is_named(
    written: Store, tampering: Callable[[Connection], None] | None, expected: list[tuple[str, int]]
) -> None:
    if tampering is not None:
        with written.transaction() as connection:
            tampering(connection)
    assert wrong(written) == expected


def test_heads_in_the_file_find_what_was_taken_with_its_heads(written: Store, tmp_path: Path) -> None:
    job = AuditJob(written, heads_file(tmp_path), 365, KEY.sign, lambda: "")
    job.step(START + timedelta(hours=10))
    job.step(START + timedelta(hours=10, minutes=1))
    kept = read_heads(heads_file(tmp_path))
    assert [(head.kind, head.seq) for head in kept] == [("head", 9)]
    with written.transaction() as connection:
        cut_the_end_and_its_tip(connection)
        connection.execute(delete(audit_heads))
    assert wrong(written) == [], "the database alone tells nothing"
    assert wrong(written, tuple(kept)) == [("missing", 5)]
    assert heads_file(tmp_path).stat().st_mode & 0o077 == 0


def test_what_is_old_goes_and_the_rest_stays_whole(written: Store, tmp_path: Path) -> None:
    believed = [False]
    job = AuditJob(written, heads_file(tmp_path), 365, KEY.sign, lambda: "" if believed[0] else "the clock leapt")
    late = START + timedelta(days=365, hours=4, minutes=30)
    job.step(late)
    with written.reading() as connection:
        assert len(list(whole_log(connection))) == 9, "nothing goes by a clock that is not believed"
    believed[0] = True
    job.step(late + timedelta(minutes=1))
    with written.reading() as connection:
        assert [row.seq for row in whole_log(connection)] == [5, 6, 7, 8, 9]
    assert wrong(written, tuple(read_heads(heads_file(tmp_path)))) == []
    with written.transaction() as connection:
        connection.execute(delete(audit_log).where(Log.seq == 5))
    assert wrong(written) == [("missing", 5)]
    with written.transaction() as connection:
        assert let_go(connection, 1 << 60, START, KEY.sign) is None, "the last row is what the next follows"


def test_rows_written_at_once_stand_in_a_row(store: Store) -> None:
    def write(name: str) -> None:
        for number in range(5):
            with store.transaction() as connection:
                record(connection, START, name, "login.done", str(number))

    threads = [threading.Thread(target=write, args=(f"p{number}",)) for number in range(3)]
    with store.transaction() as connection:
        record(connection, START, "first", "login.done", "")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        assert [row.seq for row in whole_log(connection)] == list(range(1, 17))
    assert wrong(store) == []


def test_what_is_undone_was_not_done(store: Store) -> None:
    def fail() -> None:
        with store.transaction() as connection:
            record(connection, START, "kim", "config.apply", "x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.reading() as connection:
        assert tip_of(connection) == (0, bytes(32))


def test_logins_are_in_it_without_what_was_typed(stage: Stage) -> None:
    stage.person("kim")
    client = stage.client(Accept="application/json", **OWN)
    client.post("/login", data={"username": "kim", "password": "wrong"})
    client.post("/login", data={"username": "my secret password", "password": "kim"})
    csrf = client.post("/login", data={"username": "kim", "password": PASSWORD}).json()["csrf"]
    client.post("/logout", headers={"X-CSRF-Token": csrf})
    with stage.store.reading() as connection:
        rows = read_log(connection, action="login")
    assert [(row.action, row.actor) for row in reversed(rows)] == [
        ("login.failed", "kim"),
        ("login.failed", ""),
        ("login.done", "kim"),
        ("login.ended", "kim"),
    ]
    assert rows[-1].data == {"address": "testclient"}
    assert "secret password" not in str(rows)


def test_only_auditors_read_it_and_are_seen_reading(stage: Stage) -> None:
    stage.fastapi.include_router(audit_api.router(stage, KEY.public))
    with stage.store.transaction() as connection:
        for number in range(4):
            record(connection, START, "kim", f"config.v{number}", "x")
    for path in ("/api/audit", "/api/audit/check", "/api/audit/review?month=2026-11"):
        for role in ("viewer", "noc_operator", "shift_lead"):
            assert stage.program(f"{role}{path}"[:60], role=role).get(path).status_code == 403, (role, path)
        strange = stage.program(f"s{path}", role="auditor", scope=Scope(frozenset({"stranger"})))
        assert strange.get(path).status_code == 403
    client = stage.program("audit", role="auditor")
    first = client.get("/api/audit", params={"action": "config", "limit": 3}).json()
    assert [row["action"] for row in first["items"]] == ["config.v3", "config.v2", "config.v1"]
    rest = client.get("/api/audit", params={"action": "config", "limit": 3, "after": first["next"]}).json()
    assert ([row["action"] for row in rest["items"]], rest["next"]) == (["config.v0"], None)
    assert client.get("/api/audit").json()["items"][0]["action"] == "audit.view"
    assert client.get("/api/audit/check").json()["faults"] == []
    found = client.get("/api/audit/review", params={"month": "2026-11"}).json()
    assert next(row for row in found if row["actor"] == "kim")["other"] == 4
    assert client.get("/api/audit/review", params={"month": "11/2026"}).status_code == 422


def test_a_month_is_koreas() -> None:
    assert span_of("2026-12") == (1_796_050_800_000, 1_798_729_200_000)
