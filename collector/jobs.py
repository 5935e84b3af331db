"""Background work: one table of jobs, each a step with an interval, and the clockwork that runs them.

APScheduler only ticks; what was done stands in rows. A job never runs twice at once, and runs that were missed are one
run. This is the border where a broad handler is allowed: a job that fails is logged with its traceback, counted, and
tried again at its next turn, because one broken job must not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from agent.link.clock import Clock
from agent.link.leap import Leap
from collector.errors import CollectorError
from collector.telemetry import Telemetry

log = logging.getLogger(__name__)

Step = Callable[[datetime], datetime | None]
"""One unit of work. Gets ``now`` (aware, UTC), returns when it wants to run next, or None for its interval."""


class HasStep(Protocol):
    def step(self, now: datetime) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    interval_seconds: float
    step: Step


class ByAge:
    """A job that deletes by age: while the clock is not to be believed it fails, in words, and deletes nothing."""

    def __init__(self, job: HasStep, leap: Leap) -> None:
        self._job = job
        self._leap = leap

    def step(self, now: datetime) -> datetime | None:
        trouble = self._leap.words()
        if trouble:
            raise CollectorError(trouble)
        return self._job.step(now)


def table(
    verdicts: HasStep, chunks: HasStep, retention: HasStep, registry: HasStep | None = None, *more: Job
) -> tuple[Job, ...]:
    """All background work of a collector, in reading order; ``more`` is for what the composition root adds."""
    jobs = [
        Job("verdicts", 1.0, verdicts.step),
        Job("history_chunks", 30.0, chunks.step),
        Job("retention", 600.0, retention.step),
    ]
    if registry is not None:
        jobs.insert(0, Job("registry", 1.0, registry.step))
    return (*jobs, *more)


class Jobs:
    """Runs a table of jobs on a few threads until stopped."""

    def __init__(self, jobs: Iterable[Job], clock: Clock, telemetry: Telemetry, threads: int = 4) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._jobs = {job.name: job for job in jobs}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(threads)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        for job in self._jobs.values():
            telemetry.job_known(job.name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._jobs)

    @property
    def intervals(self) -> dict[str, float]:
        """Seconds between two runs, by name: for who paces them otherwise."""
        return {job.name: job.interval_seconds for job in self._jobs.values()}

    def start(self) -> None:
        """Run every job once now, then each at its interval."""
        # A slow job is counted by us; APScheduler would warn about it in each of its turns.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for job in self._jobs.values():
            self._scheduler.add_job(
                self._scheduled,
                "interval",
                args=(job.name,),
                seconds=job.interval_seconds,
                id=job.name,
                next_run_time=datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC),
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing more and wait for what runs."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def run(self, name: str) -> datetime | None:
        """Run one job here and now; what it wants next. Never raises what the job raised."""
        job = self._jobs[name]
        began = self._clock.monotonic()
        now_ms = self._clock.wall_ms()
        try:
            wanted = job.step(datetime.fromtimestamp(now_ms / 1000, UTC))
        except Exception:  # the job border: whatever a job meets, the other jobs go on and this one gets its next turn
            self._telemetry.job_ran(name, self._clock.monotonic() - began, None)
            log.exception(
                "background task failed; it is tried again at its next turn",
                extra={"task": name, "retry_seconds": job.interval_seconds},
            )
            return None
        self._telemetry.job_ran(name, self._clock.monotonic() - began, self._clock.wall_ms())
        return wanted

    def _scheduled(self, name: str) -> None:
        wanted = self.run(name)
        if wanted is None or not self._scheduler.running:
            return
        soonest = datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC) + timedelta(milliseconds=10)
        entry: Any = self._scheduler.get_job(name)
        if entry is not None and entry.next_run_time is not None and wanted < entry.next_run_time:
            entry.modify(next_run_time=max(wanted, soonest))

    def _skipped(self, event: JobEvent) -> None:
        self._telemetry.job_skipped(event.job_id)
