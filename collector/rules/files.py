"""Rule files: read, checked and, where anything in them is not understood, refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from collector.errors import CollectorError, nearest
from collector.history.promql.parse import BadQuery, parse
from collector.history.promql.plan import SCALAR, VECTOR
from collector.rules.rule import Group, Rule
from collector.rules.template import BadTemplate, Template, read_template

METRIC_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
INTERVAL_MS = 60_000
"""Of groups that do not say theirs: Prometheus' own default."""
_ZERO = re.compile(r"0(?:ms|[smhdwy])?")
_GROUP_KEYS = ("name", "interval", "limit", "rules")
_RULE_KEYS = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")


class BadRules(CollectorError):
    """A rule file cannot be used; each line names file, group, rule and part."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_rules(paths: Iterable[Path], interval_ms: int = INTERVAL_MS) -> list[Group]:
    """The groups of several files. Raises BadRules with everything that is wrong with them."""
    groups: list[Group] = []
    problems: list[str] = []
    for path in paths:
        try:
            groups += read_rules(path.read_text("utf-8"), path.name, interval_ms)
        except (OSError, UnicodeDecodeError) as why:
            problems.append(f"{path}: cannot be read ({getattr(why, 'strerror', None) or why})")
        except BadRules as why:
            problems += why.problems
    names = [group.key for group in groups]
    problems += [f"{name}: two files of this name have this group" for name in {n for n in names if names.count(n) > 1}]
    if problems:
        raise BadRules(problems)
    return groups


def configured_rules(shipped: bool, folder: str) -> list[Group]:
    """The groups a collector evaluates. Raises BadRules."""
    files = [] if not shipped else [file for place in shipped_folders() for file in rule_files(place)]
    if folder:
        if not Path(folder).is_dir():
            raise BadRules([f"[rules] folder = {folder!r}: no such folder"])
        files += rule_files(Path(folder))
    return load_rules(files)


def shipped_folders() -> list[Path]:
    """Where the rules that come with us lie: what is wrong, and what the boards read."""
    import collector

    package = Path(collector.__file__).parent
    configs = next(place for place in (package / "configs", package.parent / "configs") if place.is_dir())
    return [configs / "rules", package.parent / "dashboards" / "prometheus"]


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder, in order of their names."""
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def read_rules(text: str, file: str, interval_ms: int = INTERVAL_MS) -> list[Group]:
    """The groups of one file's text. Raises BadRules."""
    document = read_yaml(text, file)
    reader = _Reader(file, interval_ms)
    groups = reader.groups(document)
    if reader.problems:
        raise BadRules(reader.problems)
    return groups


def read_yaml(text: str, file: str) -> Any:
    """A YAML document, every plain value as text. Raises BadRules."""
    try:
        return yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - the base loader makes nothing but texts
    except yaml.YAMLError as why:
        raise BadRules([f"{file}: not YAML: {why}"]) from why


def read_duration_ms(text: str) -> int:
    """Milliseconds of ``1h30m``. Raises ValueError."""
    if not text or _ZERO.fullmatch(text):
        return 0
    return round(promql.parse_duration(text).total_seconds() * 1000)


class _Reader:
    """One file: collects what is wrong instead of stopping at the first."""

    def __init__(self, file: str, interval_ms: int) -> None:
        self.file = file
        self.interval_ms = interval_ms
        self.problems: list[str] = []

    def groups(self, document: Any) -> list[Group]:
        if document in (None, ""):
            return []
        if not isinstance(document, dict) or set(document) - {"groups"} or not isinstance(document.get("groups"), list):
            self.problems.append(f"{self.file}: expected one key, groups, with a list of groups")
            return []
        found = [self.group(number, group) for number, group in enumerate(document["groups"], 1)]
        names = [group.name for group in found if group is not None]
        for name in {name for name in names if names.count(name) > 1}:
            self.problems.append(f'{self.file}: group "{name}": there are two of this name in the file')
        return [group for group in found if group is not None]

    def group(self, number: int, given: Any) -> Group | None:
        where = f"{self.file}: group {number}"
        if not isinstance(given, dict) or not isinstance(given.get("name"), str) or not given["name"]:
            self.problems.append(f"{where}: expected a name and rules")
            return None
        where = f'{self.file}: group "{given["name"]}"'
        self.check_keys(where, given, _GROUP_KEYS)
        interval_ms = self.duration(where, given, "interval") or self.interval_ms
        limit = given.get("limit", "0")
        if not limit.isdecimal():
            self.problems.append(f"{where}: limit {limit!r}: expected a whole number")
            limit = "0"
        rules = given.get("rules") or []
        if not isinstance(rules, list):
            self.problems.append(f"{where}: rules: expected a list")
            rules = []
        read = (self.rule(f"{where}, rule {at}", rule) for at, rule in enumerate(rules, 1))
        return Group(self.file, given["name"], interval_ms, tuple(rule for rule in read if rule), int(limit))

    def rule(self, where: str, given: Any) -> Rule | None:
        if not isinstance(given, dict) or bool(given.get("record")) == bool(given.get("alert")):
            self.problems.append(f"{where}: expected either record or alert")
            return None
        is_alert = bool(given.get("alert"))
        name = given["alert"] if is_alert else given["record"]
        where = f'{where} "{name}"'
        self.check_keys(where, given, _RULE_KEYS)
        if not is_alert:
            for key in ("for", "keep_firing_for", "annotations"):
                if key in given:
                    self.problems.append(f"{where}: {key} is for alerts, not for recording rules")
            if METRIC_NAME.fullmatch(name) is None:
                self.problems.append(f"{where}: record: expected a metric name")
        query = given.get("expr") or ""
        try:
            expr = parse(query)
            if expr.type not in (VECTOR, SCALAR):
                raise BadQuery(f"{expr.text}: expected an instant vector or a scalar")
        except BadQuery as why:
            self.problems.append(f"{where}: expr: {why}")
            return None
        return Rule(
            name,
            is_alert,
            query,
            expr,
            self.templates(where, given, "labels", LABEL_NAME),
            self.templates(where, given, "annotations", LABEL_NAME) if is_alert else {},
            self.duration(where, given, "for"),
            self.duration(where, given, "keep_firing_for"),
        )

    def templates(self, where: str, given: Mapping[str, Any], key: str, names: re.Pattern[str]) -> dict[str, Template]:
        found: dict[str, Template] = {}
        texts = given.get(key) or {}
        if not isinstance(texts, dict):
            self.problems.append(f"{where}: {key}: expected names and texts")
            return found
        for name, text in texts.items():
            if names.fullmatch(name) is None or name == "__name__":
                self.problems.append(f"{where}: {key}: {name!r}: expected a label name")
            elif not isinstance(text, str):
                self.problems.append(f"{where}: {key}: {name}: expected a text")
            else:
                try:
                    found[name] = read_template(text)
                except BadTemplate as why:
                    self.problems.append(f"{where}: {key}: {name}: {why}")
        return found

    def duration(self, where: str, given: Mapping[str, Any], key: str) -> int:
        text = given.get(key, "")
        try:
            return read_duration_ms(text)
        except (ValueError, OverflowError, TypeError):
            self.problems.append(f"{where}: {key} {text!r}: expected a duration such as 5m or 1h30m")
            return 0

    def check_keys(self, where: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in given:
            if key not in known:
                self.problems.append(f"{where}: {key}: unknown key; {nearest(key, known)}")
