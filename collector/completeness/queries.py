"""SQL of completeness."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, and_, case, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agent.link.ranges import Ranges
from collector.completeness.gaps import Gap
from collector.completeness.hours import ROLLED_UP, HostHour, Known, LostRange, SiteHour, expected_of, site_hour
from collector.completeness.tables import completeness_mark, gaps, host_hours, lost_hours, sequence_hours
from collector.fleet.tables import agents
from collector.log.tables import losses, positions

Name = tuple[bytes, bytes]
"""(agent id, epoch)"""
AT_ONCE = 500
_decode_ranges = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


def _upsert(connection: Connection, table: Table) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def add_received(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to host hours: ``received`` and ``late`` are more of them, ``interval_ms`` is the newest word."""
    if rows:
        made = _upsert(connection, host_hours)
        new = made.excluded
        statement = made.on_conflict_do_update(
            index_elements=["host", "hour_ms"],
            set_={
                "received": host_hours.c.received + new.received,
                "late": host_hours.c.late + new.late,
                "interval_ms": new.interval_ms,
            },
        )
        connection.execute(statement, list(rows))


def add_sequences(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Widen the numbers of epochs' hours."""
    if rows:
        made = _upsert(connection, sequence_hours)
        at, new = sequence_hours.c, made.excluded
        earlier, later = new.first_seq < at.first_seq, new.last_seq > at.last_seq
        statement = made.on_conflict_do_update(
            index_elements=["agent_id", "epoch", "hour_ms"],
            set_={
                "first_seq": case((earlier, new.first_seq), else_=at.first_seq),
                "first_at_ms": case((earlier, new.first_at_ms), else_=at.first_at_ms),
                "last_seq": case((later, new.last_seq), else_=at.last_seq),
                "last_at_ms": case((later, new.last_at_ms), else_=at.last_at_ms),
            },
        )
        connection.execute(statement, list(rows))


def add_expected(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what hosts were to send in an hour; what they said of their interval in it stands."""
    if rows:
        made = _upsert(connection, host_hours)
        statement = made.on_conflict_do_update(
            index_elements=["host", "hour_ms"], set_={"eligible_ms": made.excluded.eligible_ms}
        )
        connection.execute(statement, [{"received": 0, "late": 0, **row} for row in rows])


def expect_what_came(connection: Connection, before_ms: int) -> None:
    """Hosts that were not to report in a settled hour and did: what came is what was to come."""
    open_rows = and_(host_hours.c.eligible_ms.is_(None), host_hours.c.hour_ms < before_ms)
    came = host_hours.c.received * host_hours.c.interval_ms
    connection.execute(update(host_hours).where(open_rows).values(eligible_ms=came))


def settled_ms(connection: Connection) -> int | None:
    return connection.execute(select(completeness_mark.c.settled_ms)).scalar()


def save_settled(connection: Connection, at_ms: int) -> None:
    connection.execute(delete(completeness_mark))
    connection.execute(insert(completeness_mark), {"id": 1, "settled_ms": at_ms})


def last_intervals(connection: Connection, hosts: Collection[str], from_ms: int) -> dict[str, int]:
    """How often each host reported in its newest hour since then in which it reported at all."""
    newest = (
        select(host_hours.c.host, func.max(host_hours.c.hour_ms).label("hour_ms"))
        .where(host_hours.c.hour_ms >= from_ms, host_hours.c.received > 0)
        .group_by(host_hours.c.host)
        .subquery()
    )
    rows = connection.execute(
        select(host_hours.c.host, host_hours.c.interval_ms).join(
            newest, and_(newest.c.host == host_hours.c.host, newest.c.hour_ms == host_hours.c.hour_ms)
        )
    )
    return {row.host: row.interval_ms for row in rows if row.host in hosts}


def enrolled_ms(connection: Connection) -> dict[bytes, int]:
    rows = connection.execute(select(agents.c.id, agents.c.enrolled_at))
    return {row.id: round(row.enrolled_at.timestamp() * 1000) for row in rows}


class PositionRow(NamedTuple):
    """What is held and lost of an agent's newest epoch, as it was written down."""

    name: Name
    held: bytes
    lost: bytes

    @property
    def ranges(self) -> tuple[Ranges, Ranges]:
        return Ranges(_decode_ranges(self.held)), Ranges(_decode_ranges(self.lost))


def newest_positions(connection: Connection) -> Iterator[PositionRow]:
    """Of each agent the epoch that was begun last."""
    newest: dict[bytes, tuple[int, PositionRow]] = {}
    columns = [positions.c[key] for key in ("agent_id", "epoch", "held", "lost", "first_received_at_ms")]
    for row in connection.execute(select(*columns)):
        known = newest.get(row.agent_id)
        if known is None or known[0] < row.first_received_at_ms:
            found = PositionRow((row.agent_id, row.epoch), row.held, row.lost)
            newest[row.agent_id] = (row.first_received_at_ms, found)
    return (row for _, row in newest.values())


def all_gaps(connection: Connection) -> dict[Name, list[Gap]]:
    found: dict[Name, list[Gap]] = {}
    for row in connection.execute(select(gaps).order_by(gaps.c.first_seq)):
        found.setdefault((row.agent_id, row.epoch), []).append(Gap(row.first_seq, row.last_seq, row.since_ms))
    return found


def replace_gaps(connection: Connection, name: Name, wanted: Sequence[Gap]) -> None:
    connection.execute(delete(gaps).where(gaps.c.agent_id == name[0], gaps.c.epoch == name[1]))
    if wanted:
        of = {"agent_id": name[0], "epoch": name[1]}
        rows = [{**of, "first_seq": gap.first, "last_seq": gap.last, "since_ms": gap.since_ms} for gap in wanted]
        connection.execute(insert(gaps), rows)


def losses_of(connection: Connection, name: Name) -> list[tuple[int, int, str, int]]:
    """(first, last, reason, when) as they were noted; what came after all is among them."""
    columns = (losses.c.first_seq, losses.c.last_seq, losses.c.reason, losses.c.at_ms)
    of = and_(losses.c.agent_id == name[0], losses.c.epoch == name[1])
    return [tuple(row) for row in connection.execute(select(*columns).where(of).order_by(losses.c.id))]


def known_times(connection: Connection, name: Name) -> list[Known]:
    """Of an epoch, numbers of which it is known when they were taken."""
    of = and_(sequence_hours.c.agent_id == name[0], sequence_hours.c.epoch == name[1])
    found: list[Known] = []
    for row in connection.execute(select(sequence_hours).where(of)):
        found += [(row.first_seq, row.first_at_ms), (row.last_seq, row.last_at_ms)]
    return found


def drop_lost(connection: Connection, name: Name, kind: str) -> None:
    at = lost_hours.c
    connection.execute(delete(lost_hours).where(at.agent_id == name[0], at.epoch == name[1], at.kind == kind))


def names_with_lost(connection: Connection) -> set[Name]:
    found = connection.execute(select(lost_hours.c.agent_id, lost_hours.c.epoch).distinct())
    return {(row.agent_id, row.epoch) for row in found}


def replace_lost(connection: Connection, name: Name, site: str, numbers: Mapping[tuple[int, str], int]) -> None:
    """``numbers`` by (hour, kind)."""
    connection.execute(delete(lost_hours).where(lost_hours.c.agent_id == name[0], lost_hours.c.epoch == name[1]))
    if numbers:
        of = {"agent_id": name[0], "epoch": name[1], "site": site}
        rows = [{**of, "hour_ms": hour, "kind": kind, "numbers": count} for (hour, kind), count in numbers.items()]
        connection.execute(insert(lost_hours), rows)


def site_hours(
    connection: Connection, from_ms: int, to_ms: int, settled: int, site: str | None = None
) -> dict[str, list[SiteHour]]:
    """By site, its hours of ``[from_ms, to_ms)`` of which anything is known, in order. Of one site where it is named."""
    hosts: dict[tuple[str, int], list[HostHour]] = {}
    inside = and_(host_hours.c.hour_ms >= from_ms, host_hours.c.hour_ms < to_ms)
    query = select(host_hours).where(inside)
    for row in connection.execute(query if site is None else query.where(host_hours.c.site == site)):
        expected = None if row.eligible_ms is None else expected_of(row.eligible_ms, row.interval_ms)
        hosts.setdefault((row.site, row.hour_ms), []).append(HostHour(row.received, row.late, expected))
    lost: dict[tuple[str, int], dict[str, int]] = {}
    at = lost_hours.c
    sums = (
        select(at.site, at.hour_ms, at.kind, func.sum(at.numbers).label("numbers"))
        .where(at.hour_ms >= from_ms, at.hour_ms < to_ms)
        .group_by(at.site, at.hour_ms, at.kind)
    )
    for row in connection.execute(sums if site is None else sums.where(at.site == site)):
        lost.setdefault((row.site, row.hour_ms), {})[row.kind] = int(row.numbers)
    found: dict[str, list[SiteHour]] = {}
    for key in sorted(hosts.keys() | lost.keys()):
        hour = site_hour(key[1], hosts.get(key, ()), lost.get(key, {}), key[1] >= settled)
        found.setdefault(key[0], []).append(hour)
    return found


def forget(connection: Connection, before_ms: int) -> None:
    """Hours that ended long ago."""
    for table in (host_hours, sequence_hours, lost_hours):
        connection.execute(delete(table).where(table.c.hour_ms < before_ms))


def as_lost(
    rows: Iterable[tuple[int, int, str, int]], still: Ranges, kind_of: Mapping[str, str], other: str
) -> list[LostRange]:
    """Noted losses as ranges by kind, without what came after all; each number once, under what was said first, or as
    rolled up where that was said at any time."""
    counted = Ranges()
    found = []
    for first, last, reason, at_ms in sorted(rows, key=lambda row: kind_of.get(row[2]) != ROLLED_UP):
        here = [part for gap in _inside(still, first, last) for part in counted.gaps(*gap)]
        for part in here:
            counted.add(*part)
            found.append(LostRange(*part, kind_of.get(reason, other), at_ms))
    return found


def _inside(ranges: Ranges, first: int, last: int) -> list[tuple[int, int]]:
    """What of ``first..last`` is in."""
    return [(max(first, a), min(last, b)) for a, b in ranges if a <= last and b >= first]
