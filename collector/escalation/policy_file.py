"""The file of escalation as TOML (``configs/escalation.toml`` documents every key): text in, a ``Plan`` or every mistake
at once out, and a plan as plain rows.

    escalation.toml: policies 'critical': steps no. 2: channel = 'fax': expected first, next, all or a channel
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from collector.errors import TopologyError, nearest
from collector.escalation.policy import CHANNEL_WORDS, MODES, NAMED, SHIPPED, WORDS, Plan, Policy, Route, Step
from collector.fleet.toml_text import parse
from collector.fleet.topology_keys import NAME, Key
from collector.people.person import CHANNELS, parse_span

SEVERITIES = ("critical", "warning", "info")
Row = dict[str, Any]


def _is_number(low: int, high: int) -> Any:
    return lambda value: type(value) is int and low <= value <= high


def _list_of(is_right: Any) -> Any:
    return lambda value: isinstance(value, list) and all(is_right(each) for each in value)


def _is_notify(value: Any) -> bool:
    kind, _, name = str(value).partition(":")
    return isinstance(value, str) and (value in WORDS or (kind in NAMED and NAME.fullmatch(name) is not None))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _seconds(default: int | None) -> Key:
    return Key(default, _is_number(0, 30 * 86_400), "a whole number of seconds, at most 30 days")


ID = Key(None, _is_name, "1 to 63 of a-z, 0-9 and -")
NOTIFY_WORDS = f"some of {', '.join(WORDS)}, " + ", ".join(f"{kind}:ID" for kind in NAMED)
COURSE: Mapping[str, Key] = {
    **{
        name: _seconds(getattr(SHIPPED, name))
        for name in (
            "hold_seconds",
            "alert_hold_seconds",
            "settle_seconds",
            "settle_most_seconds",
            "reopen_seconds",
            "close_seconds",
            "storm_calm_seconds",
        )
    },
    "storm_per_minute": Key(SHIPPED.storm_per_minute, _is_number(5, 100_000), "a whole number from 5 up"),
    "only_on_shift": Key(SHIPPED.only_on_shift, lambda value: isinstance(value, bool), "true or false"),
}
DIGEST: Mapping[str, Key] = {
    "hours": Key(SHIPPED.digest_hours, lambda v: isinstance(v, str) and parse_span(v) is not None, "as '09:00-18:00'"),
    "timezone": Key(SHIPPED.digest_timezone, lambda v: v in available_timezones(), "a time zone, as 'Asia/Seoul'"),
}
STEPS: Mapping[str, Key] = {
    "after_seconds": _seconds(None),
    "notify": Key(None, lambda v: bool(v) and _list_of(_is_notify)(v), NOTIFY_WORDS),
    "channel": Key("first", lambda v: v in (*CHANNEL_WORDS, *CHANNELS), "first, next, all or a channel"),
    "mode": Key("all", lambda v: v in MODES, " or ".join(MODES)),
}
POLICIES: Mapping[str, Key] = {
    "id": ID,
    "repeat_seconds": _seconds(0),
    "reack_seconds": _seconds(0),
    "summons_seconds": _seconds(600),
    "steps": Key(
        [], lambda v: isinstance(v, list) and all(isinstance(s, dict) for s in v), "tables [[policies.steps]]"
    ),
}
ROUTES: Mapping[str, Key] = {
    "policy": ID,
    "severities": Key([], _list_of(lambda v: v in SEVERITIES), f"some of {', '.join(SEVERITIES)}"),
    "priorities": Key([], _list_of(_is_number(1, 4)), "some of 1, 2, 3, 4"),
    "sites": Key([], _list_of(_is_name), "ids of sites"),
    "agencies": Key([], _list_of(_is_name), "ids of agencies"),
}
TABLES = ("course", "digest", "fix_seconds", "routes", "policies")


def is_escalation_file(text: str) -> bool:
    """Whether a file is one of escalation by its tables."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    routes = document.get("routes")
    return any(name in document for name in ("course", "digest", "fix_seconds")) or isinstance(routes, list)


def read_escalation(text: str, file: str = "escalation.toml") -> Plan:
    """Raises TopologyError with every mistake found."""
    document = parse(text, file)
    wrong = [
        f"{name}: unknown table in a file of escalation; {nearest(name, TABLES)}"
        for name in document
        if name not in TABLES
    ]
    course = _row("course", COURSE, document.get("course", {}), wrong)
    digest = _row("digest", DIGEST, document.get("digest", {}), wrong)
    policies = [_policy(n, row, wrong) for n, row in enumerate(_tables("policies", document, wrong), 1)]
    routes = [
        _row(f"routes no. {n}", ROUTES, row, wrong) for n, row in enumerate(_tables("routes", document, wrong), 1)
    ]
    _refer(policies, routes, wrong)
    fix = _fix(document.get("fix_seconds", {}), wrong)
    if wrong:
        raise TopologyError([f"{file}: {text}" for text in wrong])
    return plan_of({"course": course, "digest": digest, "fix_seconds": fix, "policies": policies, "routes": routes})


def rows_of(plan: Plan) -> Row:
    """A plan in the shape of its file; ``plan_of`` reads it back."""
    return {
        "course": {name: getattr(plan, name) for name in COURSE},
        "digest": {"hours": plan.digest_hours, "timezone": plan.digest_timezone},
        "fix_seconds": {str(grade): seconds for grade, seconds in plan.fix_seconds.items()},
        "policies": [
            {**{name: getattr(policy, name) for name in POLICIES if name != "steps"},
             "steps": [{name: _plain(getattr(step, name)) for name in STEPS} for step in policy.steps]}
            for policy in plan.policies
        ],
        "routes": [{name: _plain(getattr(route, name)) for name in ROUTES} for route in plan.routes],
    }  # fmt: skip


def plan_of(rows: Mapping[str, Any]) -> Plan:
    """From rows that were checked; what an older program did not know has its default."""
    return Plan(
        policies=tuple(
            Policy(
                row["id"],
                tuple(Step(s["after_seconds"], tuple(s["notify"]), s["channel"], s["mode"]) for s in row["steps"]),
                row["repeat_seconds"],
                row["reack_seconds"],
                row["summons_seconds"],
            )
            for row in rows["policies"]
        ),
        routes=tuple(
            Route(row["policy"], *(tuple(row[name]) for name in ("severities", "priorities", "sites", "agencies")))
            for row in rows["routes"]
        ),
        **{name: rows["course"].get(name, key.default) for name, key in COURSE.items()},
        fix_seconds={int(grade): seconds for grade, seconds in rows["fix_seconds"].items()},
        digest_hours=rows["digest"]["hours"],
        digest_timezone=rows["digest"]["timezone"],
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tables(name: str, document: Row, wrong: list[str]) -> list[Row]:
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        wrong.append(f"{name}: expected tables, each written [[{name}]]")
        return []
    if not found:
        wrong.append(f"{name}: missing; expected at least one table [[{name}]]")
    return found


def _row(whose: str, keys: Mapping[str, Key], table: Any, wrong: list[str]) -> Row:
    if not isinstance(table, dict):
        wrong.append(f"{whose}: expected a table")
        return {}
    wrong += [f"{whose}: {key}: unknown key; {nearest(key, list(keys))}" for key in table if key not in keys]
    row: Row = {}
    for key, (default, is_right, expected) in keys.items():
        if key in table and not is_right(table[key]):
            wrong.append(f"{whose}: {key} = {table[key]!r}: expected {expected}")
        elif key not in table and default is None:
            wrong.append(f"{whose}: {key}: missing; expected {expected}")
        row[key] = table.get(key, default)
    return row


def _policy(number: int, table: Row, wrong: list[str]) -> Row:
    whose = f"policies {table.get('id', f'no. {number}')!r}"
    row = _row(whose, POLICIES, table, wrong)
    steps = row["steps"] if isinstance(row["steps"], list) else []
    row["steps"] = [_row(f"{whose}: steps no. {n}", STEPS, step, wrong) for n, step in enumerate(steps, 1)]
    times = [step["after_seconds"] for step in row["steps"] if isinstance(step.get("after_seconds"), int)]
    if times != sorted(times) or (times and times[0]):
        wrong.append(f"{whose}: steps: expected after_seconds to begin with 0 and to grow")
    repeat = row["repeat_seconds"]
    if isinstance(repeat, int) and 0 < repeat < 60:
        wrong.append(f"{whose}: repeat_seconds = {repeat}: expected 0, or 60 and more")
    return row


def _refer(policies: Sequence[Row], routes: Sequence[Row], wrong: list[str]) -> None:
    names = [row.get("id") for row in policies]
    wrong += [f"policies {name!r}: is there twice; each id once" for name in {n for n in names if names.count(n) > 1}]
    for number, row in enumerate(routes, 1):
        if isinstance(row.get("policy"), str) and row["policy"] not in names:
            hint = nearest(row["policy"], [str(name) for name in names])
            wrong.append(f"routes no. {number}: policy = {row['policy']!r}: no such policy; {hint}")


def _fix(table: Any, wrong: list[str]) -> Row:
    if not isinstance(table, dict):
        wrong.append("fix_seconds: expected a table")
        return {}
    for grade, seconds in table.items():
        if grade not in ("1", "2", "3", "4") or type(seconds) is not int or not 60 <= seconds <= 30 * 86_400:
            wrong.append(f"fix_seconds: {grade} = {seconds!r}: expected a grade from 1 to 4, and 60 seconds or more")
    return dict(table)
