"""Drift is shown and nothing written; what was brought can be read back through Grafana; the wall is one of its playlists."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_server import TOKEN, Grafana, serving

from collector.cli import grafana as command
from dashboards.api import Found, diff, push
from dashboards.boards import BOARDS
from dashboards.door import PushSettings
from dashboards.verify import verify

PROMETHEUS = "http://prometheus:9090"
ONE = [{"metric": {}, "value": [0, "1"]}]


@pytest.fixture
def root() -> Iterator[Grafana]:
    with serving(Grafana()) as server:
        yield server


def settings(grafana: Grafana, **more: Any) -> PushSettings:
    return PushSettings(grafana.url, TOKEN, PROMETHEUS, timeout_seconds=5, backoff_seconds=0, **more)


def by_uid(found: list[Found]) -> dict[str, Found]:
    return {one.uid: one for one in found}


def test_before_a_push_all_is_missing_and_after_it_nothing_differs(root: Grafana) -> None:
    assert {one.state for one in diff(settings(root))} == {"missing"}
    assert root.writes == []
    push(settings(root))
    root.asked.clear()
    assert {one.state for one in diff(settings(root))} == {"same"}
    assert root.writes == []


def test_drift_is_named_place_by_place(root: Grafana) -> None:
    push(settings(root))
    noc, host = root.boards["bongsu-noc"]["dashboard"], root.boards["bongsu-host"]
    noc["panels"][0]["title"] = "Mine"
    noc["refresh"] = "5s"
    noc["panels"][1]["somebody"] = "'s own key"
    host["meta"]["folderUid"] = "elsewhere"
    root.boards["bongsu-self"]["meta"]["provisioned"] = True
    root.datasources["bongsu-prometheus"]["url"] = "http://other:9090"
    del root.boards["bongsu-site"]
    found = by_uid(diff(settings(root)))
    assert {uid: one.state for uid, one in found.items()} == {
        "bongsu": "same",
        "bongsu-prometheus": "differs",
        "bongsu-noc": "differs",
        "bongsu-site": "missing",
        "bongsu-host": "differs",
        "bongsu-systems": "same",
        "bongsu-self": "by file",
        "bongsu-wall": "same",
    }
    assert found["bongsu-noc"].details == (
        'refresh: is "5s", expected "30s"',
        'panels[0].title: is "Mine", expected "사이트 장애 / Sites down"',
    )
    assert found["bongsu-prometheus"].details == ('url: is "http://other:9090", expected "http://prometheus:9090"',)
    assert found["bongsu-host"].details == ("is in the folder 'elsewhere', expected 'bongsu'",)


@pytest.mark.parametrize("has_apis", [True, False], ids=["from 12 on", "before 12"])
def test_the_wall_is_made_once_and_put_right(root: Grafana, has_apis: bool) -> None:
    root.has_apis = has_apis
    push(settings(root))
    (held,) = root.playlists.values()
    spec = held["spec"] if has_apis else held
    assert [(item["type"], item["value"]) for item in spec["items"]] == [("dashboard_by_tag", "wall")]
    assert {change.action for change in push(settings(root))} == {"unchanged"}
    spec["interval"] = "9m"
    (change,) = [change for change in push(settings(root)) if change.action == "updated"]
    assert (change.kind, change.reason) == ("playlist", 'interval: is "9m", expected "1m"')
    assert {one.state for one in diff(settings(root))} == {"same"}
    assert len(root.playlists) == 1


def test_boards_of_the_wall_have_its_tag() -> None:
    assert sum("wall" in board.tags for board in BOARDS) == 3


def test_links_lead_to_the_pages_that_were_named(root: Grafana) -> None:
    push(settings(root, pages_url="https://bongsu.example/ops/"))
    held = json.dumps(root.boards)
    assert "https://bongsu.example/ops/sites/${__data.fields.site}" in held
    assert "127.0.0.1:8650" not in held


def test_an_agency_s_token_goes_in_once_and_again_when_it_is_another(root: Grafana) -> None:
    assert {c.action for c in push(settings(root, source_token="first"))} == {"created"}
    assert root.secrets == {"httpHeaderValue1": "Bearer first"}
    assert {c.action for c in push(settings(root, source_token="first"))} == {"unchanged"}
    (change,) = [c for c in push(settings(root, source_token="second")) if c.action == "updated"]
    assert change.kind == "datasource"
    assert root.secrets == {"httpHeaderValue1": "Bearer second"}
    assert "second" not in json.dumps(root.datasources)


def test_verify_asks_every_panel_through_grafana(root: Grafana) -> None:
    push(settings(root))
    root.asked.clear()
    root.answers = lambda expr: [] if "bongsu_hub_state" in expr or "bongsu_check_state" in expr else ONE
    found = verify(settings(root))
    assert root.writes == []
    assert not any(one.is_wrong for one in found)
    silent = {one.uid for one in found if one.result == "no data"}
    # A second query of a panel may answer for it, and tables of what fails are silent while all is well.
    assert silent == {"bongsu-noc/20", "bongsu-site/8", "bongsu-host/10"}
    assert sum("/datasources/proxy/" in path for _, path in root.asked) > 100


def test_verify_says_what_is_wrong(root: Grafana) -> None:
    found = {one.kind: one for one in verify(settings(root))}
    assert found["folder"].result == found["dashboard"].result == found["source"].result == "missing"
    push(settings(root))
    (source,) = [one for one in verify(settings(root)) if one.kind == "source"]
    assert source.result == "refused"
    assert "502" in source.reason
    root.answers = lambda _expr: []
    (source,) = [one for one in verify(settings(root)) if one.kind == "source"]
    assert "knows no collector" in source.reason


def run(grafana: Grafana, tmp_path: Path, way: str, *more: str) -> int:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    argv = ["grafana", way, "--url", grafana.url, "--token-file", str(token), "--datasource-url", PROMETHEUS, *more]
    return command.run(parser.parse_args(argv))


def test_commands_end_as_diff_does(root: Grafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root.answers = lambda _expr: ONE
    assert run(root, tmp_path, "diff") == run(root, tmp_path, "verify") == 1
    assert run(root, tmp_path, "push") == 0
    capsys.readouterr()
    assert run(root, tmp_path, "diff", "--json") == run(root, tmp_path, "verify") == 0
    root.boards["bongsu-noc"]["dashboard"]["refresh"] = "5s"
    assert run(root, tmp_path, "diff") == 1
    assert 'bongsu-noc: refresh: is "5s", expected "30s"' in capsys.readouterr().out
