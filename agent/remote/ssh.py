"""A machine behind SSH as a ``Host``: strict host keys, one kept connection, bounded answers, one deadline per check.

The only importer of paramiko, on first use: an agent without SSH targets never loads it (30 MiB, 0.4 s). Every error
names the host and what to do, because its text becomes the text of a failed check on the board.

Decisions. ``Transport`` is driven directly, not ``SSHClient``: that one gives each phase its own timeout, so that a
server that dawdles in each of them costs their sum; here one deadline runs through all.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.checks.base import CheckFailed, DeadlineExceeded, FilesystemSpace, Ran
from agent.checks.deadlines import Deadlines
from agent.link.clock import Clock, SystemClock
from agent.remote import scripts
from agent.remote.channel import Answer, Broken, Flooded, Shell, read_answer
from agent.remote.known_hosts import judge_key, listed_name, read_pins, wanted_algorithms
from agent.remote.patience import Patience
from agent.remote.targets import Target

WINDOW_BYTES = 256 << 10
WEAK = {
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
}


@lru_cache(maxsize=1)
def _paramiko() -> Any:
    try:
        import paramiko
    except ImportError as error:
        raise CheckFailed(
            f"SSH targets need paramiko, which could not be loaded ({error}); install `bongsu[ssh]`"
        ) from error
    # What it logs as errors with tracebacks is told once, in our words, by the check that failed.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    return paramiko


class SshHost:
    """``Host`` over SSH. One thread at a time; ``connections`` and ``questions`` count what it did."""

    def __init__(self, target: Target, clock: Clock | None = None) -> None:
        self.target = target
        self.connections = 0
        self.questions = 0
        self._clock = clock or SystemClock()
        self._deadlines = Deadlines(self._clock, target.deadline_seconds)
        self._where = f"{target.name} ({target.user}@{listed_name(target.address, target.port)})"
        self._transport: Any = None
        self._shell: Shell | None = None
        self._patience = Patience()

    @property
    def name(self) -> str:
        return self.target.name

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        return self._deadlines.within(min(seconds, self.target.deadline_seconds))

    def read(self, path: str) -> str:
        answer = self._ask(scripts.read_script(path), scripts.READ_LIMIT, f"reading {path}")
        if answer.exit_code:
            scripts.raise_for_exit(answer.exit_code, path)
            raise self._unexpected(answer, f"reading {path}")
        return answer.stdout.decode("utf-8", "replace")

    def read_tree(self, *patterns: str) -> dict[str, str]:
        doing = f"reading {' '.join(patterns)}"
        data = self._ask_well(scripts.tree_script(patterns), scripts.TREE_LIMIT, doing)
        assert self._shell is not None
        return scripts.parse_tree(data, self._shell.mark)

    def list(self, pattern: str) -> Sequence[str]:
        doing = f"listing {pattern}"
        return scripts.parse_list(self._ask_well(scripts.list_script(pattern), scripts.LIST_LIMIT, doing))

    def link(self, path: str) -> str:
        answer = self._ask(scripts.link_script(path), scripts.SMALL_LIMIT, f"following {path}")
        if answer.exit_code:
            scripts.raise_for_exit(answer.exit_code, path)
            raise self._unexpected(answer, f"following {path}")
        return answer.stdout.decode("utf-8", "replace")

    def filesystems(self, mount_points: Sequence[str]) -> dict[str, FilesystemSpace | None]:
        doing = f"asking for the space of {len(mount_points)} filesystems"
        data = self._ask_well(scripts.filesystems_script(mount_points), scripts.LIST_LIMIT, doing)
        return scripts.parse_filesystems(data, mount_points)

    def run(self, argv: Sequence[str], timeout_seconds: float = 5.0) -> Ran:
        doing = f"running {argv[0]}"
        with self._deadlines.within(timeout_seconds):
            answer = self._counted(doing, lambda: self._program(scripts.run_script(argv), doing))
        if answer.exit_code in (126, 127):
            raise self._unexpected(answer, doing, "could not be started; is it installed there?")
        return Ran(answer.exit_code, answer.stdout.decode("utf-8", "replace"), answer.stderr.decode("utf-8", "replace"))

    def now(self) -> float:
        """As that machine said; the answer is as old as half a round trip."""
        return scripts.parse_now(self._ask_well("date +%s.%N", scripts.SMALL_LIMIT, "asking for the time"))

    def close(self) -> None:
        self._shell = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # One question

    def _ask_well(self, script: str, limit: int, doing: str) -> bytes:
        answer = self._ask(script, limit, doing)
        if answer.exit_code:
            raise self._unexpected(answer, doing)
        return answer.stdout

    def _unexpected(self, answer: Answer, doing: str, what: str = "") -> CheckFailed:
        said = answer.stderr.decode("utf-8", "replace").strip().partition("\n")[0][:200]
        what = what or f"the shell there ended with exit code {answer.exit_code}, expected 0"
        return CheckFailed(f"{self._where}: {doing}: {what}" + (f" (it said: {said})" if said else ""))

    def _ask(self, script: str, limit: int, doing: str) -> Answer:
        return self._counted(doing, lambda: self._in_shell(script, limit, doing))

    def _counted(self, doing: str, question: Callable[[], Answer]) -> Answer:
        with self._deadlines.call():
            try:
                answer = question()
            except DeadlineExceeded as error:
                self._count_unanswered(doing)
                raise DeadlineExceeded(f"{self._where}: {error}") from error
            except (Flooded, Broken) as error:
                # The whole connection goes: a server that ignores the closed channel would keep us busy with it.
                self.close()
                if isinstance(error, Broken):
                    self._count_unanswered(doing)
                raise CheckFailed(f"{self._where}: {error}") from error
        self.questions += 1
        self._patience.answered()
        return answer

    def _count_unanswered(self, doing: str) -> None:
        if self._patience.unanswered():
            self._give_up(f"{self._where}: connected, but several questions in a row had no answer (last {doing})")

    def _in_shell(self, script: str, limit: int, doing: str) -> Answer:
        left = self._deadlines.left
        is_kept = self._shell is not None
        try:
            if self._shell is None:
                self._shell = Shell(self._open_channel("exec sh", doing), left)
            return self._shell.ask(script, limit, left, doing)
        except Broken:
            self.close()
            if not is_kept:
                raise
            return self._in_shell(script, limit, doing)  # it died while idle: once more with a new connection
        except BaseException:
            if self._shell is not None:
                self._shell.close()  # what it still says belongs to no question
            self._shell = None
            raise

    def _program(self, script: str, doing: str) -> Answer:
        channel = self._open_channel(scripts.wrapped(script, self._deadlines.left(doing)), doing)
        try:
            return read_answer(channel, scripts.RUN_LIMIT, self._deadlines.left, doing)
        finally:
            channel.close()

    def _open_channel(self, command: str, doing: str) -> Any:
        """A channel with the command started. A connection that died while idle is replaced once."""
        paramiko = _paramiko()
        is_kept = self._transport is not None
        transport = self._connected()
        seconds = self._deadlines.left(doing)
        # paramiko waits for the answer to an exec request without a limit; closing under it is the only way out.
        cut = threading.Timer(seconds, transport.close)
        cut.daemon = True
        cut.start()
        try:
            channel = transport.open_session(window_size=WINDOW_BYTES, timeout=seconds)
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            if isinstance(error, paramiko.ChannelException) and transport.is_active():
                raise CheckFailed(
                    f"{self._where}: the server opened no channel ({error.text}); see MaxSessions in its sshd_config"
                ) from error
            self.close()
            self._deadlines.left(f"starting a command for {doing}")
            if is_kept:
                return self._open_channel(command, doing)
            raise Broken(f"the server ended the connection while {doing} ({_said(error)})") from error
        finally:
            cut.cancel()
        return channel

    # The connection

    def _connected(self) -> Any:
        if self._transport is not None and self._transport.is_active():
            return self._transport
        self.close()
        wait = self._patience.wait_seconds(self._clock.monotonic())
        if wait > 0:
            raise CheckFailed(f"{self._patience.why}; next attempt in {wait:.0f} s")
        try:
            self._transport = self._connect()
        except DeadlineExceeded as error:
            self._give_up(f"{self._where}: {error}")
            raise
        except CheckFailed as error:
            self._give_up(str(error))
            raise
        self.connections += 1
        return self._transport

    def _give_up(self, why: str) -> None:
        self.close()
        self._patience.failed(self._clock.monotonic(), why)

    def _connect(self) -> Any:
        target, left = self.target, self._deadlines.left
        paramiko = _paramiko()
        name = listed_name(target.address, target.port)
        try:
            pins = list(read_pins(Path(target.known_hosts).read_text("utf-8", "replace"), name))
        except OSError as error:
            raise CheckFailed(
                f"{self._where}: known_hosts file {target.known_hosts}: {error.strerror}; expected the host's pinned key in it"
            ) from error
        key = None if target.use_agent else load_key(self._where, target.key_file)
        try:
            sock = socket.create_connection((target.address, target.port), timeout=left("connecting"))
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer from {name} while connecting") from error
        except OSError as error:
            raise CheckFailed(
                f"{self._where}: no connection ({error.strerror or error}); "
                "expected an SSH server there: check address, port and firewall"
            ) from error
        # Questions are small packets one after the other: without this each waits 40 ms for the last one's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(sock, disabled_algorithms=WEAK)
        try:
            options = transport.get_security_options()
            options.key_types = wanted_algorithms(pins, options.key_types)
            self._agree(transport)
            server_key = transport.get_remote_server_key()
            judge_key(pins, name, server_key.get_name(), server_key.asbytes(), target.known_hosts)
            self._log_in(transport, key)
        except BaseException:
            transport.close()
            sock.close()
            raise
        return transport

    def _agree(self, transport: Any) -> None:
        """Greeting and key exchange."""
        doing = "waiting for the server's greeting and key exchange"
        seconds = self._deadlines.left(doing)
        transport.banner_timeout = transport.handshake_timeout = seconds
        done = threading.Event()
        transport.start_client(event=done)
        if not done.wait(seconds):
            raise DeadlineExceeded(f"time was over while {doing}")
        if not transport.is_active():
            self._deadlines.left(doing)
            error = transport.get_exception()
            raise CheckFailed(
                f"{self._where}: no SSH session ({_said(error)}); expected an SSH 2 server with current algorithms"
            ) from error

    def _log_in(self, transport: Any, key: Any) -> None:
        paramiko = _paramiko()
        user = self.target.user
        shown = f"key file {self.target.key_file}" if key is not None else "the keys of the SSH agent"
        keys = [key] if key is not None else list(paramiko.Agent().get_keys())
        doing = f"logging in as {user}"
        for one in keys:
            transport.auth_timeout = self._deadlines.left(doing)
            # Raised for a refused key and for a connection closed after too many; either way the next one decides.
            with contextlib.suppress(paramiko.AuthenticationException):
                transport.auth_publickey(user, one)
            if transport.is_authenticated():
                return
            if not transport.is_active():
                break
        self._deadlines.left(doing)
        tried = ", ".join(one.fingerprint for one in keys) or "none offered; is SSH_AUTH_SOCK set?"
        raise CheckFailed(
            f"{self._where}: login as {user} with {shown} ({tried}) was refused; "
            f"expected that public key in authorized_keys of {user} there"
        )


def load_key(where: str, path: str) -> Any:
    """The private key in a file only its owner can read; CheckFailed in words otherwise."""
    paramiko = _paramiko()
    try:
        mode = Path(path).stat().st_mode
        if mode & 0o077:
            raise CheckFailed(f"{where}: key file {path} has mode {mode & 0o777:04o}, expected 0600: chmod 600 {path}")
        return paramiko.PKey.from_path(path)
    except OSError as error:
        raise CheckFailed(f"{where}: key file {path}: {error.strerror}; expected a private key") from error
    except (TypeError, paramiko.PasswordRequiredException) as error:
        raise CheckFailed(
            f"{where}: key file {path} has a passphrase; use one without, readable by the agent alone, or use_agent = true"
        ) from error
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise CheckFailed(f"{where}: key file {path} holds no private key that can be read ({_said(error)})") from error


def _said(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}" if error is not None else "no reason given"
