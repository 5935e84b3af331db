"""A real little SSH server (paramiko's own server side, and bare sockets) that behaves as badly as a test wants.

``behave`` gets the channel and the command of each exec request, in a thread of its own; ``answer`` is the good one: it
runs the command with the local sh, so that SshHost meets a real shell without an sshd.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

from agent.remote.known_hosts import listed_name
from agent.remote.targets import Target

Behaviour = Callable[[Any, str], None]


def answer(
    channel: Any, command: str, shell: Sequence[str] = ("sh",), environment: Mapping[str, str] | None = None
) -> None:
    process = subprocess.Popen(
        [*shell, "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=environment,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    outputs = {process.stdout.fileno(): channel.sendall, process.stderr.fileno(): channel.sendall_stderr}
    try:
        while outputs:
            ready, _, _ = select.select([channel, *outputs] if not channel.eof_received else list(outputs), [], [], 5)
            if channel in ready and channel.recv_ready():
                process.stdin.write(channel.recv(32768))
            elif channel.eof_received or channel.closed:
                process.stdin.close()
            for descriptor in set(ready) & outputs.keys():
                data = os.read(descriptor, 32768)
                outputs[descriptor](data) if data else outputs.pop(descriptor)
        channel.send_exit_status(process.wait(5))
    except (OSError, EOFError, ValueError, paramiko.SSHException, subprocess.TimeoutExpired):
        pass  # the client has closed the channel, before or in the middle of anything
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        close(channel)


def close(channel: Any) -> None:
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # the whole connection may be gone
        channel.close()


def say_nothing(channel: Any, command: str) -> None:
    """Start the command, it seems, and never answer."""


def flood(channel: Any, command: str) -> None:
    """Data without an end, as fast as the window lets it through."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            channel.sendall(b"x" * 32768)


def flood_after_hello(channel: Any, command: str) -> None:
    with contextlib.suppress(OSError, EOFError):
        channel.sendall(b"bongsu 5ac0f3f4-3f0c-4f5e-9a39-0d1c2b3a4e1f\0")
    flood(channel, command)


def close_midway(channel: Any, command: str) -> None:
    with contextlib.suppress(OSError, EOFError):
        channel.sendall(b"bongsu 5ac0")
    close(channel)


class _Interface(paramiko.ServerInterface):
    def __init__(self, server: FakeSsh) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: Any) -> int:
        is_known = key.asbytes() == self._server.user_key.asbytes()
        return paramiko.AUTH_SUCCESSFUL if is_known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return self._server.admit_channel

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        self._server.commands.append(command.decode())
        self._server.before_exec()
        threading.Thread(target=self._server.behave, args=(channel, command.decode()), daemon=True).start()
        return True


class FakeSsh:
    """Accepts on a free loopback port until closed. ``raw`` speaks on the bare socket instead of SSH."""

    def __init__(self, folder: Path, raw: Callable[[socket.socket], None] | None = None) -> None:
        self.host_key = paramiko.ECDSAKey.generate()
        self.user_key = paramiko.ECDSAKey.generate()
        self.behave: Behaviour = answer
        self.before_exec: Callable[[], object] = lambda: None
        self.admit_channel = paramiko.OPEN_SUCCEEDED
        self.commands: list[str] = []
        self.accepted = 0
        self._raw = raw
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[Any] = []
        self.known_hosts = folder / f"known_hosts_{self.port}"
        self.key_file = folder / f"key_{self.port}"
        self.user_key.write_private_key_file(str(self.key_file))
        self.pin(self.host_key)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def pin(self, key: Any) -> None:
        name = listed_name("127.0.0.1", self.port)
        self.known_hosts.write_text(f"{name} {key.get_name()} {key.get_base64()}\n")

    def target(self, **changes: Any) -> Target:
        settings: dict[str, Any] = {
            "name": "srv1",
            "address": "127.0.0.1",
            "port": self.port,
            "user": "bongsu",
            "known_hosts": str(self.known_hosts),
            "key_file": str(self.key_file),
            "deadline_seconds": 5.0,
        }
        return Target(**(settings | changes))

    def drop(self) -> None:
        """Cut every connection, keep listening."""
        while self._open:
            self._open.pop().close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(connection)
            if self._raw is not None:
                threading.Thread(target=self._talk_raw, args=(connection,), daemon=True).start()
                continue
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            self._open.append(transport)
            transport.start_server(event=threading.Event(), server=_Interface(self))

    def _talk_raw(self, connection: socket.socket) -> None:
        assert self._raw is not None
        with contextlib.suppress(OSError):
            self._raw(connection)


@contextmanager
def fake_ssh(folder: Path, raw: Callable[[socket.socket], None] | None = None) -> Iterator[FakeSsh]:
    server = FakeSsh(folder, raw)
    try:
        yield server
    finally:
        server.close()
