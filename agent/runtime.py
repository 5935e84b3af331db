"""The running agent: who is made of what, and the thin threads around the steps.

Data path: checks -> report -> spool (synced) -> sender -> collector -> receipt -> the spool forgets.
One thread runs the checks of this machine, one sends, and each machine behind SSH has one of its own, so that a
hanging one makes nobody late.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent.checks.base import Check, Host, Sample
from agent.checks.local import LocalHost
from agent.config import AgentConfig
from agent.identity import Identity
from agent.link.clock import SystemChance, SystemClock, Waiter
from agent.link.exchange import HttpExchange
from agent.link.files import SystemFiles
from agent.link.offset import Offset
from agent.link.send import Sender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.reporter import Reporter
from agent.runtime_checks import local_checks, target_checks
from agent.selfmetrics import own_samples, resident_bytes
from agent.series_order import LastSchema
from agent.status import Status, write_status

if TYPE_CHECKING:
    from agent.probing import Probing

GREETING_WAIT_SECONDS = 1.5
FLUSH_SECONDS = 2.0
LOCK_FILE = "lock"
_log = logging.getLogger("agent")


class AlreadyRunning(Exception):
    """Another process runs on this data folder; two would give the same numbers to different records."""


class Runtime:
    """``run`` returns when a signal asked it to.

    Raises SpoolError where the spool is another agent's, AlreadyRunning, and OSError where the folder cannot be written.
    """

    def __init__(self, config: AgentConfig, data_dir: Path, identity: Identity) -> None:
        self._config = config
        self._data_dir = data_dir
        self._lock = _take_lock(data_dir)
        self._identity = identity
        self._clock = SystemClock()
        self._profile = config.profile(identity.enrolment.link_profile)
        self._offset = Offset(self._clock)
        self._stop = threading.Event()
        self._greeted = threading.Event()
        self._telling = threading.Lock()
        self._wake_sender = Waiter()
        chance = SystemChance()
        self._spool = Spool(
            SystemFiles(),
            self._clock,
            chance,
            str(data_dir),
            identity.agent_id,
            config.spool_max_mib << 20,
            self._offset.offset_ms,
        )
        self._exchange = HttpExchange(self._clock.monotonic, self._tls_context)
        self._sender = Sender(
            self._spool,
            Signer(identity.agent_id, identity.enrolment.key_no, identity.key.sign),
            identity.centre_key,
            identity.enrolment.collectors,
            self._exchange,
            self._clock,
            chance,
            self._offset,
            self._profile,
            _log.warning,
        )
        self._started_ms = self._clock.wall_ms()
        self._probing = self._make_probing()
        probe_checks = self._probing.checks() if self._probing is not None else []
        self._reporter = self._make_reporter(
            LocalHost(),
            identity.host,
            local_checks(config) + probe_checks,
            self._profile.interval_seconds,
            self._profile.series,
            self._own_samples,
        )

    def run(self) -> bool:
        """Until SIGTERM or SIGINT; then what is waiting is sent quickly and everything is closed.

        False where a fault of ours ended the sender: the process must be started anew, for a silent agent is no agent.
        """
        pipe = _SignalPipe()
        collectors = ", ".join(self._identity.enrolment.collectors)
        _log.info("%s reports every %g s to %s", self._identity.host, self._profile.interval_seconds, collectors)
        sender = threading.Thread(target=self._send, name="sender", daemon=True)
        sender.start()
        others = [threading.Thread(target=step, name=name, daemon=True) for name, step in self._target_loops()]
        for thread in others:
            thread.start()
        if self._probing is not None:
            self._probing.start()
        self._greeted.wait(GREETING_WAIT_SECONDS)  # so that the first record has its offset already
        reports, sent = 0, -1
        while not self._stop.is_set():
            due = self._reporter.step(self._clock.monotonic())
            if self._reporter.reports != reports:
                if not reports:  # what start-up made stays; looking through it again and again is wasted
                    gc.collect()
                    gc.freeze()
                    gc.enable()
                reports = self._reporter.reports
                if sent == self._sender.records_sent or sent < 0:  # else the sender tells when it comes to rest
                    self._write_status()
                sent = self._sender.records_sent
            if pipe.wait(due - self._clock.monotonic()) or not sender.is_alive():
                self._stop.set()
        is_whole = sender.is_alive()
        self._wake_sender.wake()
        sender.join(FLUSH_SECONDS + 1.0)
        self._spool.close()
        self._write_status()
        return is_whole

    # ------------------------------------------------------------ threads around steps

    def _send(self) -> None:
        """The sender's thread. After the stop it goes on while there is something to send at once, for two seconds."""
        now = self._clock.monotonic
        end: float | None = None
        told = 0
        while True:
            due = self._sender.step(now())
            self._greeted.set()
            if due > now() and self._sender.records_sent != told:
                told = self._sender.records_sent
                self._write_status()
            if self._stop.is_set():
                end = end or now() + FLUSH_SECONDS
                if due > now() or now() >= end:
                    return
            elif due > now():
                self._wake_sender.wait(due - now())

    def _target_loops(self) -> Iterator[tuple[str, Callable[[], None]]]:
        for target in self._config.targets:
            from agent.remote.ssh import SshHost  # paramiko is loaded by the first question, in the target's thread

            host_id = self._identity.host_id(target.name)
            if host_id not in self._identity.enrolment.hosts:
                _log.info("host %s was bound after this agent was enrolled, or is not bound to it", host_id)
            reporter = self._make_reporter(
                SshHost(target), host_id, target_checks(target), float(target.interval_seconds), target.profile
            )
            yield target.name, lambda reporter=reporter: self._watch(reporter)  # type: ignore[misc]

    def _watch(self, reporter: Reporter) -> None:
        while not self._stop.is_set():
            due = reporter.step(self._clock.monotonic())
            self._stop.wait(max(0.0, due - self._clock.monotonic()))

    # ------------------------------------------------------------ parts

    def _make_probing(self) -> Probing | None:
        if not self._config.probes:
            return None
        from agent.probes.guard import Guard  # an agent that probes nothing does not pay for it
        from agent.probing import Probing

        return Probing(
            self._config.probes,
            Guard(self._config.probes_allowed),
            self._profile.interval_seconds,
            self._clock,
            self._stop,
            self._identity.agent_id,
        )

    def _make_reporter(
        self,
        host: Host,
        host_id: str,
        checks: list[Check],
        interval_seconds: float,
        series: str,
        extra: Callable[[Mapping[str, float]], list[Sample]] | None = None,
    ) -> Reporter:
        return Reporter(
            host,
            host_id,
            checks,
            interval_seconds,
            series,
            self._spool,
            self._offset,
            self._clock,
            self._wake_sender.wake,
            self._identity.agent_id + host_id.encode(),
            extra,
            LastSchema(self._data_dir, host_id),
        )

    def _own_samples(self, durations: Mapping[str, float]) -> list[Sample]:
        return list(own_samples(self._spool.figures(), self._offset, durations, self._clock.wall_ms()))

    def _tls_context(self):  # type: ignore[no-untyped-def]
        from agent.link.tls import context_for

        return context_for(self._identity.ca_file)

    def _write_status(self) -> None:
        with self._telling:
            write_status(self._data_dir, self._status())

    def _status(self) -> Status:
        spool, sent, times = self._spool.figures(), self._sender.figures(), os.times()
        return Status(
            pid=os.getpid(),
            started_ms=self._started_ms,
            written_ms=self._clock.wall_ms(),
            host=self._identity.host,
            agent_id=self._identity.agent_id.hex(),
            epoch=spool.epoch.hex(),
            reports=self._reporter.reports,
            spool_records=spool.records,
            spool_bytes=spool.bytes,
            spool_oldest_ms=spool.oldest_ms,
            spool_lost=spool.lost,
            spool_trouble=spool.trouble,
            offset_ms=self._offset.offset_ms(),
            is_offset_known=self._offset.is_known,
            rtt_seconds=self._offset.rtt_seconds,
            collector=sent.collector,
            collector_role=sent.role,
            last_answer_ms=sent.last_answer_ms,
            trouble=sent.trouble,
            hold=sent.hold,
            records_sent=sent.records_sent,
            bytes_sent=sent.bytes_sent,
            resident_bytes=resident_bytes(),
            cpu_seconds=times.user + times.system,
        )


def _take_lock(data_dir: Path) -> int:
    """A lock the system takes away with the process, however it ends."""
    descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(
            f"{data_dir}: another bongsu-agent runs on this folder: expected to be alone; stop it, or use another --data"
        ) from None
    return descriptor


class _SignalPipe:
    """Waiting that a signal ends: the interpreter writes to the pipe itself, so nothing runs inside a signal handler."""

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> bool:
        """True when a signal came."""
        return bool(select.select([self._reading], [], [], max(0.0, seconds))[0])
