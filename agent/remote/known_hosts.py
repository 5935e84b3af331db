"""Which key a host was pinned to, and the words when another one answers. Pure: text in, values out.

    [10.0.3.7]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...        plain, a port other than 22 in brackets
    |1|bTk9Iw4l...=|0Wk1...= ecdsa-sha2-nistp256 AAAAE2VjZHNh...     hashed name (HMAC-SHA1 of the name, keyed by the salt)
    @revoked * ssh-rsa AAAAB3NzaC1yc2E...                            never accept this key

Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Read here rather than by paramiko's HostKeys, which keeps only the first
key of a type per host (so a planned key change cannot list old and new side by side), ignores ``@revoked``, and cannot
say on which line a pin stands. ``@cert-authority`` lines are left out: host certificates are not supported.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from agent.checks.base import CheckFailed


class HostKeyRefused(CheckFailed):
    """The server's key is not the pinned one. ``seen`` and ``pinned`` are fingerprints as ssh-keygen prints them."""

    def __init__(self, message: str, seen: str, pinned: tuple[str, ...], command: str) -> None:
        super().__init__(message)
        self.seen = seen
        self.pinned = pinned
        self.command = command


@dataclass(frozen=True, slots=True)
class Pin:
    """One line that speaks about the host."""

    line: int
    key_type: str
    blob: bytes
    is_revoked: bool

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.blob)


def fingerprint(blob: bytes) -> str:
    """``SHA256:`` and base64 without padding: what ``ssh-keygen -l`` prints for this public key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def listed_name(address: str, port: int) -> str:
    """How known_hosts spells a host: the bare address on port 22, else ``[address]:port``."""
    return address if port == 22 else f"[{address}]:{port}"


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        try:
            _, _, salt, digest = patterns.split("|")
            found = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
            return hmac.compare_digest(found, base64.b64decode(digest))
        except (ValueError, binascii.Error):
            return False
    is_match = False
    for pattern in patterns.lower().split(","):
        # Brackets are literal in known_hosts ([host]:port) but a character class to fnmatch.
        glob = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatchcase(name.lower(), glob):
            if pattern.startswith("!"):
                return False
            is_match = True
    return is_match


def read_pins(text: str, name: str) -> Iterator[Pin]:
    """Pins for a name as ``listed_name`` gives it. Lines that do not parse pin nothing, as with OpenSSH."""
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or marker not in ("", "@revoked"):
            continue
        if not _matches(fields[0], name):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except binascii.Error:
            continue
        yield Pin(number, fields[1], blob, marker == "@revoked")


def wanted_algorithms(pins: Sequence[Pin], offered: Sequence[str]) -> list[str]:
    """Host key algorithms in the order to ask for: pinned types first; the others stay, so that a refusal can say what it saw."""
    kinds = {pin.key_type for pin in pins if not pin.is_revoked}
    if "ssh-rsa" in kinds:  # the key's type; the algorithms that sign with it without SHA-1 are called otherwise
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    return [name for name in offered if name in kinds] + [name for name in offered if name not in kinds]


def judge_key(pins: Sequence[Pin], name: str, key_type: str, blob: bytes, file: str) -> None:
    """Return if the key is pinned, else raise HostKeyRefused with both fingerprints and what an admin can do."""
    seen = fingerprint(blob)
    accepted = [pin for pin in pins if not pin.is_revoked]
    if any(pin.is_revoked and pin.blob == blob for pin in pins):
        raise HostKeyRefused(
            f"{name} answered with host key {seen} ({key_type}), which {file} marks @revoked; "
            "give the server a new host key, then pin that one",
            seen,
            tuple(pin.fingerprint for pin in accepted),
            "",
        )
    if any(pin.blob == blob for pin in accepted):
        return
    pin_it = f"echo {shlex.quote(f'{name} {key_type} {base64.b64encode(blob).decode()}')} >> {shlex.quote(file)}"
    compare = (
        "compare with `ssh-keygen -lf` of the key file /etc/ssh/ssh_host_*_key.pub on its own console, "
        "and only if it prints the same fingerprint run: "
    )
    if accepted:
        pinned = ", ".join(f"{pin.fingerprint} ({pin.key_type}, line {pin.line})" for pin in accepted)
        command = f"ssh-keygen -R {shlex.quote(name)} -f {shlex.quote(file)} && {pin_it}"
        message = (
            f"host key of {name} changed: it answered with {seen} ({key_type}), expected {pinned} from {file}; "
            f"it was reinstalled, or somebody stands in between: {compare}{command}"
        )
    else:
        command = pin_it
        message = f"host key of {name} is not known: it answered with {seen} ({key_type}), {file} pins none for it; {compare}{command}"
    raise HostKeyRefused(message, seen, tuple(pin.fingerprint for pin in accepted), command)
