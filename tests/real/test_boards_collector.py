"""The whole way: signed reports into a collector process, its pages into a real Prometheus, every board expression."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dashboards"))

from board_prometheus import (
    ask,
    board_queries,
    prometheus_over,
    usually_empty,
    variable_queries,
    wait_until,
    without_data,
)
from real import require
from reporting_collector import reporting

pytestmark = [pytest.mark.real, pytest.mark.slow]

NOT_HERE = {
    *("bongsu-noc panel 19 A", "bongsu-noc panel 21 A"),
    *(f"bongsu-site panel {panel}" for panel in ("9 A", "14 B", "22 A", "23 A", "24 A", "25 A", "38 A", "39 A")),
    *(f"bongsu-self panel {panel}" for panel in ("9 A", "11 A", "30 A", "35 A")),
}
"""What this small fleet lacks: links, systems, channels, rosters, an hour that was judged. The demonstration has them."""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with reporting(tmp_path_factory.mktemp("collector") / "collector") as address:
        yield address


@pytest.fixture(scope="module")
def prometheus(collector: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_over(collector, tmp_path_factory.mktemp("boards") / "prometheus") as url:
        yield url


def test_every_target_is_up(prometheus: str) -> None:
    def up() -> dict[str, str]:
        found = ask(prometheus, "targets", state="active")["activeTargets"]
        return {each["discoveredLabels"]["__metrics_path__"]: each["health"] for each in found}

    expected = dict.fromkeys(["/metrics", *(f"/metrics/sites/{site}" for site in ("abuja", "cairo", "local"))], "up")
    assert wait_until(lambda: up() == expected, 20), up()


def test_every_expression_finds_data(prometheus: str) -> None:
    def missing() -> set[str]:
        empty = set(without_data(prometheus, board_queries())) - usually_empty()
        return {where for where in empty if not where.startswith("bongsu-systems")}

    wait_until(lambda: missing() <= NOT_HERE, 30)
    assert missing() == NOT_HERE


def test_every_variable_has_choices(prometheus: str) -> None:
    for where, (selector, label) in variable_queries().items():
        if label in ("grade", "system"):
            continue  # no systems here; the demonstration has them
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


def complaints(address: str, path: str) -> list[str]:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        text = answer.read()
    checked = subprocess.run([require("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert checked.returncode in (0, 3), checked.stderr  # 1: it is no exposition
    assert b"bongsu_" in text
    return (checked.stdout + checked.stderr).decode().splitlines()


def test_promtool_has_nothing_to_say_of_the_collector_s_own_page(collector: str) -> None:
    assert complaints(collector, "/metrics") == []


def test_promtool_finds_nothing_in_a_site_s_page_that_is_ours_to_name(collector: str) -> None:
    def is_there() -> bool:
        with urllib.request.urlopen(f"http://{collector}/metrics/sites/abuja", timeout=10) as answer:
            text = answer.read()
        return all(name in text for name in (b"\nagent_info{", b"\nprobe_success{", b"\nnetwork_ups_tools_ups_load{"))

    assert wait_until(is_there, 20)
    ours = [line for line in complaints(collector, "/metrics/sites/abuja") if not line.startswith("node_")]
    assert ours == [], "names and words of node_* are node_exporter's"
