"""Alertmanager's own JSON, API v2, in and out. Pure.

    POST /api/v2/alerts   [{"labels": {"alertname": "DiskFull", …}, "annotations": {…}, "startsAt": "2026-11-22T05:00:00Z",
                            "endsAt": "…", "generatorURL": "http://prometheus/graph?…"}]

Source: github.com/prometheus/alertmanager, api/v2/openapi.yaml. Times are RFC 3339; year 1 means none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from collector.alerts.alert import FiringAlert
from collector.alerts.matcher_words import checked
from collector.alerts.received import BadAlert, Sent, label_set
from collector.alerts.silence import Silence, Words
from collector.history.source import LabelSet
from collector.store.schema import instant

RECEIVER = "bongsu"
MOST_LABELS, MOST_NAME, MOST_VALUE, MOST_NOTES = 64, 256, 4096, 16_384
ACTIVE, SUPPRESSED = "active", "suppressed"


class PostedAlert(msgspec.Struct, rename="camel"):
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str = msgspec.field(default="", name="generatorURL")


class PostedMatcher(msgspec.Struct, rename="camel"):
    name: str
    value: str
    is_regex: bool
    is_equal: bool = True


class PostedSilence(msgspec.Struct, rename="camel"):
    matchers: list[PostedMatcher]
    starts_at: str
    ends_at: str
    created_by: str
    comment: str
    id: str | None = None


def sent_of(posted: PostedAlert) -> Sent:
    """Raises BadAlert."""
    labels = checked_labels(posted.labels)
    if sum(len(name) + len(value) for name, value in posted.annotations.items()) > MOST_NOTES:
        raise BadAlert(f"annotations over {MOST_NOTES} characters")
    notes = label_set(posted.annotations)
    return Sent(labels, notes, posted.generator_url, time_ms(posted.starts_at), time_ms(posted.ends_at))


def checked_labels(labels: Mapping[str, str]) -> LabelSet:
    """Raises BadAlert."""
    found = label_set(labels)
    if not found:
        raise BadAlert("at least one label pair required")
    if len(found) > MOST_LABELS:
        raise BadAlert(f"{len(found)} labels: expected at most {MOST_LABELS}")
    for name, value in found:
        if not name or len(name) > MOST_NAME or len(value) > MOST_VALUE or "\0" in name + value:
            raise BadAlert(
                f"label {name[:40]!r}: expected a name up to {MOST_NAME}, a value up to {MOST_VALUE} characters"
            )
    return found


def time_ms(text: str | None) -> int | None:
    """Raises BadAlert. None and year 1 are None."""
    if not text:
        return None
    at = read_time(text)
    return None if at.year <= 1 else round(at.timestamp() * 1000)


def read_time(text: str) -> datetime:
    """Raises BadAlert where it is no RFC 3339."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as why:
        raise BadAlert(f"time {text[:40]!r}: expected RFC 3339, such as 2026-11-22T05:00:00Z") from why
    if at.tzinfo is None:
        raise BadAlert(f"time {text[:40]!r}: expected one with its zone, such as 2026-11-22T05:00:00Z")
    return at


def time_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def words_of(posted: Iterable[PostedMatcher]) -> Words:
    """Raises BadMatcher."""
    return tuple(checked(one.name, _operator(one), one.value) for one in posted)


def _operator(one: PostedMatcher) -> str:
    return ("=" if one.is_equal else "!") + ("~" if one.is_regex else "" if one.is_equal else "=")


def shown_silence(silence: Silence, now: datetime) -> dict[str, Any]:
    return {
        "id": silence.id,
        "status": {"state": silence.state(now)},
        "updatedAt": time_text(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "startsAt": time_text(silence.starts_at),
        "endsAt": time_text(silence.ends_at),
        "matchers": [
            {"name": label, "value": value, "isRegex": "~" in operator, "isEqual": "!" not in operator}
            for label, operator, value in silence.words
        ],
    }


def shown_alert(
    alert: FiringAlert, silenced_by: Sequence[str], now: datetime, resolve: timedelta, own_url: str
) -> dict[str, Any]:
    """``resolve``: how long an alert without an end is good for."""
    return {
        "annotations": dict(alert.annotations),
        "endsAt": time_text(now + resolve),
        "fingerprint": alert.fingerprint[:8].hex(),
        "receivers": [{"name": RECEIVER}],
        "startsAt": time_text(instant(alert.started_at_ms)),
        "status": {
            "inhibitedBy": [],
            "silencedBy": list(silenced_by),
            "mutedBy": [],
            "state": SUPPRESSED if silenced_by else ACTIVE,
        },
        "updatedAt": time_text(instant(alert.updated_at_ms) if alert.updated_at_ms else now),
        "generatorURL": alert.generator_url or own_url,
        "labels": dict(alert.labels),
    }


def grouped(alerts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """By name and site, as people look at them."""
    groups: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
    for alert in alerts:
        key = tuple((name, alert["labels"][name]) for name in ("alertname", "site") if name in alert["labels"])
        groups.setdefault(key, []).append(alert)
    return [
        {"labels": dict(key), "receiver": {"name": RECEIVER}, "alerts": found} for key, found in sorted(groups.items())
    ]


def posted_alert(alert: FiringAlert, ends_at: datetime, own_url: str) -> dict[str, Any]:
    """An alert as another Alertmanager is told of it."""
    ended = alert.ended_at_ms
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": time_text(instant(alert.started_at_ms)),
        "endsAt": time_text(ends_at if ended is None else instant(ended)),
        "generatorURL": alert.generator_url or own_url,
    }
