"""The collector's own numbers: its prometheus-client registry, and every name in it.

One ``Telemetry`` for each running collector, so that two in one process (tests, the simulator) do not mix. Label values
are bounded: routes as declared, refusal codes of the contract, job names of the table; never a path, a host or a text
that came from outside. The exposition appends ``Telemetry.text()`` to ``/metrics``.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from agent.link.names import BACKLOG_LANE, FLEET_METRICS, LIVE_LANE
from collector.telemetry_remote_write import RemoteWriteTelemetry

ENVELOPE_CODES = (
    "malformed",
    "bad_signature",
    "too_large",
    "bad_labels",
    "unknown_agent",
    "unknown_key",
    "suspended",
    "revoked",
    "fork",
)
"""Why an envelope was not taken, as the contract names it; anything else is counted as ``other``."""

ENROLMENT_RESULTS = (
    "enrolled",
    "repeated",
    "rotated",
    "token_malformed",
    "token_expired",
    "token_used",
    "token_unknown",
    "token_foreign",
    "bad_proof",
    "bad_request",
    "host_taken",
    "key_known",
    "unknown_agent",
    "provisional",
    "upstream_away",
    "nonce_needed",
    "not_known",
)
"""What became of a request to enrol or to rotate a key."""

LANES = (LIVE_LANE, BACKLOG_LANE)

LOGIN_RESULTS = ("ok", "wrong_login", "too_many_logins", "foreign_origin")

RECORD_RESULTS = ("stored", "future", "expired", "unbound", "malformed")
"""What became of a sample record on its way from the log into history."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a *_created series for each counter doubles the exposition and nobody reads it


RELAY_RESULTS = ("taken", "refused", "held")
"""What became of an envelope of the log on its way to the centre: it has it, it will never take it, or it does not take
its agent's now."""


class RelayNumbers:
    """What only a hub counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pending = Gauge(
            "bongsu_relay_pending_envelopes", "Envelopes the centre was not seen to hold.", registry=registry
        )
        self.oldest = Gauge(
            "bongsu_relay_oldest_timestamp_seconds",
            "When the oldest envelope that waits for the centre was received; now where none waits.",
            registry=registry,
        )
        self.answered = Gauge(
            "bongsu_relay_last_answer_timestamp_seconds", "When the centre answered last; 0 = never.", registry=registry
        )
        self.registry_at = Gauge(
            "bongsu_relay_registry_timestamp_seconds",
            "When the registry was last asked for and given; 0 = never.",
            registry=registry,
        )
        self.bytes = Gauge(
            "bongsu_relay_sent_bytes", "Bytes of envelopes sent to the centre since the start.", registry=registry
        )
        self._envelopes = Counter(
            "bongsu_relay_envelopes", "Envelopes by what the centre made of them.", ["result"], registry=registry
        )
        for result in RELAY_RESULTS:
            self._envelopes.labels(result)

    def envelopes(self, result: str, count: int) -> None:
        assert result in RELAY_RESULTS, result
        self._envelopes.labels(result).inc(count)


class Telemetry:
    """Every number the collector keeps about itself. Attributes are prometheus-client metrics, ready to be used."""

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge(
            "bongsu_collector_build_info",
            "Facts about the running collector; always 1.",
            ["version"],
            registry=registry,
        ).labels(version).set(1)
        self.http_requests = Counter(
            "bongsu_http_requests",
            "HTTP requests answered, by declared route.",
            ["method", "route", "code"],
            registry=registry,
        )
        self.http_seconds = Histogram(
            "bongsu_http_request_seconds",
            "Time from the request's first byte to the answer's last.",
            buckets=SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            "bongsu_envelopes_refused", "Envelopes not taken, by the contract's code.", ["code"], registry=registry
        )
        self.envelopes_committed = Counter(
            "bongsu_envelopes_committed", "Envelopes made durable and acknowledged.", registry=registry
        )
        self.commit_seconds = Histogram(
            "bongsu_intake_commit_seconds",
            "Time of one group commit, from its begin to the durable end.",
            buckets=SECONDS,
            registry=registry,
        )
        self._intake_shed = Counter(
            "bongsu_intake_shed",
            "Requests turned away for load, to be sent again, by lane.",
            ["lane"],
            registry=registry,
        )
        self.batch_envelopes = Histogram(
            "bongsu_intake_batch_envelopes",
            "Envelopes made durable by one group commit.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
            registry=registry,
        )
        self._brought = Counter(
            "bongsu_hub_envelopes_refused",
            "Envelopes that a hub brought and that were not taken, by hub and the contract's code.",
            ["hub", "code"],
            registry=registry,
        )
        self._forged = Counter(
            "bongsu_hub_envelopes_forged",
            "Envelopes that a hub refused because their agent had not sealed them, as the hub tells.",
            ["hub", "code"],
            registry=registry,
        )
        self._forged_at: dict[bytes, int] = {}
        """What each hub told last, by its identity."""
        self._enrolments = Counter(
            "bongsu_enrolments", "Requests to enrol or to rotate a key, by result.", ["result"], registry=registry
        )
        self._logins = Counter(
            "bongsu_logins", "Logins tried with a password, by result.", ["result"], registry=registry
        )
        self.log_bytes = Gauge("bongsu_log_bytes", "Size of the database that holds the log.", registry=registry)
        self._history_records = Counter(
            "bongsu_history_records",
            "Sample records taken from the log, by what became of them.",
            ["result"],
            registry=registry,
        )
        self.query_seconds = Histogram(
            "bongsu_query_seconds", "Time of one query of the query API.", buckets=SECONDS, registry=registry
        )
        self._rule_evaluations = Counter(
            "bongsu_rule_evaluations", "Evaluations of rules, by result.", ["result"], registry=registry
        )
        self._job_runs = Counter("bongsu_job_runs", "Runs of a background task.", ["task", "result"], registry=registry)
        self._job_seconds = Histogram(
            "bongsu_job_seconds", "Time of one run of a background task.", ["task"], buckets=SECONDS, registry=registry
        )
        last = FLEET_METRICS["bongsu_job_last_success_timestamp_seconds"]
        self._job_last_success = Gauge(last.name, last.help, list(last.labels), registry=registry)
        self.succeeded_ms: dict[str, int] = {}
        """When each background task last succeeded."""
        self.remote_write = RemoteWriteTelemetry(registry)
        for code in (*ENVELOPE_CODES, "other"):
            self._refused.labels(code)
        for lane in LANES:
            self._intake_shed.labels(lane)
        self.rules_evaluated(0, 0)
        for result in RECORD_RESULTS:
            self._history_records.labels(result)
        for result in ENROLMENT_RESULTS:
            self._enrolments.labels(result)
        for result in LOGIN_RESULTS:
            self._logins.labels(result)

    def refused(self, code: str, count: int = 1) -> None:
        """Count envelopes that were not taken."""
        self._refused.labels(code if code in ENVELOPE_CODES else "other").inc(count)

    def brought(self, hub: str, code: str) -> None:
        """Count an envelope that a hub brought and that was not taken."""
        self._brought.labels(hub, code if code in ENVELOPE_CODES else "other").inc()

    def forged_at_hub(self, hub: str, hub_id: bytes, count: int) -> None:
        """A hub tells how many forged envelopes it refused since it started; what it told before a start of ours is old."""
        told = self._forged.labels(hub, "bad_signature")
        before = self._forged_at.get(hub_id, count)
        told.inc(count - before if count >= before else count)
        self._forged_at[hub_id] = count

    def shed(self, lane: str) -> None:
        """Count a request that was turned away for load."""
        self._intake_shed.labels(lane if lane in LANES else "live").inc()

    def enrolment(self, result: str) -> None:
        """Count a request to enrol or rotate; ``result`` is one of ``ENROLMENT_RESULTS``."""
        assert result in ENROLMENT_RESULTS, result
        self._enrolments.labels(result).inc()

    def login(self, result: str) -> None:
        """Count a login tried; ``result`` is one of ``LOGIN_RESULTS``."""
        assert result in LOGIN_RESULTS, result
        self._logins.labels(result).inc()

    def history_records(self, result: str, count: int) -> None:
        """Count sample records on their way into history; ``result`` is one of ``RECORD_RESULTS``."""
        assert result in RECORD_RESULTS, result
        self._history_records.labels(result).inc(count)

    def rules_evaluated(self, ok: int, failed: int) -> None:
        """Count evaluations of rules; one that failed left its alerts as they were."""
        self._rule_evaluations.labels("ok").inc(ok)
        self._rule_evaluations.labels("failed").inc(failed)

    def job_known(self, task: str) -> None:
        """Show a task's counters from the start, at zero."""
        for result in ("ok", "failed", "skipped"):
            self._job_runs.labels(task, result)
        self._job_seconds.labels(task)

    def job_ran(self, task: str, seconds: float, finished_at_ms: int | None) -> None:
        """One run ended; ``finished_at_ms`` is None where it failed."""
        self._job_seconds.labels(task).observe(seconds)
        self._job_runs.labels(task, "failed" if finished_at_ms is None else "ok").inc()
        if finished_at_ms is not None:
            self.succeeded_ms[task] = finished_at_ms
            self._job_last_success.labels(task).set(finished_at_ms / 1000)

    def job_skipped(self, task: str) -> None:
        """A run was due while the one before it was still at work."""
        self._job_runs.labels(task, "skipped").inc()

    def watch(self, gauge: Gauge, read: Callable[[], float]) -> None:
        """Let a gauge ask for its value when it is scraped."""
        gauge.set_function(read)

    def text(self) -> bytes:
        """All of it in the text format."""
        return generate_latest(self.registry)
