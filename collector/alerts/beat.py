"""A heartbeat: something that says "done" from time to time. Pure: what a call makes of it, and when silence is an alert.

The moment is worked out when a beat is heard (``alert_after``), so that finding the silent ones is one query. Nobody
waits for one that was never heard: a beat is watched from its first call on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from collector.alerts.alert import BEAT, FiringAlert, firing
from collector.alerts.received import label_set
from collector.fleet.registry import Fleet

SUCCESS, START, FAIL = "success", "start", "fail"
NEW, PAUSED, UP, LATE, DOWN, UNSURE = "new", "paused", "up", "late", "down", "unsure"
"""``late``: due and within its grace; ``unsure``: one may have come while nobody was here to hear it."""
ALERT_NAME = "BeatDown"
TEXT_CHARS = 1000


class BadSchedule(Exception):
    """When a beat is expected cannot be told from this; the message says why."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A row of ``beats`` but its key."""

    id: str
    title: str
    agency: str
    site: str
    host: str
    system: str
    severity: str
    period_seconds: int
    cron: str
    timezone: str
    grace_seconds: int
    created_at: datetime
    created_by: str
    paused_at: datetime | None = None
    last_at: datetime | None = None
    started_at: datetime | None = None
    failed_at: datetime | None = None
    exit_code: int | None = None
    last_text: str = ""
    alert_after: datetime | None = None
    down_at: datetime | None = None
    recovered_at: datetime | None = None
    unsure_at: datetime | None = None

    @property
    def is_down(self) -> bool:
        return self.down_at is not None and self.recovered_at is None

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.grace_seconds)

    def next_due(self, after: datetime) -> datetime:
        """When it is expected next, after an instant."""
        if self.period_seconds:
            return after + timedelta(seconds=self.period_seconds)
        return next(CronSim(self.cron, after.astimezone(ZoneInfo(self.timezone)))).astimezone(after.tzinfo)

    def status(self, now: datetime) -> str:
        if self.paused_at is not None:
            return PAUSED
        if self.is_down:
            return DOWN
        if self.alert_after is None:
            return NEW
        if self.unsure_at is not None:
            return UNSURE
        return LATE if now >= self.alert_after - self.grace and self.started_at is None else UP


def check_schedule(period_seconds: int, cron: str) -> None:
    """Raises BadSchedule."""
    if bool(period_seconds) == bool(cron):
        raise BadSchedule("expected either a period or a cron line")
    if cron:
        try:
            CronSim(cron, datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")))
            next(CronSim(cron, datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))))
        except (CronSimError, StopIteration) as why:
            said = str(why) or "never comes"
            raise BadSchedule(f"cron {cron!r}: {said}: expected five fields, such as '0 3 * * *'") from why


def heard(beat: Beat, kind: str, now: datetime, exit_code: int | None = None, text: str = "") -> Beat:
    """The beat after a call. A start asks for the end within the grace; whatever is heard of a paused one counts nothing."""
    said = replace(beat, last_text=text[:TEXT_CHARS], exit_code=exit_code, unsure_at=None)
    if beat.paused_at is not None:
        return replace(said, last_at=now if kind == SUCCESS else beat.last_at)
    if kind == START:
        return replace(said, started_at=now, alert_after=None if beat.is_down else now + beat.grace)
    if kind == FAIL:
        down_at = beat.down_at if beat.is_down else now
        return replace(said, started_at=None, failed_at=now, alert_after=None, down_at=down_at, recovered_at=None)
    return replace(
        said,
        last_at=now,
        started_at=None,
        failed_at=None,
        exit_code=exit_code or 0,
        alert_after=beat.next_due(now) + beat.grace,
        recovered_at=now if beat.is_down else beat.recovered_at,
    )


def paused(beat: Beat, now: datetime) -> Beat:
    """Nobody waits for it; where it was down, that is over."""
    over = now if beat.is_down else beat.recovered_at
    return replace(beat, paused_at=now, alert_after=None, started_at=None, recovered_at=over, unsure_at=None)


def resumed(beat: Beat, now: datetime) -> Beat:
    """It is waited for again, from now on, where it was ever heard."""
    after = beat.next_due(now) + beat.grace if beat.last_at is not None else None
    return replace(beat, paused_at=None, failed_at=None, alert_after=after)


def silent(beat: Beat, now: datetime) -> Beat:
    """Nobody heard it in time: down since the moment its grace was over."""
    return replace(
        beat, alert_after=None, down_at=min(beat.alert_after or now, now), recovered_at=None, started_at=None
    )


def excused(beat: Beat, away_from: datetime | None, now: datetime) -> Beat | None:
    """The beat where it may have called while no collector was here to hear it: waited for again from the next time on.
    None where that cannot be."""
    if beat.alert_after is None or beat.alert_after - beat.grace > now:
        return None
    if away_from is not None and beat.alert_after <= away_from:
        return None
    return replace(beat, alert_after=beat.next_due(now) + beat.grace, started_at=None, unsure_at=now)


def alert_of(beat: Beat, fleet: Fleet) -> FiringAlert:
    """What a beat that is down, or was just now, says."""
    assert beat.down_at is not None
    labels = {
        "alertname": ALERT_NAME,
        "beat": beat.id,
        "severity": beat.severity,
        "instance": beat.host,
        "site": beat.site,
        "system": beat.system,
        "agency": beat.agency,
    }
    name = beat.title or beat.id
    failed = beat.failed_at is not None
    code = f" (exit code {beat.exit_code})" if beat.exit_code else ""
    notes = {
        "runbook_url": f"/runbooks/{ALERT_NAME}",
        "summary": f"{name} failed{code}." if failed else f"{name} did not report in time.",
        "summary_ko": f"실행 실패: {name}{code}" if failed else f"제때 보고 없음: {name}",
        "action": "See why the job failed or did not run; what it said last stands on its heartbeat.",
        "action_ko": "작업이 실패했거나 실행되지 않은 까닭을 확인합니다. 마지막 보고 내용은 하트비트에 있습니다.",
    }
    return firing(
        BEAT,
        label_set(labels),
        label_set(notes),
        fleet,
        _ms(beat.down_at),
        None if beat.recovered_at is None else _ms(beat.recovered_at),
    )


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
