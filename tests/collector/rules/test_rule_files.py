"""Rule files: what is read, and in which words the rest is refused: file, group, rule and part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.alerts.beat import ALERT_NAME as BEAT_DOWN
from collector.alerts.outward import trouble
from collector.incidents.handed import CENTRE_UNREACHABLE
from collector.pages.desk import HOLE, UNWATCHED
from collector.pages.watch import CHANNEL_FAILING
from collector.rules.files import BadRules, configured_rules, load_rules, read_rules, rule_files, shipped_folders
from collector.verdicts.factors import RANKS
from collector.verdicts.past import KINDS

GOOD = """
groups:
  - name: one
    interval: 30s
    limit: 10
    rules:
      - record: site:up:sum
        expr: sum by (site) (up)
        labels: {level: site}
      - alert: Down
        expr: up == 0
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.site }} is {{ $value | humanize }}"}
  - name: two
    rules: []
"""


def test_a_file_is_read() -> None:
    one, two = read_rules(GOOD, "a.yaml", interval_ms=15_000)
    assert (one.key, one.interval_ms, one.limit, two.interval_ms) == ("a.yaml;one", 30_000, 10, 15_000)
    recording, alerting = one.rules
    assert (recording.name, recording.is_alert, alerting.is_alert) == ("site:up:sum", False, True)
    assert (alerting.for_ms, alerting.keep_firing_for_ms) == (5_400_000, 300_000)
    assert alerting.annotations["summary"].write({"site": "abuja"}, 2000.0) == "abuja is 2k"


def in_rule(text: str) -> str:
    return f"groups:\n- name: g\n  rules:\n  - {text}\n"


REFUSED = [
    ("groups: [", "not YAML"),
    ("rules: []", "expected one key, groups"),
    ("groups: {a: 1}", "expected one key, groups"),
    ("groups:\n- rules: []\n", "group 1: expected a name and rules"),
    ("groups:\n- {name: g}\n- {name: g}\n", 'group "g": there are two of this name'),
    ("groups:\n- {name: g, intervall: 1m}\n", "group \"g\": intervall: unknown key; did you mean 'interval'?"),
    ("groups:\n- {name: g, interval: soon}\n", "group \"g\": interval 'soon': expected a duration"),
    ("groups:\n- {name: g, limit: many}\n", "limit 'many': expected a whole number"),
    (in_rule("{expr: up}"), 'group "g", rule 1: expected either record or alert'),
    (in_rule("{record: a, alert: b, expr: up}"), "expected either record or alert"),
    (in_rule("{record: a-b, expr: up}"), 'rule 1 "a-b": record: expected a metric name'),
    (in_rule("{record: a, expr: up, for: 1m}"), "for is for alerts"),
    (in_rule("{alert: A, expr: ''}"), 'rule 1 "A": expr: unknown position: parse error'),
    (in_rule("{alert: A, expr: 'up['}"), 'rule 1 "A": expr: parse error'),
    (in_rule("{alert: A, expr: 'up[5m]'}"), "up[5m]: expected an instant vector or a scalar"),
    (in_rule("{alert: A, expr: 'sum(deriv(x[5m])) > 1'}"), 'rule 1 "A": expr: not understood here: deriv(x[5m]): '),
    (in_rule("{alert: A, expr: 'up @ 5'}"), "not understood here: up @ 5.000: @ "),
    (in_rule("{alert: A, expr: up, for: long}"), "for 'long': expected a duration"),
    (in_rule("{alert: A, expr: up, labels: {a-b: c}}"), "labels: 'a-b': expected a label name"),
    (in_rule("{alert: A, expr: up, labels: {__name__: c}}"), "labels: '__name__': expected a label name"),
    (in_rule("{alert: A, expr: up, labels: [1]}"), "labels: expected names and texts"),
    (in_rule("{alert: A, expr: up, annotations: {s: '{{ $value'}}"), "annotations: s: '{{ $value': expected a closing"),
    (
        in_rule("{alert: A, expr: up, annotations: {s: '{{ if $value }}x{{ end }}'}}"),
        "annotations: s: {{ if $value }}: if: not",
    ),
    (in_rule("{alert: A, expr: up, annotations: {s: '{{ query \"up\" }}'}}"), "query: not understood here"),
    (in_rule("{alert: A, expr: up, sevrity: x}"), "sevrity: unknown key"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[row[1][:40] for row in REFUSED])
def test_what_is_not_understood_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(BadRules) as why:
        read_rules(text, "bad.yaml")
    assert said in str(why.value)
    assert all(line.startswith("bad.yaml: ") for line in why.value.problems)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(in_rule("{alert: A, expr: 'stddev(up)'}"))
    (tmp_path / "b.yaml").write_text(in_rule("{record: b, expr: 'up', for: 1m}"))
    with pytest.raises(BadRules) as why:
        load_rules([tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "gone.yaml"])
    assert [problem.split(": ")[0] for problem in why.value.problems] == [
        "a.yaml",
        "b.yaml",
        str(tmp_path / "gone.yaml"),
    ]


def test_a_folder_of_ones_own_stands_beside_what_is_shipped(tmp_path: Path) -> None:
    shipped = configured_rules(shipped=True, folder="")
    assert {group.name for group in shipped} >= {"bongsu-links", "bongsu-hosts", "bongsu-boards"}
    assert configured_rules(shipped=False, folder="") == []
    (tmp_path / "own.yaml").write_text(GOOD)
    assert len(configured_rules(shipped=True, folder=str(tmp_path))) == len(shipped) + 2
    with pytest.raises(BadRules, match="no such folder"):
        configured_rules(shipped=False, folder=str(tmp_path / "gone"))


# ---------------------------------------------------------------- what is shipped

ALERTS = [rule for group in load_rules(rule_files(shipped_folders()[0])) for rule in group.rules if rule.is_alert]
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
HEADINGS = {"": ["What happened", "Likely cause", "Next action"], ".ko": ["발생한 일", "추정 원인", "다음 조치"]}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.name)
def test_a_shipped_alert_says_what_happened_why_and_what_to_do(rule) -> None:  # type: ignore[no-untyped-def]
    words = {f"{name}{language}" for name in ("summary", "cause", "action") for language in ("", "_ko")}
    assert set(rule.annotations) == words | {"runbook_url"}
    assert rule.labels["severity"].source in ("critical", "warning", "info", "none")
    assert rule.annotations["runbook_url"].source == f"/runbooks/{rule.name}"
    for language, headings in HEADINGS.items():
        text = (RUNBOOKS / f"{rule.name}{language}.md").read_text("utf-8")
        assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == headings


OWN = {trouble(kind) for kind in (*KINDS, *RANKS, "collector")} | {
    BEAT_DOWN,
    CENTRE_UNREACHABLE,
    HOLE,
    UNWATCHED,
    CHANNEL_FAILING,
}
"""What the collector says by itself, without a rule."""


@pytest.mark.parametrize("name", sorted(OWN))
def test_what_the_collector_says_by_itself_has_a_runbook_too(name: str) -> None:
    for language, headings in HEADINGS.items():
        text = (RUNBOOKS / f"{name}{language}.md").read_text("utf-8")
        assert text.startswith(f"# {name}\n")
        assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == headings


def test_no_alert_of_our_own_is_missing_above() -> None:
    """Wherever a part of the collector names an alert, its name is one of those."""
    sources = [
        path.read_text("utf-8")
        for path in (RUNBOOKS.parents[1] / "collector").rglob("*.py")
        if path.name != "unit_tests.py"
    ]
    named = {name for text in sources for name in re.findall(r'"alertname": ([A-Za-z_.]+(?=[,(}]))', text)}
    assert named == {"ALERT_NAME", "CENTRE_UNREACHABLE", "CHANNEL_FAILING", "HOLE", "UNWATCHED", "rule.name", "trouble"}


def test_no_runbook_is_left_over() -> None:
    assert {path.name.split(".")[0] for path in RUNBOOKS.iterdir()} == {rule.name for rule in ALERTS} | OWN
