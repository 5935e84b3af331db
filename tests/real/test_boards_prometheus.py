"""Our Prometheus configuration, rules and every expression of every board, in the real programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from real import require

sys.path.insert(0, str(Path(__file__).parents[1] / "dashboards"))

import fleet_exposition
from board_prometheus import (
    CONFIG,
    RULES,
    ask,
    board_queries,
    prometheus_over,
    usually_empty,
    variable_queries,
    wait_until,
    without_data,
)

pytestmark = [pytest.mark.real, pytest.mark.slow]


def promtool(*argv: str, told: str = "") -> str:
    ran = subprocess.run([require("promtool"), *argv], input=told, text=True, capture_output=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_promtool_takes_the_configuration() -> None:
    said = promtool("check", "config", str(CONFIG))
    assert "9 rule files found" in said, "the boards' recording rules, and the shipped alerts"
    assert said.count("SUCCESS") == 11


def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_rules_give_what_they_say() -> None:
    promtool("test", "rules", str(Path(__file__).parents[1] / "dashboards" / "rules_test.yaml"))


def test_promtool_finds_nothing_against_the_fleet_series() -> None:
    said = promtool("check", "metrics", told=fleet_exposition.overview(0))
    site = fleet_exposition.SITES[0]
    text = fleet_exposition.site_page(site, 0).partition("# TYPE up")[0]
    assert said + promtool("check", "metrics", told=text) == ""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # Beside a running collector: test_boards_collector.py.
    with fleet_exposition.serving() as address, prometheus_over(address, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


def test_every_target_is_up(prometheus: str) -> None:
    expected = 1 + len(fleet_exposition.SITES)

    def up() -> list[str]:
        return [each["health"] for each in ask(prometheus, "targets", state="active")["activeTargets"]]

    assert wait_until(lambda: up() == ["up"] * expected, 20), up()


def test_labels_arrive_as_stamped(prometheus: str) -> None:
    query = 'up{job="node",site="abuja"}'
    assert wait_until(lambda: ask(prometheus, "query", query=query)["result"], 20)
    (found,) = ask(prometheus, "query", query=query)["result"]
    stamped = {"agency": "mofa", "hub": "emea", "site": "abuja", "instance": "srv1.abuja", "job": "node"}
    assert found["metric"] == {"__name__": "up", **stamped}
    assert ask(prometheus, "query", query='{__name__=~".+",exported_instance=~".+"}')["result"] == []


def test_every_expression_parses(prometheus: str) -> None:
    for expr in board_queries().values():
        assert ask(prometheus, "format_query", query=expr)


def test_every_expression_finds_data(prometheus: str) -> None:
    empty = usually_empty()
    wait_until(lambda: not set(without_data(prometheus, board_queries())) - empty, 30)
    assert set(without_data(prometheus, board_queries())) <= empty


def test_every_variable_has_choices(prometheus: str) -> None:
    for where, (selector, label) in variable_queries().items():
        found = ask(prometheus, f"label/{label}/values", **{"match[]": selector})
        assert found, where
        if label == "site":
            assert found == sorted(site.site for site in fleet_exposition.SITES), f"{where} hides a site"


def test_counts_tell_the_states_apart(prometheus: str) -> None:
    """One site in each state, among them one without a hub, which All must not hide."""
    queries = board_queries()
    for panel in range(1, 5):
        (found,) = ask(prometheus, "query", query=queries[f"bongsu-noc panel {panel} A"])["result"]
        assert found["value"][1] == "1"
