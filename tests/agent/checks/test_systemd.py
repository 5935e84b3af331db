"""systemd's units from recorded output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from recorded import recorded_host, unpack

from agent.checks.base import CRITICAL, OK, CheckFailed, Ran, Sample, State
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.checks.systemd import parse_units, systemd_check

OUTPUT = """\
dev-vda.device                    loaded    active     plugged   /dev/vda
ssh.service                       loaded    active     running   OpenBSD Secure Shell server
● backup.service                  loaded    failed     failed    Nightly backup
postfix.service                   not-found inactive   dead      postfix.service
apt-daily.timer                   loaded    active     waiting   Daily apt download activities
user-1000.slice                   loaded    active     active    User Slice of UID 1000
"""


class _Systemd(LocalHost):
    """A machine whose systemctl answers what was recorded."""

    answer = Ran(0, OUTPUT, "")

    def run(self, argv: Sequence[str], timeout_seconds: float = 5.0) -> Ran:
        assert argv[0] == "systemctl"
        return self.answer


def machine(tmp_path: Path, answer: Ran) -> LocalHost:
    unpack("== /run/systemd/system/x\n", tmp_path)
    host = _Systemd(str(tmp_path))
    host.answer = answer
    return host


def test_units_that_are_loaded_have_one_state_of_five(tmp_path: Path) -> None:
    results = run_check(systemd_check(), machine(tmp_path, Ran(0, OUTPUT, ""))).results
    samples = [result for result in results if isinstance(result, Sample)]
    units = {
        (labels["name"], labels["state"]): sample.value
        for sample in samples
        if sample.name == "node_systemd_unit_state" and (labels := dict(sample.labels))
    }
    assert {name for name, _ in units} == {"ssh.service", "backup.service", "apt-daily.timer"}
    assert [state for (name, state), value in units.items() if name == "backup.service" and value] == ["failed"]
    counts = {dict(sample.labels)["state"]: sample.value for sample in samples if sample.name == "node_systemd_units"}
    assert counts == {"activating": 0, "active": 4, "deactivating": 0, "failed": 1, "inactive": 1}


def test_failed_and_watched_units_are_judged(tmp_path: Path) -> None:
    check = systemd_check(("ssh.service", "postfix.service", "nginx.service", "backup.service"))
    results = run_check(check, machine(tmp_path, Ran(0, OUTPUT, ""))).results
    assert [result for result in results if isinstance(result, State)] == [
        State("systemd", CRITICAL, "failed: backup.service; look with systemctl status backup.service"),
        State("systemd:ssh.service", OK, "running"),
        State("systemd:postfix.service", CRITICAL, "postfix.service is not loaded, expected active"),
        State("systemd:nginx.service", CRITICAL, "nginx.service is not loaded, expected active"),
        State("systemd:backup.service", CRITICAL, "backup.service is failed (failed), expected active"),
    ]


def test_systemctl_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    outcome = run_check(systemd_check(), machine(tmp_path, Ran(1, "", "Failed to connect to bus")))
    assert "ended with 1: Failed to connect to bus" in outcome.text


def test_without_systemd_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert run_check(systemd_check(), recorded_host(tmp_path)).state is None


def test_garbage_is_refused() -> None:
    with pytest.raises(CheckFailed, match="expected unit, load, active and sub state"):
        parse_units("half a line\n")
