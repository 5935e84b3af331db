"""Prometheus' unit-test files of rules: read by us, and with the same outcome by promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from real import require

from collector.cli import main
from collector.history.promql.parse import BadQuery
from collector.rules.files import BadRules
from collector.rules.unit_tests import read_series, read_values, run_test_file

CONFIGS = Path(__file__).parents[3] / "configs" / "rules"
DASHBOARDS = Path(__file__).parents[3] / "dashboards" / "prometheus"
SHIPPED = sorted((CONFIGS / "tests").glob("*.yaml"))
RULES = """
groups:
- name: g
  rules:
  - record: site:up:sum
    expr: sum by (site) (up)
  - alert: Down
    expr: site:up:sum == 0
    for: 2m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.site }} has {{ $value }}"}
  - alert: Flaps
    expr: changes(up[10m]) > 3
    keep_firing_for: 5m
  - alert: Told
    expr: ALERTS{alertname="Down", alertstate="firing"}
"""
TESTS = """
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
- interval: 1m
  name: a site goes
  input_series:
  - {series: 'up{site="a",host="1"}', values: '1x3 0x10'}
  - {series: 'up{site="a",host="2"}', values: '1 1 1 1 _x2 stale'}
  - {series: 'up{site="b",host="1"}', values: '1 0 1 0 1 0 1 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1'}
  alert_rule_test:
  - {eval_time: 5m, alertname: Down}
  - eval_time: 9m
    alertname: Down
    exp_alerts:
    - exp_labels: {site: a, severity: critical}
      exp_annotations: {summary: "a has 0"}
  - eval_time: 9m
    alertname: Told
    exp_alerts:
    - exp_labels: {site: a, severity: critical, alertstate: firing}
  - eval_time: 7m
    alertname: Flaps
    exp_alerts:
    - exp_labels: {site: b, host: "1"}
  - eval_time: 18m
    alertname: Flaps
    exp_alerts:
    - exp_labels: {site: b, host: "1"}
  - {eval_time: 25m, alertname: Flaps}
  promql_expr_test:
  - expr: site:up:sum
    eval_time: 5m
    exp_samples:
    - {labels: 'site:up:sum{site="a"}', value: 1}
    - {labels: 'site:up:sum{site="b"}', value: 0}
  - expr: count(up) + 0.5
    eval_time: 7m
    exp_samples: [{labels: '{}', value: 2.5}]
  - {expr: nothing, eval_time: 1m}
"""
BROKEN = [
    ('exp_annotations: {summary: "a has 0"}', 'exp_annotations: {summary: "a has 1"}', "Down at 9m"),
    ("{eval_time: 5m, alertname: Down}", "{eval_time: 8m, alertname: Down}", "Down at 8m"),
    ("value: 2.5}", "value: 3.5}", "count(up) + 0.5 at 7m"),
    ("{expr: nothing, eval_time: 1m}", "{expr: up, eval_time: 1m}", "up at 1m"),
    ("exp_labels: {site: a, severity: critical}\n", "exp_labels: {site: a}\n", "Down at 9m"),
]


def written(folder: Path, tests: str = TESTS) -> Path:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "tests.yaml").write_text(tests)
    return folder / "tests.yaml"


def promtool(*words: object) -> int:
    done = subprocess.run([require("promtool"), *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode


def test_a_file_that_holds(tmp_path: Path) -> None:
    assert run_test_file(written(tmp_path)) == []


@pytest.mark.parametrize(("right", "wrong", "said"), BROKEN, ids=[row[2] for row in BROKEN])
def test_a_file_that_does_not(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert TESTS.count(right) == 1
    (problem,) = run_test_file(written(tmp_path, TESTS.replace(right, wrong)))
    assert problem.startswith("tests.yaml: a site goes: " + said)
    assert "expected" in problem


@pytest.mark.slow
@pytest.mark.real
def test_promtool_says_the_same(tmp_path: Path) -> None:
    require("promtool")
    assert promtool("test", "rules", written(tmp_path)) == 0
    for right, wrong, _ in BROKEN:
        assert promtool("test", "rules", written(tmp_path, TESTS.replace(right, wrong))) == 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_rules_hold_in_our_evaluator(path: Path) -> None:
    assert run_test_file(path) == []


@pytest.mark.real
def test_shipped_rules_hold_in_promtool() -> None:
    assert promtool("check", "rules", *CONFIGS.glob("*.yaml"), *DASHBOARDS.glob("*.yaml")) == 0
    assert promtool("test", "rules", *SHIPPED) == 0


def test_every_shipped_alert_is_tested() -> None:
    for path in CONFIGS.glob("*.yaml"):
        names = [line.split(": ")[1] for line in path.read_text().splitlines() if line.startswith("      - alert: ")]
        tests = (CONFIGS / "tests" / path.name).read_text()
        assert [name for name in names if f"alertname: {name}\n" not in tests] == []


def test_boards_recording_rules_hold_here_too() -> None:
    assert run_test_file(Path(__file__).parents[2] / "dashboards" / "rules_test.yaml") == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2", [(0, 1.0), (1, 2.0)]),
        ("0+10x3", [(0, 0.0), (1, 10.0), (2, 20.0), (3, 30.0)]),
        ("5-1x2 stale", [(0, 5.0), (1, 4.0), (2, 3.0), (3, None)]),
        ("_ 1 _x3 2", [(1, 1.0), (5, 2.0)]),
        ("-2x1", [(0, -2.0), (1, -2.0)]),
        ("-1.5e1+0.5x1", [(0, -15.0), (1, -14.5)]),
    ],
)
def test_values_in_a_row(text: str, values: list[tuple[int, float | None]]) -> None:
    assert read_values(text) == values


def test_series_of_a_test() -> None:
    assert read_series('up{b="2",a="1"}') == (("__name__", "up"), ("a", "1"), ("b", "2"))
    assert read_series("{}") == ()
    for wrong in ('up{a!="1"}', "sum(up)", "up[5m]"):
        with pytest.raises(BadQuery):
            read_series(wrong)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for text in ("[]", "rule_files: [gone.yaml]\ntests: []", "rule_files: []\nevaluation_interval: soon\n"):
        (tmp_path / "t.yaml").write_text(text)
        with pytest.raises(BadRules):
            run_test_file(tmp_path / "t.yaml")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    assert main(["rules", "test", str(path)]) == 0
    assert main(["rules", "check", str(tmp_path / "rules.yaml")]) == 0
    assert "4 rules in 1 groups" in capsys.readouterr().out
    path.write_text(TESTS.replace("value: 2.5}", "value: 3.5}"))
    assert main(["rules", "test", str(path)]) == 1
    (tmp_path / "rules.yaml").write_text(RULES.replace("changes(", "stddev_over_time("))
    assert main(["rules", "check", str(tmp_path / "rules.yaml")]) == 1
    assert 'rule 3 "Flaps": expr: not understood here: stddev_over_time(up[10m])' in capsys.readouterr().err
