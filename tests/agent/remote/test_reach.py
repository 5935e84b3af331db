"""A dead host is one reason, not one for each check."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_ssh import fake_ssh

from agent.checks.base import CRITICAL, OK, UNKNOWN
from agent.checks.runner import run_check
from agent.checks.table import DEFAULT, load
from agent.remote.reach import CHECK
from agent.remote.ssh import SshHost


def test_a_dead_host_says_why_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with fake_ssh(tmp_path) as server:
        host = SshHost(server.target())
        assert run_check(CHECK, host).state == OK
        server.close()
        server.drop()
        for _ in range(2):
            reached = run_check(CHECK, host)
            assert reached.state == CRITICAL
            assert "Connection refused" in reached.text
            assert "next attempt" not in reached.text  # the same text each time, or every round would be a change
            # timex has nothing to tell of any remote host, whether it answers or not.
            others = {name: run_check(load(name), host) for name in DEFAULT if name != "timex"}
            assert {name for name, outcome in others.items() if outcome.state != UNKNOWN} == set()
            assert {outcome.text for outcome in others.values()} == {
                "not asked: srv1 does not answer over SSH, see check ssh"
            }
    # The state tells it; forty tracebacks would not tell more. The server of this test logs for itself, as it likes.
    assert [record for record in caplog.records if record.name.startswith("agent")] == []
