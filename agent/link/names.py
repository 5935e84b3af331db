"""Every name that crosses a border: signature prefixes, reserved metric names, limits, the fleet's own series.

Dashboards, rules, exposition and docs take them from here, so that a renamed metric is one visible change.
"""

from __future__ import annotations

from typing import NamedTuple

ENVELOPE_PREFIX = b"bongsu-envelope-1\0"
RECEIPT_PREFIX = b"bongsu-receipt-1\0"
POLICY_PREFIX = b"bongsu-policy-1\0"
REGISTRY_PREFIX = b"bongsu-registry-1\0"
ENROL_PREFIX = b"bongsu-enrol-1\0"
REQUEST_PREFIX = b"bongsu-request-1\0"
ROTATE_PREFIX = b"bongsu-rotate-1\0"
TOKEN_PREFIX = b"bongsu-token-1\0"

ANSWER_TYPE = "application/vnd.bongsu.answer+json"
ENVELOPES_TYPE = "application/vnd.bongsu.envelopes"
SENT_AT_HEADER = "bongsu-sent-at-ms"
AGENT_HEADER, KEY_NO_HEADER, NONCE_HEADER, SIGNATURE_HEADER = (
    "bongsu-agent",
    "bongsu-key-no",
    "bongsu-nonce",
    "bongsu-signature",
)
"""Of a signed request: who asks, with which key, on which nonce of the receiver's."""
LANE_HEADER = "bongsu-lane"
LIVE_LANE, BACKLOG_LANE = "live", "backlog"
"""A hint, believed by nobody: under load a receiver turns the backlog away first."""

KIND_SAMPLE, KIND_STATE, KIND_ROLLUP, KIND_LOSS = 1, 2, 3, 4
GAUGE, COUNTER, UNTYPED = 0, 1, 2
TYPE_NAMES = ("gauge", "counter", "untyped")
ABSENT_WORD = 0x7FF0000000000002
"""The float64 word that says "no value here"; moved as uint64, never through arithmetic."""

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
CHECK_STATES = ("ok", "warning", "critical", "unknown")
QUICK_CHECKS = ("process:", "ups:", "ssh")
"""Checks, by how their names begin, that an agent runs every 5 s or less whatever its interval, each change sent at once."""

FUTURE_LIMIT_MS = 60_000
STALE_INTERVALS = 3

RESERVED_LABELS = frozenset({"site", "hub", "agency", "instance", "job"})
RESERVED_NAMES = frozenset({"up", "ALERTS", "ALERTS_FOR_STATE"})
RESERVED_NAME_PREFIXES = ("bongsu_", "ALERTS", "scrape_", "__")


ENVELOPE_RECORDS = 10_000
"""Records in one envelope: agents send at most 60; without a cap, a few kilobytes could unpack to millions."""


class Limits(NamedTuple):
    """Caps on what a peer may send; each has a clear refusal and a counter."""

    body_packed_bytes: int = 4 << 20
    body_unpacked_bytes: int = 64 << 20
    window_log: int = 23
    header_bytes: int = 256
    request_bytes: int = 16 << 20
    request_envelopes: int = 1_000
    series_per_host: int = 5_000
    series_per_agent: int = 50_000
    label_name_chars: int = 128
    label_value_bytes: int = 256
    labels: int = 30
    schema_bytes: int = 1 << 20


class Metric(NamedTuple):
    """A series of the fleet: its type, help text and the labels it carries."""

    name: str
    type: str
    help: str
    labels: tuple[str, ...]


STATE_HELP = "0 ok, 1 maintenance, 2 unknown or no data, 3 degraded, 4 down"
FLEET_METRICS = {
    metric.name: metric
    for metric in (
        Metric("bongsu_site_state", "gauge", f"State of a site: {STATE_HELP}.", ("agency", "hub", "site")),
        Metric("bongsu_hub_state", "gauge", f"State of a hub: {STATE_HELP}.", ("hub",)),
        Metric(
            "bongsu_link_state",
            "gauge",
            f"State of a site's link: {STATE_HELP}.",
            ("agency", "hub", "site", "link"),
        ),
        Metric(
            "bongsu_system_state",
            "gauge",
            f"State of an information system: {STATE_HELP}.",
            ("agency", "system", "grade"),
        ),
        Metric(
            "bongsu_host_state",
            "gauge",
            f"State of a host: {STATE_HELP}.",
            ("agency", "hub", "site", "instance"),
        ),
        Metric(
            "bongsu_agent_up",
            "gauge",
            "1 while the agent's reports are current, else 0.",
            ("agency", "hub", "site", "agent"),
        ),
        Metric(
            "bongsu_check_state",
            "gauge",
            "State of a check: 0 ok, 1 warning, 2 critical, 3 unknown.",
            ("agency", "hub", "site", "instance", "check"),
        ),
        Metric(
            "bongsu_site_info",
            "gauge",
            "Facts about a site; always 1.",
            ("agency", "hub", "site", "geohash", "timezone", "link_profile"),
        ),
        Metric(
            "bongsu_site_eligible_seconds_total",
            "counter",
            "Seconds a site was to be available and was watched.",
            ("agency", "hub", "site"),
        ),
        Metric(
            "bongsu_site_downtime_seconds_total",
            "counter",
            "Seconds of those a site was down.",
            ("agency", "hub", "site"),
        ),
        Metric(
            "bongsu_system_eligible_seconds_total",
            "counter",
            "Seconds an information system was to be available and was watched.",
            ("agency", "system", "grade"),
        ),
        Metric(
            "bongsu_system_downtime_seconds_total",
            "counter",
            "Seconds of those an information system was down.",
            ("agency", "system", "grade"),
        ),
        Metric(
            "bongsu_hosts_unmonitored",
            "gauge",
            "Hosts that are registered and that nobody ever reported for.",
            ("agency",),
        ),
        Metric(
            "bongsu_hosts_unregistered",
            "gauge",
            "Hosts that report and that neither the topology file nor a list names.",
            ("agency",),
        ),
        Metric(
            "bongsu_agent_last_report_timestamp_seconds",
            "gauge",
            "When the agent's newest report was received.",
            ("agency", "hub", "site", "agent"),
        ),
        Metric(
            "bongsu_agent_clock_offset_seconds",
            "gauge",
            "Agent's clock against the receiver's; positive = the agent is behind.",
            ("agency", "hub", "site", "agent"),
        ),
        Metric(
            "bongsu_agent_spool_reports",
            "gauge",
            "Records waiting in the agent's spool.",
            ("agency", "hub", "site", "agent"),
        ),
        Metric(
            "bongsu_agent_spool_oldest_timestamp_seconds",
            "gauge",
            "When the oldest waiting record was taken.",
            ("agency", "hub", "site", "agent"),
        ),
        Metric(
            "bongsu_reports_total",
            "counter",
            "Records received, by what became of them.",
            ("agency", "hub", "site", "result"),
        ),
        Metric(
            "bongsu_ingest_lag_seconds",
            "gauge",
            "Age of the newest record of the site when it was received.",
            ("agency", "hub", "site"),
        ),
        *(
            Metric(
                f"bongsu_completeness_{what}",
                "gauge",
                f"Of the site's last judged hour: {help}.",
                ("agency", "hub", "site"),
            )
            for what, help in (
                ("expected_samples", "samples of its hosts that should have been taken"),
                ("received_samples", "samples that came"),
                ("late_samples", "samples that came later than three intervals after they were taken"),
                ("lost_samples", "numbers that were declared lost, expired, or are missing without a word"),
                ("rolled_up_samples", "numbers that roll-ups stand for"),
                ("ratio", "share of what was expected that came"),
            )
        ),
        Metric("bongsu_incidents_open", "gauge", "Open incidents.", ("severity",)),
        Metric("bongsu_site_incidents_open", "gauge", "Open incidents of a site.", ("agency", "hub", "site")),
        Metric("bongsu_agency_incidents_open", "gauge", "Open incidents of an agency.", ("agency", "severity")),
        Metric(
            "bongsu_probe_info",
            "gauge",
            "What a probed target stands for: a site, or one of its links; always 1.",
            ("agency", "hub", "site", "link", "target"),
        ),
        Metric("bongsu_pages_total", "counter", "Pages sent.", ("channel", "result")),
        Metric(
            "bongsu_maintenance_active",
            "gauge",
            "1 while a maintenance window covers the site, its region, or every line to it.",
            ("agency", "hub", "site"),
        ),
        Metric(
            "bongsu_job_last_success_timestamp_seconds",
            "gauge",
            "When a background task last succeeded.",
            ("task",),
        ),
    )
}
