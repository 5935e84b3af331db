"""``/api/v1/rules`` and ``/api/v1/alerts`` in Prometheus' own JSON: what is evaluated here, and what it found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from collector.access.guard import Reader
from collector.history.answer import failure, number, success
from collector.rules.alert import FIRING, PENDING, RESOLVED, Alert
from collector.rules.job import GroupState, RuleJob, RuleState
from collector.rules.rule import Group, Rule
from collector.store.scope import Scope

TYPES = ("alert", "record")


def router(rules: RuleJob) -> APIRouter:
    """The routes; alerts are cut to what the caller may see."""
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)

    @routes.get("/rules")
    def all_rules(caller: Reader, type: str = "") -> Response:
        if type and type not in TYPES:
            return _json(failure("bad_data", f'not supported value "{type}"'), 400)
        groups = [
            _group(group, state, caller.scope, type)
            for group in rules.groups
            if (state := rules.states.get(group.key)) is not None
        ]
        return _json(success({"groups": [group for group in groups if group["rules"]]}), 200)

    @routes.get("/alerts")
    def alerts(caller: Reader) -> Response:
        found = [
            _alert(alert)
            for group in rules.groups
            if (state := rules.states.get(group.key)) is not None
            for rule in state.rules
            for alert in _seen(rule, caller.scope)
        ]
        return _json(success({"alerts": found}), 200)

    return routes


def _group(group: Group, state: GroupState, scope: Scope, kind: str) -> dict[str, Any]:
    rules = [
        _rule(rule, known, state, scope)
        for rule, known in zip(group.rules, state.rules, strict=True)
        if not kind or (kind == "alert") == rule.is_alert
    ]
    return {
        "name": group.name,
        "file": group.file,
        "rules": rules,
        "interval": group.interval_ms / 1000,
        "limit": group.limit,
        "evaluationTime": state.seconds,
        "lastEvaluation": _time(state.evaluated_at_ms),
    }


def _rule(rule: Rule, known: RuleState, state: GroupState, scope: Scope) -> dict[str, Any]:
    common = {
        "name": rule.name,
        "query": rule.query,
        "labels": {name: text.source for name, text in rule.labels.items()},
        "health": "err" if known.error else ("ok" if state.evaluated_at_ms else "unknown"),
        "evaluationTime": known.seconds,
        "lastEvaluation": _time(state.evaluated_at_ms),
        **({"lastError": known.error} if known.error else {}),
    }
    if not rule.is_alert:
        return {**common, "type": "recording"}
    alerts = _seen(known, scope)
    states = {alert.state for alert in alerts}
    return {
        "state": FIRING if FIRING in states else (PENDING if PENDING in states else "inactive"),
        **common,
        "duration": rule.for_ms / 1000,
        "keepFiringFor": rule.keep_firing_for_ms / 1000,
        "annotations": {name: text.source for name, text in rule.annotations.items()},
        "alerts": [_alert(alert) for alert in alerts],
        "type": "alerting",
    }


def _seen(known: RuleState, scope: Scope) -> list[Alert]:
    found = []
    for alert in known.alerts.values():
        labels = dict(alert.labels)
        if alert.state != RESOLVED and scope.allows(labels.get("agency"), labels.get("site")):
            found.append(alert)
    return found


def _alert(alert: Alert) -> dict[str, Any]:
    keep = alert.keep_firing_since_ms
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": _time(alert.active_at_ms),
        **({"keepFiringSince": _time(keep)} if keep is not None else {}),
        "value": number(alert.value),
    }


def _time(at_ms: int) -> str:
    """RFC 3339, as Prometheus has it: the zero time is year 1."""
    if not at_ms:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
