"""What doctor and status say about an agent's folder."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from still_clock import SeededChance, StillClock

from agent.config import AgentConfig
from agent.doctor import examine
from agent.identity import Enrolment
from agent.link.files import SystemFiles
from agent.link.keys import new_key, save_key
from agent.link.model import StateChange
from agent.link.private_file import write_private
from agent.link.spool import Spool
from agent.link.spool_record import StateDraft
from agent.status import Status, describe, is_running, read_status, write_status


def enrolled(folder: Path) -> None:
    save_key(folder / "agent.key", new_key())
    known = Enrolment("ab" * 16, "abuja", "", ["srv1.abuja"], ["http://127.0.0.1:1"], "cd" * 32)
    write_private(folder / "agent.json", msgspec.json.encode(known))


def status(**changes: object) -> Status:
    numbers = dict.fromkeys(Status.__struct_fields__, 0)
    texts = dict.fromkeys(("host", "agent_id", "epoch", "spool_trouble", "collector", "collector_role"), "x")
    words = {
        "trouble": "",
        "hold": "",
        "policy_trouble": "",
        "policy_overridden": [],
        "is_offset_known": True,
        "spool_oldest_ms": None,
        "pid": os.getpid(),
    }
    return Status(**{**numbers, **texts, **words, **changes})  # type: ignore[arg-type]


def test_a_healthy_spool_and_an_unreachable_collector(tmp_path):
    enrolled(tmp_path)
    spool = Spool(SystemFiles(), StillClock(), SeededChance(), str(tmp_path), b"\xab" * 16)
    spool.append([StateDraft(StateChange("srv1.abuja", "x", 2, 0, "down"), 1, 0)])
    spool.close()
    found = {finding.id: finding for finding in examine(AgentConfig(), tmp_path)}
    assert sorted(found) == [f"A00{n}" for n in range(1, 8)]
    assert found["A006"].is_ok
    assert "1 records in 1 segments" in found["A006"].text
    assert not found["A004"].is_ok
    assert not found["A003"].is_ok
    assert all(finding.hint for finding in found.values() if not finding.is_ok)


def test_damage_in_the_spool_is_found(tmp_path):
    enrolled(tmp_path)
    spool = Spool(SystemFiles(), StillClock(), SeededChance(), str(tmp_path), b"\xab" * 16)
    spool.append([StateDraft(StateChange("srv1.abuja", "x", 2, 0, "down"), 1, 0)])
    spool.close()
    (segment,) = tmp_path.glob("spool/*/*.seg")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    (finding,) = [one for one in examine(AgentConfig(), tmp_path) if one.id == "A006"]
    assert not finding.is_ok
    assert "1 damaged" in finding.text


def test_status_is_written_read_and_told(tmp_path):
    assert read_status(tmp_path) is None
    write_status(tmp_path, status(trouble="no route to host", hold="suspended", spool_lost=3))
    said = read_status(tmp_path)
    assert said is not None
    told = describe(said, True, 5_000)
    for words in ("no route to host", "suspended", "3 records", "running"):
        assert words in told
    assert not is_running(status(pid=1 << 22))
    (tmp_path / "status.json").write_text("{}")
    assert read_status(tmp_path) is None
