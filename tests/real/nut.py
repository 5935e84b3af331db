"""NUT's own server and dummy driver, playing what a file says."""

from __future__ import annotations

import getpass
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from real import require

from agent.checks.local import LocalHost
from agent.checks.runner import Outcome, run_check
from agent.checks.ups import ups_check

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


@contextmanager
def dummy_ups(folder: Path) -> Iterator[Nut]:
    """UPS ``rack1`` behind a real ``upsd``, on mains to begin with."""
    require("upsd")
    require("upsc")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "ups.conf").write_text(f"[rack1]\ndriver = dummy-ups\nport = {folder}/rack1.dev\nmode = dummy-loop\n")
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nMAXAGE 5\n")
    (folder / "upsd.users").write_text("")
    for file in folder.iterdir():
        file.chmod(0o600)
    one = Nut(folder, f"127.0.0.1:{port}")
    one.say("OL CHRG", 100, 231.0)
    environment = {"NUT_CONFPATH": str(folder), "NUT_STATEPATH": str(folder), "NUT_ALTPIDPATH": str(folder)}
    user = ["-u", getpass.getuser()]
    running = [
        subprocess.Popen(
            [str(program), "-F", *more, *user], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for program, more in ((PROGRAMS / "dummy-ups", ["-a", "rack1", "-i", "1"]), (PROGRAMS / "upsd", []))
    ]
    try:
        yield one
    finally:
        for process in running:
            process.terminate()
            process.communicate(timeout=10)
