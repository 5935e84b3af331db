"""The running agent: who is made of what, and the thin threads around the steps.

Data path: checks -> report -> spool (synced) -> sender -> collector -> receipt -> the spool forgets.
One thread runs the checks of this machine, one sends, and each machine behind SSH has one of its own, so that a
hanging one makes nobody late.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.checks.base import Check, Host, Sample
from agent.checks.local import LocalHost
from agent.config import AgentConfig
from agent.identity import IDENTITY_FILE, Identity, IdentityError, load_identity
from agent.lifetime import AlreadyRunning, SignalPipe, take_lock
from agent.link.clock import SystemChance, SystemClock, Waiter
from agent.link.exchange import HttpExchange
from agent.link.files import SystemFiles
from agent.link.offset import Offset
from agent.link.send import Sender
from agent.link.send_signers import Signer, Signers
from agent.link.spool import Spool
from agent.outlet import make_outlet
from agent.policy import apply
from agent.policy_book import PolicyBook
from agent.reporter import Reporter
from agent.runtime_checks import local_checks, make_probing, target_checks
from agent.selfmetrics import own_samples, policy_samples
from agent.series_order import LastSchema
from agent.status import status_of, write_status

if TYPE_CHECKING:
    from agent.probing import Probing

GREETING_WAIT_SECONDS = 1.5
FLUSH_SECONDS = 2.0
_log = logging.getLogger("agent")
__all__ = ["AlreadyRunning", "Runtime"]


class Runtime:
    """``run`` returns when a signal asked it to.

    Raises SpoolError where the spool is another agent's, AlreadyRunning, and OSError where the folder cannot be written.
    """

    def __init__(self, config: AgentConfig, data_dir: Path, identity: Identity) -> None:
        self._config = config
        self._data_dir = data_dir
        self._lock = take_lock(data_dir)
        self._identity = identity
        self._clock = SystemClock()
        self._offset = Offset(self._clock)
        self._identity_seen = (0, 0)
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
        self._offset.assume_not_before(self._spool.newest_ms)
        self._exchange = HttpExchange(self._clock.monotonic, self._tls_context)
        self._signers = Signers(_signers(identity), self._forget_former_keys)
        self._identity_seen = self._identity_stamp()
        self._book = PolicyBook(data_dir, identity.centre_key, self._signers, self._exchange, chance)
        self._followed = self._book.policy
        self._applied = apply(config, self._followed)
        self._profile = self._applied.config.profile(identity.enrolment.link_profile)
        self._sender = make_outlet(
            config, data_dir, identity, self._spool, self._signers, self._exchange, self._clock, chance, self._offset,
            self._profile, self._book,
        )  # fmt: skip
        self._started_ms = self._clock.wall_ms()
        self._probing = self._begin_probing()
        self._reporter = self._make_reporter(
            LocalHost(),
            identity.host,
            self._local_checks(),
            self._profile.interval_seconds,
            self._profile.series,
            self._own_samples,
        )

    def run(self) -> bool:
        """Until SIGTERM or SIGINT; then what is waiting is sent quickly and everything is closed.

        False where a fault of ours ended the sender: the process must be started anew, for a silent agent is no agent.
        """
        pipe = SignalPipe()
        collectors = self._config.one_way.directory or ", ".join(self._identity.enrolment.collectors)
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
                self._look_for_news()
            if pipe.wait(due - self._clock.monotonic()) or not sender.is_alive():
                self._stop.set()
        is_whole = sender.is_alive()
        self._wake_sender.wake()
        sender.join(FLUSH_SECONDS + 1.0)
        self._spool.close()
        self._write_status()
        return is_whole

    def once(self) -> list[str]:
        """One report, written out as files at once; their names. For one-way mode."""
        assert not isinstance(self._sender, Sender)
        self._reporter.step(self._clock.monotonic())
        self._sender.hurry()
        while self._sender.step(self._clock.monotonic()) <= self._clock.monotonic():
            pass
        self._spool.close()
        self._write_status()
        return self._sender.written

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
                if end is None:
                    self._sender.hurry()
                    end = now() + FLUSH_SECONDS
                    continue
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

    # ------------------------------------------------------------ what changes while it runs

    def _look_for_news(self) -> None:
        """After each report: another policy, another key."""
        if self._book.policy is not self._followed:
            self._follow()
        if (stamp := self._identity_stamp()) != self._identity_seen:
            self._identity_seen = stamp
            try:
                self._signers.replace(_signers(load_identity(self._data_dir)))
            except IdentityError as why:
                _log.warning("the key stays as it was: %s", why)

    def _follow(self) -> None:
        """Do from now on what the newest policy says, as far as the file leaves it a say."""
        self._followed = self._book.policy
        self._applied = apply(self._config, self._followed)
        for problem in self._applied.problems:
            _log.warning("left out of the policy: %s", problem)
        self._profile = self._applied.config.profile(self._identity.enrolment.link_profile)
        self._sender.follow(self._profile)
        if self._probing is not None:
            self._probing.stop()
        self._probing = self._begin_probing()
        if self._probing is not None:
            self._probing.start()
        self._reporter.follow(self._local_checks(), self._profile.interval_seconds, self._profile.series)

    def _identity_stamp(self) -> tuple[int, int]:
        try:
            there = (self._data_dir / IDENTITY_FILE).stat()
        except OSError:
            return self._identity_seen
        return there.st_mtime_ns, there.st_ino

    def _forget_former_keys(self, key_no: int) -> None:
        from agent.rotate import forget_former_keys

        try:
            forget_former_keys(self._data_dir, key_no)
        except OSError as why:
            _log.warning("former keys stay in %s: %s", self._data_dir, why)

    # ------------------------------------------------------------ parts

    def _begin_probing(self) -> Probing | None:
        return make_probing(self._applied.config, self._profile.interval_seconds, self._clock, self._identity.agent_id)

    def _local_checks(self) -> list[Check]:
        probes = self._probing.checks() if self._probing is not None else []
        return local_checks(self._applied.config) + probes

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
        carried = self._exchange.bytes_sent, self._exchange.bytes_received
        own = own_samples(self._spool.figures(), self._offset, durations, self._clock.wall_ms(), carried)
        version = self._followed.version if self._followed is not None else 0
        return [*own, *policy_samples(version, self._applied.overridden)]

    def _tls_context(self):  # type: ignore[no-untyped-def]
        from agent.link.tls import context_for

        return context_for(self._identity.ca_file)

    def _write_status(self) -> None:
        with self._telling:
            status = status_of(self._identity, self._spool.figures(), self._sender.figures(), self._offset)
            version = self._followed.version if self._followed is not None else 0
            trouble = "; ".join(filter(None, (self._book.trouble, *self._applied.problems)))
            write_status(
                self._data_dir,
                msgspec.structs.replace(
                    status,
                    started_ms=self._started_ms,
                    written_ms=self._clock.wall_ms(),
                    reports=self._reporter.reports,
                    policy_version=version,
                    policy_overridden=list(self._applied.overridden),
                    policy_trouble=trouble,
                ),
            )


def _signers(identity: Identity) -> list[Signer]:
    """The key in force, then the one before it while it may still be needed."""
    number, keys = identity.enrolment.key_no, [identity.key, identity.former_key]
    return [Signer(identity.agent_id, number - at, key.sign) for at, key in enumerate(keys) if key is not None]
