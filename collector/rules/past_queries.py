"""SQL of alerts that were over before anybody could know, and of the times that are still to be looked at for them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from collector.rules.past import PastAlert
from collector.rules.queries import AlertKey, fingerprint, pairs
from collector.rules.tables import late_reports, past_alerts


class PastRow(NamedTuple):
    """A past alert as it is kept. ``told_at_ms`` None = it was in no digest yet."""

    id: int
    group: str
    rule: str
    alert: PastAlert
    found_at_ms: int
    told_at_ms: int | None


class LateReports(NamedTuple):
    """Of one site: the oldest and the newest instant reports came late for, and when the first and the last of them came."""

    from_ms: int
    to_ms: int
    first_seen_ms: int
    seen_ms: int


def untold_past_alerts(connection: Connection, limit: int | None = None) -> list[PastRow]:
    """What goes into the next digest, by the time it began."""
    return _read(connection, past_alerts.c.told_at_ms.is_(None), limit=limit)


def past_alerts_between(connection: Connection, from_ms: int, to_ms: int) -> list[PastRow]:
    """Past alerts that were there at some instant of ``[from_ms, to_ms)``, told or not."""
    return _read(connection, past_alerts.c.active_at_ms < to_ms, past_alerts.c.ended_at_ms > from_ms)


def mark_told(connection: Connection, ids: Iterable[int], now_ms: int) -> int:
    """They are in a digest now; how many were in none before."""
    return connection.execute(
        update(past_alerts)
        .where(past_alerts.c.id.in_(list(ids)), past_alerts.c.told_at_ms.is_(None))
        .values(told_at_ms=now_ms)
    ).rowcount


def add_past_alerts(connection: Connection, key: AlertKey, found: Sequence[PastAlert], now_ms: int) -> int:
    """Keep what was found; what was known in part is made whole and not told again. How many are new."""
    new = 0
    for past in found:
        name = fingerprint(past.labels)
        is_same = (
            past_alerts.c.fingerprint == name,
            past_alerts.c.rule_group == key[0],
            past_alerts.c.rule == key[1],
        )
        known = [row for row in _read(connection, *is_same) if row.alert.touches(past)]
        whole, told_at_ms = past, None
        for row in known:
            whole = whole.joined(row.alert)
            told_at_ms = row.told_at_ms if told_at_ms is None else told_at_ms
        if [row.alert[3:] for row in known] == [whole[3:]]:
            continue
        connection.execute(delete(past_alerts).where(past_alerts.c.id.in_([row.id for row in known])))
        connection.execute(
            insert(past_alerts),
            {
                "rule_group": key[0],
                "rule": key[1],
                "fingerprint": name,
                "labels": json.dumps(whole.labels, ensure_ascii=False),
                "annotations": json.dumps(whole.annotations, ensure_ascii=False),
                "value": whole.value if math.isfinite(whole.value) else None,
                "active_at_ms": whole.active_at_ms,
                "fired_at_ms": whole.fired_at_ms,
                "ended_at_ms": whole.ended_at_ms,
                "found_at_ms": now_ms,
                "told_at_ms": told_at_ms,
            },
        )
        new += not known
    return new


def forget_past_alerts(connection: Connection, before_ms: int) -> int:
    return connection.execute(delete(past_alerts).where(past_alerts.c.ended_at_ms < before_ms)).rowcount


def kept_late_reports(connection: Connection) -> dict[str, LateReports]:
    return {row.site: LateReports(*row[1:]) for row in connection.execute(select(late_reports))}


def note_late_reports(connection: Connection, came: Mapping[str, tuple[int, int]], now_ms: int) -> None:
    """``came``: by site, the oldest and the newest instant reports came late for."""
    known = kept_late_reports(connection)
    for site, (from_ms, to_ms) in came.items():
        before = known.get(site, LateReports(from_ms, to_ms, now_ms, now_ms))
        connection.execute(delete(late_reports).where(late_reports.c.site == site))
        values = LateReports(min(before.from_ms, from_ms), max(before.to_ms, to_ms), before.first_seen_ms, now_ms)
        connection.execute(insert(late_reports), {"site": site, **values._asdict()})


def forget_late_reports(connection: Connection, looked_at: Mapping[str, LateReports]) -> None:
    """They were looked at; where more came meanwhile the site stays."""
    for site, late in looked_at.items():
        connection.execute(
            delete(late_reports).where(late_reports.c.site == site, late_reports.c.seen_ms == late.seen_ms)
        )


def _read(connection: Connection, *where: object, limit: int | None = None) -> list[PastRow]:
    ordered = select(past_alerts).where(*where).order_by(past_alerts.c.active_at_ms, past_alerts.c.id)  # type: ignore[arg-type]
    rows = connection.execute(ordered.limit(limit))
    return [
        PastRow(
            row.id,
            row.rule_group,
            row.rule,
            PastAlert(
                pairs(row.labels),
                pairs(row.annotations),
                math.nan if row.value is None else row.value,
                row.active_at_ms,
                row.fired_at_ms,
                row.ended_at_ms,
            ),
            row.found_at_ms,
            row.told_at_ms,
        )
        for row in rows
    ]
