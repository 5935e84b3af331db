"""Every board keeps every rule, and every rule bites."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import board_lint
import collector_series
import pytest
import yaml
from board_lint import Known, panels
from host_series import HOST_LABELS, HOST_SERIES
from promql import output_labels, selectors

from agent.link.names import FLEET_METRICS
from dashboards import palette
from dashboards.boards import BOARDS
from dashboards.generate import JSON_DIR, rendered, write

RULES_FILE = Path(__file__).parents[2] / "dashboards" / "prometheus" / "rules.yaml"
BY_UID = {board.uid: board.json() for board in BOARDS}


def recorded() -> dict[str, str]:
    """Recorded name and its expression."""
    groups = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["groups"]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


@cache
def known() -> Known:
    labels = {name: frozenset(metric.labels) for name, metric in FLEET_METRICS.items()}
    for name, (_, sets) in HOST_SERIES.items():
        labels[name] = frozenset(HOST_LABELS).union(*sets)
    labels |= {name: own for name, own in collector_series.labels().items() if name not in labels}
    labels["ALERTS"] = frozenset({"alertname", "alertstate", "severity", *HOST_LABELS})
    labels |= {name: frozenset(output_labels(expr)) for name, expr in recorded().items()}
    variables = {uid: frozenset(each["name"] for each in board["templating"]["list"]) for uid, board in BY_UID.items()}
    return Known(labels, variables)


@pytest.mark.parametrize("rule", board_lint.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("uid", BY_UID)
def test_board_keeps_the_rule(uid: str, rule: Callable[..., Any]) -> None:
    assert list(rule(BY_UID[uid], known())) == []


def _first(board: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in panels(board) if each["type"] == kind)


def _expr(text: str) -> Callable[[dict[str, Any]], None]:
    def spoil(board: dict[str, Any]) -> None:
        _first(board, "timeseries")["targets"][0]["expr"] = text

    return spoil


S = 'agency=~"$agency",hub=~"$hub",site=~"$site"'
SPOILT: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("lint_identity", lambda b: b.update(id=7), "id must be null"),
    ("lint_identity", lambda b: b.update(uid="a" * 41), "uid"),
    ("lint_identity", lambda b: b.update(editable=True), "editable"),
    ("lint_identity", lambda b: b.update(schemaVersion=42), "schemaVersion"),
    ("lint_identity", lambda b: b.update(__inputs=[]), "__inputs"),
    ("lint_datasource", lambda b: b["templating"]["list"][0].update(label="Source"), "data source variable"),
    ("lint_datasource", lambda b: _first(b, "stat").update(datasource={"uid": "mine"}), "data source variable"),
    ("lint_variables", lambda b: b["templating"]["list"][1].update(refresh=1), "renewed"),
    ("lint_variables", lambda b: b["templating"]["list"][2].update(allValue=".+"), "All must be"),
    ("lint_variables", lambda b: b["templating"]["list"].pop(2), "in order"),
    ("lint_variables", lambda b: b["templating"]["list"][3]["query"].update(query="label_values(x, site)"), "no label"),
    ("lint_panels", lambda b: _first(b, "stat").update(description=" "), "description"),
    ("lint_panels", lambda b: _first(b, "stat")["fieldConfig"]["defaults"].update(unit="furlong"), "unit"),
    ("lint_panels", lambda b: _first(b, "stat").update(targets=[]), "asks nothing"),
    ("lint_panels", lambda b: _first(b, "table")["targets"][0].update(format="time_series"), "instant table"),
    ("lint_grid", lambda b: b["panels"][1].update(id=b["panels"][0]["id"]), "used 2 times"),
    ("lint_grid", lambda b: b["panels"][1].update(gridPos=b["panels"][0]["gridPos"]), "overlap"),
    ("lint_grid", lambda b: b["panels"][0].update(gridPos={"x": 22, "y": 90, "w": 3, "h": 1}), "24 columns"),
    ("lint_grid", lambda b: b["panels"].pop(1), "line 0 has a hole of 3 columns"),
    ("lint_metrics", _expr(f"bongsu_site_status{{{S}}}"), "nothing yields bongsu_site_status"),
    ("lint_metrics", _expr('bongsu_site_state{agency=~"$agency",hub=~"$hub"}'), "not filtered by $site"),
    ("lint_metrics", _expr(f'bongsu_site_state{{{S},region="x"}}'), "no label region"),
    ("lint_metrics", _expr('bongsu_site_state{agency=~"$agency",hub=~"$hub",site="seoul"}'), "not filtered by $site"),
    ("lint_rates", _expr(f"rate(bongsu_reports_total{{{S}}}[5m])"), "not [300s]"),
    ("lint_rates", _expr(f"sum(bongsu_reports_total{{{S}}})"), "outside rate"),
    ("lint_rates", _expr(f"increase(bongsu_reports_total{{{S}}}[30d])"), "recording rule"),
    ("lint_load", lambda b: b["panels"].extend([_first(b, "stat")] * 30), "at most 30"),
    ("lint_links", lambda b: _first(b, "stat")["fieldConfig"]["defaults"].update(links=[]), "nowhere"),
    ("lint_links", lambda b: _first(b, "stat")["fieldConfig"]["defaults"]["links"][0].update(url="/d/x?"), "no other"),
    (
        "lint_links",
        lambda b: _first(b, "stat")["fieldConfig"]["defaults"]["links"][0].update(url="/d/bongsu-host?var-site=a"),
        "time range",
    ),
    (
        "lint_colours",
        lambda b: _first(b, "stat")["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(color="red"),
        "red",
    ),
]


@pytest.mark.parametrize(("rule", "spoil", "says"), SPOILT, ids=[f"{rule}-{says}" for rule, _, says in SPOILT])
def test_rule_bites(rule: str, spoil: Callable[[dict[str, Any]], Any], says: str) -> None:
    board = copy.deepcopy(BY_UID["bongsu-noc"])
    spoil(board)
    assert says in "\n".join(getattr(board_lint, rule)(board, known()))


def test_titles_and_uids_are_unique() -> None:
    assert len(BY_UID) == len(BOARDS)
    assert len({board["title"] for board in BY_UID.values()}) == len(BOARDS)


def test_generated_json_is_committed() -> None:
    """Run `python -m dashboards` after changing a board, look at the diff, and commit it."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in JSON_DIR.glob("*.json")}
    stale = sorted(name for name in committed | rendered() if committed.get(name) != rendered().get(name))
    assert not stale, f"{stale} differ from their source: run `python -m dashboards`, look at the diff, commit it"


def test_writing_takes_away_only_boards_of_ours_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "bongsu-gone.json").write_text("{}")
    (tmp_path / "somebody.json").write_text("{}")
    assert write(tmp_path) == [*rendered(), "bongsu-gone.json"]
    assert write(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*rendered(), "somebody.json"])


def test_every_recorded_name_is_used_and_stands_on_known_metrics() -> None:
    everything = "".join(rendered().values())
    for name, expr in recorded().items():
        assert name in everything, f"{name} is recorded for nobody"
        level, metric, _ = name.split(":")
        assert metric
        assert level.replace("instance", "agency_hub_site_instance").split("_")[-1] in output_labels(expr)
        for one in selectors(expr):
            assert one.name in FLEET_METRICS or one.name in HOST_SERIES, f"{name} reads the unknown {one.name}"


def test_states_have_text_shape_and_colour_of_their_own() -> None:
    for meanings in (palette.STATES, palette.CHECK_STATES):
        assert [code for code, _, _ in meanings] == list(range(len(meanings)))
        assert len({text for _, text, _ in meanings}) == len({text[0] for _, text, _ in meanings}) == len(meanings)
        assert len({colour for _, _, colour in meanings}) == len(meanings)
