"""``bongsu sites`` and ``bongsu hosts`` by SSH at night: how everything stands by rows alone, with no collector running."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from agent.link.clock import SystemClock
from collector.cli import main
from collector.fleet.tables import agents, hosts
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.log.queries import NewEnvelope, add_envelopes
from collector.log.tables import positions
from collector.store.engine import Store
from collector.store.migrate import upgrade
from collector.store.schema import instant
from collector.verdicts.queries import add_changes
from collector.verdicts.standing import Change

TOPOLOGY = """
[[agencies]]
id = "mofa"
[[sites]]
id = "abuja"
agency = "mofa"
timezone = "Africa/Lagos"
[[sites]]
id = "baku"
agency = "mofa"
timezone = "Asia/Baku"
[[hosts]]
name = "gate"
site = "baku"
"""
SINCE_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two agents at abuja; the one of db1 reported when the last checkpoint was written, the one of srv1 since."""
    now_ms, folder = SystemClock().wall_ms(), tmp_path_factory.mktemp("data")
    store = Store(f"sqlite:///{folder}/bongsu.db")
    upgrade(store)
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
        for number, name in enumerate(("srv1", "db1"), 1):
            agent, at = bytes([number]) * 16, instant(SINCE_MS)
            row = {"id": agent, "site": "abuja", "host": f"{name}.abuja", "status": "active"}
            connection.execute(insert(agents).values(**row, enrolled_at=at, status_at=at))
            row = {"id": f"{name}.abuja", "name": name, "site": "abuja", "agency": "mofa", "managed_by": "enrolment"}
            connection.execute(insert(hosts).values(**row, agent_id=agent))
            saved = {"held": b"", "lost": b"", "first_received_at_ms": SINCE_MS}
            connection.execute(
                insert(positions).values(
                    agent_id=agent, epoch=b"e" * 8, **saved, last_received_at_ms=SINCE_MS + number * 60_000
                )
            )
        add_envelopes(connection, [NewEnvelope(b"\1" * 16, b"e" * 8, 1, 1, now_ms, b"", b"", False)])
        add_changes(
            connection,
            [
                Change("site", "abuja", None, 3, SINCE_MS, "checks_failing"),
                Change("host", "srv1.abuja", None, 0, SINCE_MS, "reports"),
                Change("host", "db1.abuja", 0, 2, SINCE_MS, "silent", "site:abuja"),
            ],
        )
    store.close()
    return folder


@pytest.fixture(autouse=True)
def _own_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BONGSU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BONGSU_DATA", str(data))


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_rows_say_state_since_when_and_the_last_report(capsys: pytest.CaptureFixture[str]) -> None:
    abuja, baku = asked(capsys, "sites")
    assert (abuja["id"], abuja["state"], abuja["since"]) == ("abuja", "degraded", "2026-09-21T14:13:20Z")
    assert (abuja["reason"], abuja["link_profile"], abuja["timezone"]) == ("checks_failing", "lan", "Africa/Lagos")
    assert abuja["last_report"] > "2026-09-22", "what came since the checkpoint counts"
    assert (baku["state"], baku["since"], baku["last_report"]) == ("not judged", None, None)
    found = {one["id"]: one for one in asked(capsys, "hosts")}
    assert {name: one["state"] for name, one in found.items()} == {
        "db1.abuja": "no_data",
        "gate.baku": "not judged",
        "srv1.abuja": "ok",
    }
    assert found["db1.abuja"]["last_report"] == "2026-09-21T14:15:20Z"
    assert found["db1.abuja"]["cause"] == "site:abuja"
    assert found["gate.baku"]["last_report"] is None


@pytest.mark.parametrize(
    ("argv", "seen"),
    [
        (["sites", "--state", "degraded"], ["abuja"]),
        (["sites", "--state", "not_judged"], ["baku"]),
        (["sites", "--state", "down"], []),
        (["hosts", "--state", "no_data", "--state", "ok"], ["db1.abuja", "srv1.abuja"]),
        (["hosts", "--state", "ok", "--site", "baku"], []),
    ],
)
def test_only_those_in_a_state(argv: list[str], seen: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert [one["id"] for one in asked(capsys, *argv)] == seen


def test_people_see_it_first_and_are_told_when_it_is_old(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sites"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0].split()[:5] == ["id", "state", "since", "last_report", "reason"]
    assert shown.err == ""
    assert main(["sites", "--state", "down"]) == 0
    assert capsys.readouterr().out == "None.\n"
    shutil.copytree(data, tmp_path / "older")
    monkeypatch.setenv("BONGSU_DATA", str(tmp_path / "older"))
    store = Store(f"sqlite:///{tmp_path}/older/bongsu.db")
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM envelopes")
    store.close()
    for verb in ("sites", "hosts", "systems"):
        assert main([verb]) == 0
        assert "No report was received since 2026-09-21 14:15 UTC" in capsys.readouterr().err
