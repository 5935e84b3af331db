"""What webhooks say, read as alerts. Pure.

Alertmanager's webhook (version 4), which Grafana's contact points send too:

    {"version": "4", "status": "firing", "commonAnnotations": {}, "alerts": [
        {"status": "firing", "labels": {"alertname": "DiskFull", "instance": "db1"}, "annotations": {"summary": "…"},
         "startsAt": "2026-11-22T05:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "…", "fingerprint": "…"}]}

Anything else is read by an ``[[intakes]]`` table: JSON pointers (RFC 6901) within each alert, or with # before them from
the top of the document.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from collector.alerts.alert import severity_of
from collector.alerts.alertmanager_json import MOST_NOTES, checked_labels, read_time
from collector.alerts.received import BadAlert, Sent, label_set
from collector.settings_alerts import Intake

MOST_ALERTS = 2_000
"""In one document."""
_NOTHING = object()
_LATEST_SECONDS = 10_000_000_000
"""A number beyond it counts milliseconds."""


def read_document(body: bytes, intake: Intake) -> list[Sent]:
    """The alerts of one post. Raises BadAlert: the whole of it is refused, for whoever sent it must mend it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as why:
        raise BadAlert(f"not JSON: {why}") from why
    if intake.format == "alertmanager":
        return [_of_webhook(one) for one in _many(_at(document, "/alerts"), "alerts")]
    found = _at(document, intake.alerts)
    if isinstance(found, dict) or found is _NOTHING:
        found = [found]
    return [_mapped(one, document, intake) for one in _many(found, intake.alerts or "the document")]


def _many(found: Any, where: str) -> list[Any]:
    if not isinstance(found, list):
        raise BadAlert(f"{where}: expected a list of alerts")
    if len(found) > MOST_ALERTS:
        raise BadAlert(f"{len(found)} alerts: expected at most {MOST_ALERTS}")
    for one in found:
        if not isinstance(one, dict):
            raise BadAlert(f"{where}: expected each alert to be an object")
    return found


def _of_webhook(one: dict[str, Any]) -> Sent:
    status = one.get("status")
    if status not in ("firing", "resolved"):
        raise BadAlert(f"status {status!r}: expected 'firing' or 'resolved'")
    return Sent(
        checked_labels(_texts(one.get("labels"))),
        label_set(_notes(_texts(one.get("annotations")))),
        str(one.get("generatorURL", "")),
        _time(one.get("startsAt", _NOTHING)),
        _time(one.get("endsAt", _NOTHING)) if status == "resolved" else None,
        status == "resolved",
    )


def _mapped(one: dict[str, Any], document: Any, intake: Intake) -> Sent:
    def text(pointer: str) -> str:
        found = _at(document, pointer[1:]) if pointer.startswith("#") else _at(one, pointer)
        return _text(found)

    def table(pointer: str) -> dict[str, str]:
        if not pointer:
            return {}
        return _texts(_at(document, pointer[1:]) if pointer.startswith("#") else _at(one, pointer))

    labels = table(intake.labels_of) | {name: text(pointer) for name, pointer in intake.labels.items()}
    labels |= intake.fixed
    if intake.severity:
        said = text(intake.severity)
        by_word = {word.lower(): severity for word, severity in intake.severities.items()}
        labels["severity"] = by_word.get(said.lower(), severity_of(said))
    if not labels.get("alertname"):
        raise BadAlert("no label alertname: expected labels or fixed of this intake to give one")
    notes = table(intake.annotations_of) | {name: text(pointer) for name, pointer in intake.annotations.items()}
    is_over = bool(intake.status) and text(intake.status).lower() in intake.resolved.lower().split()
    starts, ends = (_when(one, document, pointer) for pointer in (intake.starts_at, intake.ends_at))
    return Sent(checked_labels(labels), label_set(_notes(notes)), "", starts, ends, is_over)


def _when(one: Any, document: Any, pointer: str) -> int | None:
    if not pointer:
        return None
    return _time(_at(document, pointer[1:]) if pointer.startswith("#") else _at(one, pointer))


def _at(value: Any, pointer: str) -> Any:
    """What a JSON pointer leads to; ``_NOTHING`` where it leads nowhere."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name, _NOTHING)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _NOTHING
    return value


def _text(found: Any) -> str:
    if found is _NOTHING or found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _texts(found: Any) -> dict[str, str]:
    if found is _NOTHING or found is None:
        return {}
    if not isinstance(found, dict):
        raise BadAlert("labels and annotations: expected an object of texts")
    return {str(name): _text(value) for name, value in found.items()}


def _notes(found: dict[str, str]) -> dict[str, str]:
    return {name: value[: MOST_NOTES // 4] for name, value in list(found.items())[:32]}


def _time(found: Any) -> int | None:
    """Milliseconds of RFC 3339, or of a number. Raises BadAlert."""
    if found is _NOTHING or found is None or found in ("", 0, "0"):
        return None
    text = _text(found)
    try:
        number = float(text)
    except ValueError:
        at: datetime = read_time(text)
        return None if at.year <= 1 else round(at.timestamp() * 1000)
    if not 0 <= number < _LATEST_SECONDS * 1000:
        raise BadAlert(f"time {text[:40]!r}: expected RFC 3339, or seconds or milliseconds since 1970")
    return round(number if number >= _LATEST_SECONDS else number * 1000)
