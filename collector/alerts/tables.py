"""Rows of alerts taken in, silences, heartbeats, and of a hub's time alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table, Text, false

from collector.store.schema import JsonText, UtcDateTime, metadata

received_alerts = Table(
    # What others told us is wrong, and what parts of the collector that are no rules raise themselves.
    "received_alerts",
    metadata,
    Column("fingerprint", LargeBinary(16), primary_key=True),  # of the labels as they were sent
    Column("source", String(16), nullable=False),
    Column("sender", String(100), nullable=False),  # name of the token or of the intake
    Column("labels", JsonText, nullable=False),  # pairs in order of their names
    Column("annotations", JsonText, nullable=False),
    Column("generator_url", Text, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),  # its sender said that it is over
    Column("expires_at_ms", BigInteger, nullable=True),  # over by then unless sent again; null = until it is said
    Column(
        "updated_at_ms", BigInteger, nullable=False, index=True
    ),  # other processes read what is newer than they know
    Column("is_backfilled", Boolean, nullable=False, default=False, server_default=false()),
)

silences = Table(
    "silences",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("matchers", JsonText, nullable=False),  # [[label, operator, value], ...]
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    Column("created_by", String(200), nullable=False),  # as its author calls themselves
    Column("login", String(64), nullable=False),  # and who that was
    Column("comment", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # What its author may see, so nothing else is silenced by it. Null = everything.
    Column("agencies", JsonText, nullable=True),
    Column("sites", JsonText, nullable=True),
)

beats = Table(
    # Things that say "done" from time to time, so that their silence tells something.
    "beats",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),  # of the key in its address, which is told once
    Column("title", String(200), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("host", String(129), nullable=False),
    Column("system", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("period_seconds", Integer, nullable=False),  # 0 = by cron
    Column("cron", String(100), nullable=False),  # five fields, on the wall clock of timezone
    Column("timezone", String(64), nullable=False),
    Column("grace_seconds", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("paused_at", UtcDateTime, nullable=True),
    Column("last_at", UtcDateTime, nullable=True),  # last success
    Column("started_at", UtcDateTime, nullable=True),  # it said that it began, and not yet that it ended
    Column("failed_at", UtcDateTime, nullable=True),  # it said that it failed; null again after a success
    Column("exit_code", Integer, nullable=True),
    Column("last_text", String(1000), nullable=False),
    # When silence becomes an alert; null = while it is paused, down already, or was never heard.
    Column("alert_after", UtcDateTime, nullable=True, index=True),  # beats.late(): alert_after <= now
    Column("down_at", UtcDateTime, nullable=True),
    Column("recovered_at", UtcDateTime, nullable=True),
    Column("unsure_at", UtcDateTime, nullable=True),  # one that may have come while nobody was here to hear it
)

alive = Table(
    # One row: when a collector on this database last ran, so that a restart knows what it may have missed.
    "collector_alive",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("at", UtcDateTime, nullable=False),
)

island = Table(
    # One row on a hub: since when its centre is away, and since when it acts alone.
    "island",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("heard_at", UtcDateTime, nullable=False),
    Column("acting_since", UtcDateTime, nullable=True),
)

handed_incidents = Table(
    # Incidents a hub opened while alone, as the centre last took them.
    "handed_incidents",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("handed_at", UtcDateTime, nullable=False),
)

hub_reports = Table(
    # At the centre: what hubs opened while alone, until the centre's own incident about the same takes it in.
    "hub_reports",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("hub", String(64), nullable=False),
    Column("key", String(200), nullable=False, index=True),
    Column("content", JsonText, nullable=False),  # collector.incidents.handed.Report
    Column("received_at", UtcDateTime, nullable=False),
    Column("incident", BigInteger, nullable=True),  # null = waits
)
