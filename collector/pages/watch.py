"""Who watches: consoles that show the board, and people who are on duty. Where nobody does, that is an alert (관제 공백).

In 2023 the alert stood on a screen that was habitually closed. So the event stream and the pages say here when a board was
shown; ``minutes`` without any, and an incident opens that calls people by other ways. A hole in a roster, and a channel that
fails, are told in the same manner.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from collector.alerts.alert import DUTY, MONITOR, FiringAlert
from collector.fleet.registry import Registry
from collector.pages.desk import HOLE, UNWATCHED
from collector.pages.health import FAILING, Health
from collector.pages.watch_queries import last_watched, note_watches, read_health
from collector.rosters.compile import ground_of
from collector.rosters.duty import INSTANT, holes
from collector.rosters.queries import load_rosters
from collector.rosters.roster import Ground, Roster
from collector.rules.queries import fingerprint
from collector.store.engine import Store

SECONDS = 10.0
LOOK_BACK = timedelta(days=1)
CHANNEL_FAILING = "PageChannelFailing"


class Watch:
    """``seen`` may be called from any thread and costs nothing; ``step`` writes it down and looks who is missing."""

    def __init__(self, store: Store, registry: Registry, minutes: int, started_at: datetime) -> None:
        """``minutes`` 0: nobody needs to watch a console."""
        self._store = store
        self._registry = registry
        self._minutes = minutes
        self._last_at = started_at
        self._seen: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()
        self._alerts: tuple[FiringAlert, ...] = ()

    def seen(self, console: str, person: str, now: datetime) -> None:
        """A board is before somebody's eyes: at this console, by this login."""
        with self._lock:
            self._seen[console[:96]] = (person[:64], now)

    def alerts(self, _at: datetime) -> tuple[FiringAlert, ...]:
        """What is missing now."""
        return self._alerts

    @property
    def last_seen_at(self) -> datetime:
        """When a board was last shown, or since when we look."""
        return self._last_at

    def step(self, now: datetime) -> None:
        with self._lock:
            seen, self._seen = self._seen, {}
        if seen:
            with self._store.transaction() as connection:
                note_watches(connection, seen)
        with self._store.reading() as connection:
            rosters, health = load_rosters(connection), read_health(connection)
            watched_at = last_watched(connection)
        if watched_at is not None and watched_at <= now:
            self._last_at = max(self._last_at, watched_at)
        found = [*hole_alerts(rosters, ground_of(self._registry.fleet), now), *channel_alerts(health)]
        if self._minutes and now - self._last_at > timedelta(minutes=self._minutes):
            found.append(unwatched_alert(self._last_at, self._minutes))
        self._alerts = tuple(found)


def hole_alerts(rosters: Iterable[Roster], ground: Ground, now: datetime) -> list[FiringAlert]:
    """One for each roster in which somebody must be on duty now and nobody is."""
    found = []
    for roster in rosters:
        if holes(roster, ground, now, now + INSTANT):
            began = max(
                (began for began, ended in holes(roster, ground, now - LOOK_BACK, now + INSTANT) if ended > now),
                default=now,
            )
            name = roster.name_ko or roster.id
            words = {
                "summary": f"Nobody is on duty in roster {roster.name_en or roster.id}.",
                "summary_ko": f"관제 공백: 근무표 {name} 당직자 없음",
                "cause": "The roster has a hole: a shift without people, a substitution that took somebody out.",
                "cause_ko": "근무표에 빈 시간이 있습니다. 배정되지 않은 근무나 대신할 사람이 없는 부재입니다.",
                "action": "Put somebody on duty on the page of duty; until then the fallback is called.",
                "action_ko": "당직 화면에서 당직자를 지정합니다. 그때까지 대체 연락처로 호출합니다.",
            }
            labels = {"alertname": HOLE, "roster": roster.id, "severity": "critical", "agency": roster.agency}
            found.append(_alert(DUTY, labels, words, began, ("roster", roster.id), roster.agency))
    return found


def channel_alerts(health: Mapping[str, Health]) -> list[FiringAlert]:
    found = []
    for one in health.values():
        if one.state == FAILING:
            words = {
                "summary": f"Pages cannot leave by {one.channel}.",
                "summary_ko": f"호출 채널 {one.channel} 전송 실패",
                "cause": one.last_error or "The service refuses or does not answer.",
                "action": "Look at the channel with: bongsu channel test; pages take the next channel meanwhile.",
                "action_ko": "bongsu channel test 명령으로 채널을 확인합니다. 그동안 다음 채널로 보냅니다.",
            }
            labels = {"alertname": CHANNEL_FAILING, "channel": one.channel, "severity": "warning"}
            found.append(_alert(MONITOR, labels, words, one.since_at, ("channel", one.channel), ""))
    return found


def unwatched_alert(since: datetime, minutes: int) -> FiringAlert:
    words = {
        "summary": f"No console has shown the board for {minutes} minutes.",
        "summary_ko": f"관제 공백: {minutes}분 동안 상황판을 연 관제 화면 없음",
        "cause": "The board is closed at every console, or the consoles cannot reach the collector.",
        "cause_ko": "모든 관제 화면에서 상황판이 닫혔거나, 관제 화면이 수집기에 닿지 않습니다.",
        "action": "Open the board at a console.",
        "action_ko": "관제 화면에서 상황판을 엽니다.",
    }
    labels = {"alertname": UNWATCHED, "severity": "critical"}
    return _alert(DUTY, labels, words, since + timedelta(minutes=minutes), ("alert", UNWATCHED), "")


def _alert(
    source: str,
    labels: Mapping[str, str],
    words: Mapping[str, str],
    since: datetime,
    subject: tuple[str, str],
    agency: str,
) -> FiringAlert:
    pairs = tuple(sorted((name, value) for name, value in labels.items() if value))
    return FiringAlert(
        fingerprint(pairs),
        source,
        pairs,
        tuple(sorted({**words, "runbook_url": f"/runbooks/{labels['alertname']}"}.items())),
        labels["severity"],
        round(since.timestamp() * 1000),
        None,
        subject,
        "",
        agency,
        "",
    )
