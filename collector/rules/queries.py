"""SQL of rules."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from collector.history.source import LabelSet
from collector.rules.alert import Alert
from collector.rules.tables import rule_alerts, rule_groups

AlertKey = tuple[str, str]
"""Key of the group, and the rule: its name and, where a group has several of one name, which of them it is."""


def kept_alerts(connection: Connection) -> dict[AlertKey, dict[LabelSet, Alert]]:
    """Every alert that was there when it was last written."""
    found: dict[AlertKey, dict[LabelSet, Alert]] = {}
    for row in connection.execute(select(rule_alerts)):
        labels = pairs(row.labels)
        found.setdefault((row.rule_group, row.rule), {})[labels] = Alert(
            labels,
            pairs(row.annotations),
            row.state,
            math.nan if row.value is None else row.value,
            row.active_at_ms,
            row.fired_at_ms,
            row.keep_firing_since_ms,
            row.resolved_at_ms,
        )
    return found


def evaluated_at(connection: Connection) -> dict[str, int]:
    """When each group was last evaluated."""
    return {row.rule_group: row.evaluated_at_ms for row in connection.execute(select(rule_groups))}


def write_alerts(
    connection: Connection, key: AlertKey, before: Mapping[LabelSet, Alert], after: Mapping[LabelSet, Alert]
) -> None:
    """Bring a rule's rows from what they were to what they are; values alone are no news."""
    changed = [alert for labels, alert in after.items() if labels not in before or _is_news(before[labels], alert)]
    gone = [labels for labels in before if labels not in after]
    old = [{"old": fingerprint(labels)} for labels in [*gone, *(alert.labels for alert in changed)]]
    if old:
        its_own = (rule_alerts.c.rule_group == key[0], rule_alerts.c.rule == key[1])
        connection.execute(delete(rule_alerts).where(*its_own, rule_alerts.c.fingerprint == bindparam("old")), old)
    if changed:
        connection.execute(insert(rule_alerts), [_row(key, alert) for alert in changed])


def write_evaluated(connection: Connection, group: str, at_ms: int) -> None:
    changed = connection.execute(
        update(rule_groups).where(rule_groups.c.rule_group == group).values(evaluated_at_ms=at_ms)
    ).rowcount
    if not changed:
        connection.execute(insert(rule_groups), {"rule_group": group, "evaluated_at_ms": at_ms})


def forget_rules(connection: Connection, known: Iterable[AlertKey]) -> None:
    """Drop alerts of rules that are not loaded any more."""
    keep = set(known)
    rows = connection.execute(select(rule_alerts.c.rule_group, rule_alerts.c.rule).distinct()).all()
    for group, rule in rows:
        if (group, rule) not in keep:
            connection.execute(delete(rule_alerts).where(rule_alerts.c.rule_group == group, rule_alerts.c.rule == rule))


def fingerprint(labels: LabelSet) -> bytes:
    """16 bytes that stand for a set of labels: an alert's identity."""
    return hashlib.sha256(json.dumps(labels, ensure_ascii=False).encode()).digest()[:16]


def _is_news(before: Alert, after: Alert) -> bool:
    return before._replace(value=0.0, annotations=()) != after._replace(value=0.0, annotations=())


def _row(key: AlertKey, alert: Alert) -> dict[str, object]:
    return {
        "rule_group": key[0],
        "rule": key[1],
        "fingerprint": fingerprint(alert.labels),
        "labels": json.dumps(alert.labels, ensure_ascii=False),
        "annotations": json.dumps(alert.annotations, ensure_ascii=False),
        "state": alert.state,
        "value": alert.value if math.isfinite(alert.value) else None,
        "active_at_ms": alert.active_at_ms,
        "fired_at_ms": alert.fired_at_ms,
        "keep_firing_since_ms": alert.keep_firing_since_ms,
        "resolved_at_ms": alert.resolved_at_ms,
    }


def pairs(text: str) -> LabelSet:
    """Labels as a row has them."""
    return tuple((name, value) for name, value in json.loads(text))
