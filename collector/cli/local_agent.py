"""One real agent beside the collector, for a first look: enrolled like any other, run as its own process."""

from __future__ import annotations

import ctypes
import logging
import signal
import subprocess
import sys
from pathlib import Path

from agent.link.clock import SystemChance
from collector.app import App
from collector.fleet.keys import ca_fingerprint
from collector.fleet.tokens import create_token
from collector.settings import Settings
from collector.store.schema import instant

log = logging.getLogger(__name__)
SITE = "local"
STOP_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Between fork and exec: a collector that is killed outright must not leave its agent behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class LocalAgent:
    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data_dir(self) -> Path:
        return self._settings.data_dir / "agent"

    def enrol(self) -> bool:
        """Join where that was not done yet; takes a second, and needs the collector to answer meanwhile.

        A failure is logged, and the collector goes on without.
        """
        return (self.data_dir / "agent.json").exists() or self._enrol()

    def start(self) -> None:
        """Run the agent. From the main thread: the kernel ends it when the thread that started it is gone."""
        command = [sys.executable, "-m", "agent.cli", "run", "--data", str(self.data_dir)]
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we end it in order.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_parent
        )
        log.info("local agent started", extra={"pid": self._process.pid})

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _enrol(self) -> bool:
        with self._app.store.transaction() as connection:
            token, _ = create_token(
                connection,
                self._app.centre_key,
                site=SITE,
                host="",
                hours=1,
                collectors=[self._settings.server.url],
                ca_sha256=ca_fingerprint(self._settings.data_dir),
                created_by="serve --local-agent",
                now=instant(self._app.clock.wall_ms()),
                chance=SystemChance(),
            )
        command = [sys.executable, "-m", "agent.cli", "enroll", "--token", token, "--data", str(self.data_dir)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            log.error("local agent could not enrol: %s", done.stderr.strip())
        return done.returncode == 0
