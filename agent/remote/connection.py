"""One SSH connection to a target: strict host key, login, channels. The only importer of paramiko, on first use.

An agent without SSH targets never loads it (tens of MiB, half a second). ``Transport`` is driven directly, not
``SSHClient``: that one gives each phase its own timeout, so that a server that dawdles in each costs their sum; here one
deadline runs through all. Every error names the host and what to do: its text becomes the text of a failed check.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.checks.base import CheckFailed, DeadlineExceeded
from agent.remote.channel import Broken, Left
from agent.remote.dial import dial
from agent.remote.known_hosts import judge_key, listed_name, read_pins, wanted_algorithms
from agent.remote.targets import Target

WINDOW_BYTES = 256 << 10
CLOSE_SECONDS = 0.5
WEAK = {
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
}


class Lost(Broken):
    """The connection was found dead when something was to be asked: a new one may well do."""


class Connection:
    def __init__(self, transport: Any, where: str) -> None:
        self._transport = transport
        self._where = where

    @property
    def is_active(self) -> bool:
        return bool(self._transport.is_active())

    def close(self) -> None:
        self._transport.close()

    def channel(self, command: str, left: Left, doing: str) -> Any:
        """A channel with the command started. Raises Lost, CheckFailed, DeadlineExceeded."""
        with self.guard(left, doing):
            channel = self._transport.open_session(window_size=WINDOW_BYTES, timeout=left(doing))
            channel.exec_command(command)
        return channel

    def drop(self, channel: Any) -> None:
        """Close a channel; a server that does not even let that message out loses the connection."""
        with suppress(Broken, DeadlineExceeded), self.guard(lambda _: CLOSE_SECONDS, "closing a channel"):
            channel.close()

    @contextmanager
    def guard(self, left: Left, doing: str) -> Iterator[None]:
        """paramiko waits without a limit for the answer to an exec request, and 30 s for a new key exchange in the middle
        of a session; closing the connection under it at the deadline is the only way out."""
        paramiko = _paramiko()
        cut = threading.Timer(left(doing), self._transport.close)
        cut.daemon = True
        cut.start()
        try:
            yield
        except (paramiko.SSHException, EOFError, OSError) as error:
            if isinstance(error, paramiko.ChannelException) and self.is_active:
                raise CheckFailed(
                    f"{self._where}: the server opened no channel ({error.text}); see MaxSessions in its sshd_config"
                ) from error
            self.close()
            left(f"asking, for {doing}")
            raise Lost(f"the server ended the connection while {doing} ({_said(error)})") from error
        finally:
            cut.cancel()


def connect(target: Target, where: str, left: Left) -> Connection:
    """Logged in to the host whose key is pinned, or CheckFailed (HostKeyRefused, DeadlineExceeded) in words."""
    paramiko = _paramiko()
    name = listed_name(target.address, target.port)
    try:
        pins = list(read_pins(Path(target.known_hosts).read_text("utf-8", "replace"), name))
    except OSError as error:
        raise CheckFailed(
            f"{where}: known_hosts file {target.known_hosts}: {error.strerror}; expected the host's pinned key in it"
        ) from error
    key = None if target.use_agent else _load_key(where, target.key_file)
    sock = dial(target.address, target.port, where, left)
    transport = paramiko.Transport(sock, disabled_algorithms=WEAK)
    try:
        options = transport.get_security_options()
        options.key_types = wanted_algorithms(pins, options.key_types)
        _agree(transport, where, left)
        server_key = transport.get_remote_server_key()
        judge_key(pins, name, server_key.get_name(), server_key.asbytes(), target.known_hosts)
        _log_in(transport, target, key, where, left)
    except BaseException:
        transport.close()
        sock.close()
        raise
    return Connection(transport, where)


def _agree(transport: Any, where: str, left: Left) -> None:
    """Greeting and key exchange."""
    doing = "waiting for the server's greeting and key exchange"
    seconds = left(doing)
    transport.banner_timeout = transport.handshake_timeout = seconds
    done = threading.Event()
    transport.start_client(event=done)
    if not done.wait(seconds):
        raise DeadlineExceeded(f"time was over while {doing}")
    if not transport.is_active():
        left(doing)
        error = transport.get_exception()
        raise CheckFailed(
            f"{where}: no SSH session ({_said(error)}); expected an SSH 2 server with current algorithms"
        ) from error


def _log_in(transport: Any, target: Target, key: Any, where: str, left: Left) -> None:
    paramiko = _paramiko()
    doing = f"logging in as {target.user}"
    ssh_agent = paramiko.Agent() if key is None else None
    keys = [key] if ssh_agent is None else list(ssh_agent.get_keys())
    why: BaseException | None = None
    try:
        for one in keys:
            transport.auth_timeout = left(doing)
            # A refused key and a connection closed after too many look alike here; the next round tells.
            try:
                transport.auth_publickey(target.user, one)
            except (paramiko.SSHException, EOFError) as error:
                why = error
            if transport.is_authenticated():
                return
            if not transport.is_active():
                break
    finally:
        if ssh_agent is not None:
            ssh_agent.close()
    left(doing)
    shown = "the keys of the SSH agent" if key is None else f"key file {target.key_file}"
    tried = ", ".join(one.fingerprint for one in keys) or "none offered; is SSH_AUTH_SOCK set?"
    raise CheckFailed(
        f"{where}: login as {target.user} with {shown} ({tried}) was refused ({_said(why)}); "
        f"expected that public key in authorized_keys of {target.user} there"
    ) from why


def _load_key(where: str, path: str) -> Any:
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


def _said(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}" if error is not None else "no reason given"
