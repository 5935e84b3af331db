"""NUT's own server and dummy driver, taken through a power cut by editing the file the driver plays."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from real import require

from agent.checks.base import CRITICAL, OK, UNKNOWN, Sample, State
from agent.checks.local import LocalHost
from agent.checks.runner import Outcome, run_check
from agent.checks.ups import ups_check

pytestmark = pytest.mark.real
PROGRAMS = Path("/lib/nut")
"""Debian's own, without the wrapper that wants them enabled in /etc first."""


class Nut:
    def __init__(self, folder: Path, server: str) -> None:
        self.server = server
        self._device = folder / "rack1.dev"

    def say(self, status: str, charge: int, volts: float) -> None:
        self._device.write_text(
            f"ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: {charge * 12}\ninput.voltage: {volts}\n"
        )

    def until(self, is_so: Callable[[Outcome], bool]) -> Outcome:
        """The first outcome that is so; the driver reads its file anew each second."""
        ends = monotonic() + 20
        while monotonic() < ends:
            outcome = run_check(ups_check(self.server), LocalHost())
            if is_so(outcome):
                return outcome
            sleep(0.2)
        raise AssertionError(f"still {outcome}")


@pytest.fixture
def nut(tmp_path: Path) -> Iterator[Nut]:
    require("upsd")
    require("upsc")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "ups.conf").write_text(f"[rack1]\ndriver = dummy-ups\nport = {tmp_path}/rack1.dev\nmode = dummy-loop\n")
    (tmp_path / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nMAXAGE 5\n")
    (tmp_path / "upsd.users").write_text("")
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    one = Nut(tmp_path, f"127.0.0.1:{port}")
    one.say("OL CHRG", 100, 231.0)
    import getpass

    environment = {"NUT_CONFPATH": str(tmp_path), "NUT_STATEPATH": str(tmp_path), "NUT_ALTPIDPATH": str(tmp_path)}
    user = ["-u", getpass.getuser()]
    running = [
        subprocess.Popen(
            [str(program), "-F", *more, *user], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for program, more in ((PROGRAMS / "dummy-ups", ["-a", "rack1", "-i", "1"]), (PROGRAMS / "upsd", []))
    ]
    yield one
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


def test_a_power_cut_is_told_from_its_first_second_to_its_end(nut: Nut) -> None:
    on_mains = nut.until(lambda outcome: outcome.state == OK)
    assert on_mains.text.startswith("on mains (charge 100 %")
    nut.say("OB DISCHRG", 87, 0.0)
    cut = nut.until(lambda outcome: outcome.state == CRITICAL)
    assert cut.text == "mains lost, on battery (charge 87 %, 17 min left)"
    values = {(s.name, dict(s.labels).get("flag")): s.value for s in cut.results if isinstance(s, Sample)}
    assert values["network_ups_tools_ups_status", "OB"] == 1
    assert values["network_ups_tools_input_voltage", None] == 0
    nut.say("OB DISCHRG LB", 9, 0.0)
    nut.until(lambda outcome: "nearly empty" in outcome.text)
    nut.say("OL CHRG", 12, 230.0)
    back = nut.until(lambda outcome: outcome.state == OK)
    assert [r.check for r in back.results if isinstance(r, State)] == ["ups:rack1"]


def test_no_server_is_unknown_and_says_why() -> None:
    require("upsc")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = run_check(ups_check(f"127.0.0.1:{port}"), LocalHost())
    assert outcome.state == UNKNOWN
    assert "Connection refused" in outcome.text
