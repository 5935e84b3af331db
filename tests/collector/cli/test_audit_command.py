"""``bongsu audit``: what commands changed is in the log, and what was done to the log is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from collector.access.tables import audit_log
from collector.cli import main
from collector.store.engine import Store

ROSTERS = """
[[people]]
id = "kim"
name_ko = "김하늘"
contacts = [{ channel = "sms", address = "010-1234-5678" }]
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("BONGSU_DATA", "BONGSU_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "password").write_text("a rather long password\n")
    folder = tmp_path / "data"
    assert main(["init", "--data", str(folder), "--admin-password-file", str(tmp_path / "password")]) == 0
    monkeypatch.setenv("BONGSU_DATA", str(folder))
    return folder


def said(capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert main(list(argv)) == status
    found = capsys.readouterr()
    return found.out, found.err


def test_what_commands_change_is_in_the_log_without_addresses(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rosters.toml"
    file.write_text(ROSTERS)
    said(capsys, "apply", str(file))
    said(capsys, "apply", str(file), "--dry-run")
    said(capsys, "user", "add", "lee", "--generate", "--role", "noc_operator")
    said(capsys, "api-token", "create", "grafana")
    said(capsys, "api-token", "revoke", "grafana")
    token = json.loads(said(capsys, "token", "create", "--site", "local", "--json")[0])
    assert token["site"] == "local"
    out, _ = said(capsys, "audit", "list", "--json")
    rows: list[dict[str, Any]] = json.loads(out)
    assert [(row["action"], row["subject"]) for row in reversed(rows)] == [
        ("user.add", "admin"),
        ("config.apply", "rosters.toml"),
        ("user.add", "lee"),
        ("api_token.create", "grafana"),
        ("api_token.revoke", "grafana"),
        ("token.create", "local"),
    ]
    assert {row["actor"].partition(":")[0] for row in rows} == {"cli"}
    assert "1234" not in out
    made = tmp_path / "audit.csv"
    said(capsys, "audit", "export", str(made), "--what", "user")
    with made.open(encoding="utf-8", newline="") as lines:
        assert [row["subject"] for row in csv.DictReader(lines)] == ["admin", "lee"]
    assert "export.audit" in said(capsys, "audit", "list", "--what", "export")[0]
    refused = said(capsys, "user", "add", "choi", "--generate", "--role", "site_admin", status=1)[1]
    assert "expected whose, with --site" in refused


def test_verify_names_what_was_done(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        said(capsys, "api-token", "create", name)
    out, _ = said(capsys, "audit", "verify")
    assert "whole up to row 4" in out
    printed = out.rsplit(": ", 1)[1].strip()
    said(capsys, "audit", "verify", "--head", printed)
    store = Store(f"sqlite:///{data}/bongsu.db")
    with store.transaction() as connection:
        connection.execute(update(audit_log).where(audit_log.c.seq == 2).values(actor="nobody"))
    store.close()
    assert "row 2 was edited" in said(capsys, "audit", "verify", status=1)[1]
    store = Store(f"sqlite:///{data}/bongsu.db")
    with store.transaction() as connection:
        connection.execute(delete(audit_log).where(audit_log.c.seq == 3))
    store.close()
    found = json.loads(said(capsys, "audit", "verify", "--json", status=1)[0])["faults"]
    assert [(fault["what"], fault["seq"]) for fault in found] == [("edited", 2), ("missing", 3)]
    assert "--head '7'" in said(capsys, "audit", "verify", "--head", "7", status=1)[1]
