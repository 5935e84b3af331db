"""What every store promises, whoever keeps it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from collector.access.tables import persons, sessions
from collector.agencies.tables import agencies
from collector.fleet.registry import bump_version
from collector.fleet.tables import fleet_version, sites
from collector.store.engine import Store
from collector.store.migrate import require_head

SEOUL = timezone(timedelta(hours=9))


def names(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.execute(select(agencies.c.id).order_by(agencies.c.id)).scalars())


def test_is_at_the_head(store: Store) -> None:
    require_head(store)


def test_a_transaction_that_raised_left_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction() as connection:  # noqa: PT012 -- raising is the point
        connection.execute(insert(agencies).values(id="a", name_ko="가", name_en="A"))
        raise RuntimeError
    assert names(store) == []


def test_what_a_reader_writes_is_undone(store: Store) -> None:
    with store.reading() as connection:
        connection.execute(insert(agencies).values(id="a", name_ko="가", name_en="A"))
    assert names(store) == []


def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(IntegrityError), store.transaction() as connection:
        connection.execute(
            insert(sites).values(id="s", agency="nobody", name_ko="", name_en="", timezone="UTC", link_profile="lan")
        )


def test_instants_come_back_as_aware_utc(store: Store) -> None:
    noon = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=SEOUL)
    with store.transaction() as connection:
        connection.execute(
            insert(persons).values(
                username="a", display_name="", password_hash="", role="viewer", language="", created_at=noon
            )
        )
        connection.execute(
            insert(sessions).values(hash=b"1" * 32, username="a", csrf="c", created_at=noon, expires_at=noon)
        )
    with store.reading() as connection:
        found = connection.execute(select(sessions.c.expires_at)).scalar_one()
        later = connection.execute(
            select(sessions.c.csrf).where(sessions.c.expires_at > noon.astimezone(UTC) - timedelta(microseconds=1))
        ).all()
    assert found == noon
    assert found.utcoffset() == timedelta(0)
    assert len(later) == 1


def test_writers_wait_for_each_other(store: Store) -> None:
    """Each adds one to the fleet's version; none is lost and none fails."""

    def add() -> None:
        for _ in range(10):
            with store.transaction() as connection:
                bump_version(connection)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        assert connection.execute(select(fleet_version.c.version)).scalar_one() == 40


def test_writers_of_two_processes_wait_for_each_other(store: Store) -> None:
    """A command beside a running server: another ``Store`` on the same database, so another lock."""
    other = Store(store.engine.url.render_as_string(hide_password=False))
    failures: list[DBAPIError] = []

    def add(which: Store) -> None:
        try:
            for _ in range(10):
                with which.transaction() as connection:
                    bump_version(connection)
        except DBAPIError as why:
            failures.append(why)

    threads = [threading.Thread(target=add, args=(which,)) for which in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failures == []
    with store.reading() as connection:
        assert connection.execute(select(fleet_version.c.version)).scalar_one() == 20
