"""Brings the rows of completeness up to date: what was expected of hours that are over, which numbers are missing, and
which hours lost numbers belong to. Every step can be repeated and stopped anywhere: what it writes follows from rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from agent.link.names import STALE_INTERVALS
from collector.completeness import queries
from collector.completeness.gaps import Gap, aged, is_missing, missing
from collector.completeness.hours import (
    DECLARED,
    EXPIRED,
    HOUR_MS,
    MISSING,
    ROLLED_UP,
    Known,
    LostRange,
    SiteHour,
    by_hour,
    outside_ms,
)
from collector.completeness.spooled import Spooled
from collector.fleet.registry import Fleet, Registry
from collector.history.tally import Tally
from collector.store.engine import Store
from collector.store.schema import instant

SETTLE_MS = 20 * 60_000
"""How long after its end an hour is judged: by then what came in it is in chunks."""
KEEP_MS = 92 * 24 * HOUR_MS
INTERVAL_LOOKBACK_MS = 7 * 24 * HOUR_MS
KINDS = {"expired": EXPIRED, "rolled_up": ROLLED_UP}
"""Reasons that are ours; every other one was declared."""
ACTIVE = "active"
Span = tuple[datetime, datetime]
Agreed = Callable[[datetime, datetime], Iterable[tuple[tuple[str, str], Span]]]
"""(from, to) -> ((kind, id), span): kind "site" or "host"; others are passed over."""
IN_ORDER = (b"", b"", ())
"""Nothing lost and nothing missing: what it holds changes every minute and says no more than that."""


class CompletenessJob:
    """``count`` goes into the chunk job; ``latest`` is each site's last judged hour, for the metrics."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        spooled: Spooled = lambda _host: None,
        agreed: Agreed = lambda _from_at, _to_at: (),
    ) -> None:
        """``agreed``: work that was agreed to, when nothing is expected of its subjects."""
        self._store = store
        self._registry = registry
        self._spooled = spooled
        self._agreed = agreed
        self._seen: dict[queries.Name, tuple[bytes, bytes, tuple[bool, ...]]] = {}
        """By epoch what its lost hours were made from, so that an agent in order costs a comparison."""
        self.latest: Mapping[str, SiteHour] = {}

    def count(self, connection: Connection, tallies: list[Tally]) -> None:
        """Add what just became history, in the transaction that makes it history."""
        fleet = self._registry.fleet
        rows: dict[tuple[str, int], _Received] = {}
        spans: dict[tuple[bytes, bytes, int], list[Known]] = {}
        for tally in tallies:
            spans.setdefault((tally.agent_id, tally.epoch, tally.hour_ms), []).extend((tally.first, tally.last))
            for host in tally.hosts & fleet.hosts.keys():
                site = fleet.sites[fleet.hosts[host].site]
                row = rows.setdefault((host, tally.hour_ms), _Received(site.id))
                row.add(tally, site.interval_seconds * 1000)
        # In one order for everybody: two processes that each hold a row the other wants would never end.
        queries.add_received(connection, [rows[key].as_row(*key) for key in sorted(rows)])
        queries.add_sequences(connection, [_sequences(key, spans[key]) for key in sorted(spans)])

    def step(self, now: datetime) -> None:
        now_ms = round(now.timestamp() * 1000)
        settled = (now_ms - SETTLE_MS) // HOUR_MS * HOUR_MS
        self._settle(settled)
        self._find_gaps(now_ms)
        with self._store.reading() as connection:
            known = queries.site_hours(connection, settled - HOUR_MS, settled, settled)
        self.latest = {site: hours[-1] for site, hours in known.items()}

    def _settle(self, settled: int) -> None:
        with self._store.reading() as connection:
            before = queries.settled_ms(connection)
        if before is not None and before >= settled:
            return
        with self._store.transaction() as connection:
            # A collector that begins expects nothing of the past: it does not know who was there.
            start = max(settled if before is None else before, settled - KEEP_MS)
            self._expect(connection, range(start, settled, HOUR_MS))
            queries.expect_what_came(connection, settled)
            queries.forget(connection, settled - KEEP_MS)
            queries.save_settled(connection, settled)

    def _expect(self, connection: Connection, hours: range) -> None:
        """Several hours where the collector was off: whoever is there now was there then, since he enrolled."""
        if not hours:
            return
        fleet = self._registry.fleet
        enrolled = queries.enrolled_ms(connection)
        intervals = queries.last_intervals(connection, fleet.hosts.keys(), hours[0] - INTERVAL_LOOKBACK_MS)
        spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for subject, (began, ended) in self._agreed(instant(hours[0]), instant(hours[-1] + HOUR_MS)):
            spans.setdefault(subject, []).append((round(began.timestamp() * 1000), round(ended.timestamp() * 1000)))
        rows = []
        for host in fleet.hosts.values():
            agent = fleet.agents.get(host.agent_id) if host.agent_id is not None else None
            if agent is None or agent.status != ACTIVE:
                continue
            interval = intervals.get(host.id) or fleet.sites[host.site].interval_seconds * 1000
            of = {"host": host.id, "site": host.site, "interval_ms": interval}
            work = [*spans.get(("host", host.id), ()), *spans.get(("site", host.site), ())]
            for hour_ms in hours:
                eligible = outside_ms(max(hour_ms, enrolled.get(agent.id, 0)), hour_ms + HOUR_MS, work)
                if eligible > 0:
                    rows.append({**of, "hour_ms": hour_ms, "eligible_ms": eligible})
        queries.add_expected(connection, rows)

    def _find_gaps(self, now_ms: int) -> None:
        fleet = self._registry.fleet
        with self._store.reading() as connection:
            known = queries.all_gaps(connection)
            rows = list(queries.newest_positions(connection))
            is_new = any(row.name not in self._seen for row in rows)
            told_of = queries.names_with_lost(connection) if is_new else set()
        for row in rows:
            if row.name not in self._seen and row.name not in told_of:
                self._seen[row.name] = IN_ORDER  # as its rows say: after a start that is a thousand agents
            self._look_at(fleet, row, known.pop(row.name, []), now_ms)
        for name in known:  # an older epoch: what it lacked comes under new numbers
            with self._store.transaction() as connection:
                queries.replace_gaps(connection, name, ())
                queries.drop_lost(connection, name, MISSING)
            self._seen.pop(name, None)

    def _look_at(self, fleet: Fleet, row: queries.PositionRow, before: list[Gap], now_ms: int) -> None:
        """One agent's newest epoch: rows are written only where something changed."""
        agent = fleet.agents.get(row.name[0])
        if agent is None:
            return
        held, lost = row.ranges
        found = aged(missing(held, lost), before, now_ms)
        interval_ms = fleet.sites[agent.site].interval_seconds * 1000
        told = tuple(is_missing(gap, interval_ms, now_ms, self._spooled(agent.host)) for gap in found)
        made_from = (row.held, row.lost, told) if lost or any(told) else IN_ORDER
        is_same = self._seen.get(row.name) == made_from
        has_changed_gaps = found != before
        if is_same and not has_changed_gaps:
            return
        with self._store.transaction() as connection:
            if has_changed_gaps:
                queries.replace_gaps(connection, row.name, found)
            due = [gap for gap, is_told in zip(found, told, strict=True) if is_told]
            noted = queries.losses_of(connection, row.name) if lost else []
            ranges = queries.as_lost(noted, lost, KINDS, DECLARED)
            ranges = [one for one in ranges if one.at_ms > now_ms - KEEP_MS]
            ranges += [LostRange(gap.first, gap.last, MISSING, gap.since_ms) for gap in due]
            self._write_lost(connection, fleet, row.name, ranges)
        self._seen[row.name] = made_from

    def _write_lost(self, connection: Connection, fleet: Fleet, name: queries.Name, ranges: list[LostRange]) -> None:
        agent = fleet.agents.get(name[0])
        if agent is not None:
            numbers = by_hour(ranges, queries.known_times(connection, name)) if ranges else {}
            queries.replace_lost(connection, name, agent.site, numbers)


@dataclass(slots=True)
class _Received:
    """A host's hour as it is being counted."""

    site: str
    received: int = 0
    late: int = 0
    interval_ms: int = 0

    def add(self, tally: Tally, default_ms: int) -> None:
        self.interval_ms = tally.interval_ms or default_ms
        self.received += len(tally.delays_ms)
        self.late += int((tally.delays_ms > STALE_INTERVALS * self.interval_ms).sum())

    def as_row(self, host: str, hour_ms: int) -> dict[str, object]:
        return {"host": host, "hour_ms": hour_ms, **asdict(self)}


def _sequences(key: tuple[bytes, bytes, int], known: list[Known]) -> dict[str, object]:
    (first, first_at), (last, last_at) = min(known), max(known)
    of = {"agent_id": key[0], "epoch": key[1], "hour_ms": key[2]}
    return {**of, "first_seq": first, "first_at_ms": first_at, "last_seq": last, "last_at_ms": last_at}
