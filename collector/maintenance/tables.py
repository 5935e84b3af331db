"""Rows of maintenance windows. An ended or cancelled one stays, for whoever asks later what was agreed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("title", String(200), nullable=False),
    Column("kind", String(16), nullable=False),  # planned, or shutdown: announced by the site itself
    Column("subjects", JsonText, nullable=False),  # [[site|host|system|hub|region|link, id]]
    Column("timezone", String(64), nullable=False),
    Column("starts_local", String(16), nullable=False),  # 2026-11-22T02:00, in that zone
    Column("duration_minutes", Integer, nullable=False),
    Column("repeat", JsonText, nullable=True),  # {every, weekdays, until}; null = once
    Column("notified_at", UtcDateTime, nullable=True),  # when the sites were told; null = not
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("ended_at", UtcDateTime, nullable=True),  # cut short or cancelled
)
