"""The collector can stand in for a Prometheus: whatever a board asks, it evaluates itself."""

from __future__ import annotations

import pytest
from board_lint import expressions, query_variables, samples
from promql import without_macros

from collector.history.promql.parse import parse, parse_selector
from collector.rules.files import load_rules, rule_files, shipped_folders
from dashboards.boards import BOARDS

ASKED = {
    f"{board['uid']} {where}": without_macros(expr, samples(board))
    for board in (each.json() for each in BOARDS)
    for where, expr in expressions(board)
}


@pytest.mark.parametrize("expr", ASKED.values(), ids=ASKED)
def test_a_panel_asks_for_what_is_understood_here(expr: str) -> None:
    parse(expr)


def test_variables_ask_for_what_is_understood_here() -> None:
    for board in (each.json() for each in BOARDS):
        for variable in query_variables(board):
            selector = variable["query"]["query"].removeprefix("label_values(").rpartition(",")[0]
            parse_selector(without_macros(selector, samples(board)))


def test_recording_rules_are_evaluated_here() -> None:
    names = {rule.name for group in load_rules(rule_files(shipped_folders()[1])) for rule in group.rules}
    assert "instance:node_cpu_busy:ratio_rate5m" in names
