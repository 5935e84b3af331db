"""The folder a real Grafana can mount."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import yaml

from collector.cli import grafana as command
from collector.errors import UsageError
from dashboards.board import DATASOURCE_NAME, DATASOURCE_UID, FOLDER_TITLE, FOLDER_UID
from dashboards.boards import BOARDS
from dashboards.files import SHIPPED_BOARDS_PATH, SOURCE, tree, write_tree


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    return command.run(parser.parse_args(["grafana", "files", *argv]))


def write(folder: Path, boards_path: str = "", datasource_url: str = "http://127.0.0.1:9090") -> list[str]:
    return write_tree(folder, tree(boards_path or str(folder / "dashboards"), datasource_url, "global: {}\n"))


def test_tree_points_at_itself_and_at_the_given_prometheus(tmp_path: Path) -> None:
    write(tmp_path, datasource_url="http://p$1:9090")
    (source,) = yaml.safe_load((tmp_path / "provisioning/datasources/bongsu.yaml").read_text())["datasources"]
    assert source["url"] == "http://p$$1:9090"
    assert (source["uid"], source["name"]) == (DATASOURCE_UID, DATASOURCE_NAME)
    assert source["jsonData"]["timeInterval"] == "15s"
    assert source["jsonData"]["httpMethod"] == "POST"
    (provider,) = yaml.safe_load((tmp_path / "provisioning/dashboards/bongsu.yaml").read_text())["providers"]
    assert (provider["folderUid"], provider["folder"]) == (FOLDER_UID, FOLDER_TITLE)
    assert provider["allowUiUpdates"] is False
    boards = Path(provider["options"]["path"])
    assert {json.loads(path.read_text())["uid"] for path in boards.glob("*.json")} == {board.uid for board in BOARDS}


def test_writing_again_changes_nothing_and_leaves_strangers(tmp_path: Path) -> None:
    assert write(tmp_path) == list(tree("", "", ""))
    (tmp_path / "dashboards" / "own.json").write_text("{}")
    assert write(tmp_path) == []
    assert (tmp_path / "dashboards" / "own.json").exists()


def test_mounted_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, boards_path="/etc/grafana/bongsu: boards")
    provider = yaml.safe_load((tmp_path / "provisioning/dashboards/bongsu.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] == "/etc/grafana/bongsu: boards"


def test_shipped_yaml_has_no_environment_holes() -> None:
    """Grafana puts environment variables where a dollar stands; comments may have one."""
    for path in (SOURCE / "grafana" / "provisioning").rglob("*.yaml"):
        assert "$" not in str(yaml.safe_load(path.read_text(encoding="utf-8"))), path


def test_scrape_interval_is_what_grafana_is_told() -> None:
    prometheus = Path(__file__).parents[2] / "configs" / "prometheus" / "prometheus.yml"
    assert yaml.safe_load(prometheus.read_text(encoding="utf-8"))["global"]["scrape_interval"] == "15s"


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "g"), "--json") == 0
    assert {item["action"] for item in json.loads(capsys.readouterr().out)} == {"written"}
    assert run(str(tmp_path / "g")) == 0
    assert "written" not in capsys.readouterr().out
    config = tmp_path / "g" / "prometheus" / "prometheus.yml"
    (rules,) = yaml.safe_load(config.read_text(encoding="utf-8"))["rule_files"]
    assert list(config.parent.glob(rules)), "the configuration finds the rules beside itself"
    (tmp_path / "file").write_text("")
    assert run(str(tmp_path / "file")) == 1
    assert "cannot write" in capsys.readouterr().err


def test_an_agency_has_files_of_its_own_beside_the_others(tmp_path: Path) -> None:
    boards, secret = str(tmp_path / "dashboards"), "/etc/grafana/secrets/for.token"
    assert run(str(tmp_path)) == 0
    argv = ("--agency", "for", "--org-id", "7", "--datasource-url", "https://bongsu.example")
    assert run(str(tmp_path), *argv, "--source-token-file", secret) == 0
    (source,) = yaml.safe_load((tmp_path / "provisioning/datasources/bongsu-for.yaml").read_text())["datasources"]
    assert (source["orgId"], source["url"], source["uid"]) == (7, "https://bongsu.example", DATASOURCE_UID)
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    assert source["jsonData"]["httpMethod"] == "POST"
    assert source["secureJsonData"] == {"httpHeaderValue1": f"Bearer $__file{{{secret}}}"}
    (provider,) = yaml.safe_load((tmp_path / "provisioning/dashboards/bongsu-for.yaml").read_text())["providers"]
    assert (provider["orgId"], provider["name"], provider["options"]["path"]) == (7, "bongsu-for", boards)
    (first,) = yaml.safe_load((tmp_path / "provisioning/dashboards/bongsu.yaml").read_text())["providers"]
    assert (first["orgId"], first["name"]) == (1, "bongsu")


def test_an_agency_needs_a_source_and_its_token(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--source-token-file"):
        run(str(tmp_path), "--agency", "for", "--datasource-url", "https://bongsu.example")


def test_compose_mounts_what_is_written_there(tmp_path: Path) -> None:
    assert run(str(tmp_path), "--boards-path", SHIPPED_BOARDS_PATH) == 0
    compose = yaml.safe_load((tmp_path / "compose.yaml").read_text())
    places = dict(
        mount.split(":")[:2]
        for service in compose["services"].values()
        for mount in service["volumes"]
        if mount[0] == "."
    )
    assert places == {
        "./prometheus": "/etc/prometheus",
        "./provisioning": "/etc/grafana/provisioning",
        "./dashboards": SHIPPED_BOARDS_PATH,
    }
    assert all((tmp_path / place).is_dir() for place in places)
    assert (tmp_path / "prometheus" / "prometheus.yml").is_file()
    provider = yaml.safe_load((tmp_path / "provisioning/dashboards/bongsu.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] == SHIPPED_BOARDS_PATH
    for service in compose["services"].values():
        assert service["network_mode"] == "host", "the collector listens on this machine's loopback"


def test_pages_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    assert run(str(tmp_path), "--pages-url", "https://bongsu.example") == 0
    text = (tmp_path / "dashboards" / "bongsu-noc.json").read_text()
    assert "https://bongsu.example/sites/" in text
    assert "127.0.0.1:8650" not in text
