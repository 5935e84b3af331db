"""The whole way: signed reports into a collector process, its pages into a real Prometheus, every board expression."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dashboards"))

from board_prometheus import ask, board_queries, prometheus_over, variable_queries, wait_until, without_data
from reporting_collector import reporting

pytestmark = [pytest.mark.real, pytest.mark.slow]

NOT_YET = {
    "bongsu-noc panel 6 A",
}
"""Incidents, which the collector does not know yet; take a line out when it does."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("boards")
    with reporting(folder / "collector") as address, prometheus_over(address, folder / "prometheus") as url:
        yield url


def test_every_target_is_up(prometheus: str) -> None:
    def up() -> dict[str, str]:
        found = ask(prometheus, "targets", state="active")["activeTargets"]
        return {each["discoveredLabels"]["__metrics_path__"]: each["health"] for each in found}

    expected = dict.fromkeys(["/metrics", *(f"/metrics/sites/{site}" for site in ("abuja", "cairo", "local"))], "up")
    assert wait_until(lambda: up() == expected, 20), up()


def test_every_expression_finds_data(prometheus: str) -> None:
    wait_until(lambda: set(without_data(prometheus, board_queries())) <= NOT_YET, 30)
    assert set(without_data(prometheus, board_queries())) == NOT_YET


def test_every_variable_has_choices(prometheus: str) -> None:
    for where, (selector, label) in variable_queries().items():
        assert ask(prometheus, f"label/{label}/values", **{"match[]": selector}), where


def test_labels_are_the_registry_s(prometheus: str) -> None:
    stamped = {"agency": "mofa", "hub": "mea", "site": "abuja", "instance": "srv1.abuja"}
    (found,) = ask(prometheus, "query", query='node_load1{site="abuja"}')["result"]
    assert found["metric"] == {"__name__": "node_load1", "job": "node", **stamped}
    (direct,) = ask(prometheus, "query", query='node_load1{hub=""}')["result"]
    assert direct["metric"]["site"] == "local"
    assert ask(prometheus, "query", query='{__name__=~".+",exported_instance=~".+"}')["result"] == []


def test_who_never_reported_is_no_data(prometheus: str) -> None:
    (silent,) = ask(prometheus, "query", query='bongsu_site_state{site="cairo"}')["result"]
    assert silent["value"][1] == "2"
    (watched,) = ask(prometheus, "query", query='up{job="node",site="cairo"}')["result"]
    assert watched["value"][1] == "0"
