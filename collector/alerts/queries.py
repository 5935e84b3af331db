"""SQL of alerts taken in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from collector.alerts.alert import MONITOR
from collector.alerts.received import Received, Sent, label_set, merged
from collector.alerts.tables import alive, received_alerts
from collector.rules.queries import fingerprint

_CHANGED = [column.name for column in received_alerts.c if column.name != "fingerprint"]
AT_ONCE = 500


def received(connection: Connection) -> dict[bytes, Received]:
    """All of them."""
    return {row.fingerprint: Received(**row._mapping) for row in connection.execute(select(received_alerts))}


_WRITTEN = select(received_alerts.c.fingerprint, received_alerts.c.updated_at_ms).where(
    received_alerts.c.updated_at_ms >= bindparam("since_ms")
)
"""Put together once, for it is asked every second."""


def written_since(connection: Connection, since_ms: int) -> list[tuple[bytes, int]]:
    """(fingerprint, when) of what was written at or after an instant."""
    rows = connection.execute(_WRITTEN, {"since_ms": since_ms})
    return [(row.fingerprint, row.updated_at_ms) for row in rows]


def find_received(connection: Connection, fingerprints: Sequence[bytes]) -> dict[bytes, Received]:
    """Those of these that are known."""
    found: dict[bytes, Received] = {}
    for at in range(0, len(fingerprints), AT_ONCE):
        some = fingerprints[at : at + AT_ONCE]
        rows = connection.execute(select(received_alerts).where(received_alerts.c.fingerprint.in_(some)))
        found |= {row.fingerprint: Received(**row._mapping) for row in rows}
    return found


def write_received(connection: Connection, alerts: Iterable[Received]) -> None:
    """Keep each as it is now."""
    rows = [alert._asdict() for alert in alerts]
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(received_alerts)
    statement = statement.on_conflict_do_update(
        index_elements=["fingerprint"], set_={name: statement.excluded[name] for name in _CHANGED}
    )
    connection.execute(statement, rows)


def forget_received(connection: Connection, before_ms: int) -> int:
    """Drop what was over before an instant."""
    is_over = or_(received_alerts.c.ended_at_ms < before_ms, received_alerts.c.expires_at_ms < before_ms)
    return connection.execute(delete(received_alerts).where(is_over)).rowcount


def raise_own(
    connection: Connection,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    now: datetime,
    source: str = MONITOR,
) -> None:
    """A part of the collector says that something is wrong, until ``clear_own``. ``labels`` need ``alertname`` and
    ``severity``; the same labels again change nothing but the annotations."""
    sent = Sent(label_set(labels), label_set(annotations))
    name, now_ms = fingerprint(sent.labels), round(now.timestamp() * 1000)
    before = find_received(connection, [name]).get(name)
    after = merged(before, sent, source, "", now_ms, None)
    if before is None or before.over_ms(now_ms) is not None or before.annotations != after.annotations:
        write_received(connection, [after])


def clear_own(connection: Connection, labels: Mapping[str, str], now: datetime, source: str = MONITOR) -> None:
    """It is well again."""
    name, now_ms = fingerprint(label_set(labels)), round(now.timestamp() * 1000)
    before = find_received(connection, [name]).get(name)
    if before is not None and before.over_ms(now_ms) is None:
        sent = Sent(before.labels, before.annotations, is_resolved=True)
        write_received(connection, [merged(before, sent, source, "", now_ms, None)])


def last_alive(connection: Connection) -> datetime | None:
    """When a collector on this database last ran."""
    at: datetime | None = connection.execute(select(alive.c.at)).scalar()
    return at


def note_alive(connection: Connection, now: datetime) -> None:
    if not connection.execute(alive.update().values(at=now)).rowcount:
        connection.execute(alive.insert(), {"id": 1, "at": now})
