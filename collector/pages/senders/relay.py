"""The way out of a closed network: pages become signed files that a relay in the internet's zone sends.

``outbox/out/<name>.page`` is written here; ``bongsu relay-send outbox`` runs where the folder is carried to, sends by its own
channels and leaves ``outbox/receipts/<name>.receipt``, signed with the same secret. A file is two lines: JSON, and
``sha256=<hex>`` of HMAC-SHA256 over ``<kind>.<JSON>`` with kind ``page`` or ``receipt``, so that neither passes as the other.
The name is made of the key: a page written twice is one file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.link.private_file import write_private
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground, packed, signature
from collector.pages.senders.options import Secret, option, required, secret

FILE_BYTES = 64 << 10
WRITTEN = "outbox:"
"""How the receipt of a page begins that was only written yet."""
PAGE, RECEIPT = "page", "receipt"
FOLDERS = {PAGE: "out", RECEIPT: "receipts"}


@dataclass(frozen=True, slots=True)
class Options:
    folder: str = required("the path of the outbox, a folder that is carried to the relay")
    secret: Secret = secret("the key both sides sign with")
    send_within_seconds: int = option(3600, "a whole number of seconds, at least 60", least=60)
    receipt_within_seconds: int = option(180, "a whole number of seconds, at least 10", least=10)
    is_fetched: bool = option(False, "true where the relay fetches pages from this collector over HTTPS")


class RelaySender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        self._name, self._ground = name, ground
        self.options = options

    def send(self, message: Message) -> str:
        now_ms = self._ground.clock.wall_ms()
        page = {
            "version": 1,
            "channel": self._name,
            "created_ms": now_ms,
            "until_ms": now_ms + self.options.send_within_seconds * 1000,
            "message": message._asdict() | {"fields": dict(message.fields)},
        }
        name = name_of(message.key)
        if len(packed(page)) > FILE_BYTES - 100:
            raise SendError(f"{self._name}: a page of more than {FILE_BYTES} bytes", True, "message")
        try:
            if not is_there(Path(self.options.folder), PAGE, name):
                write_signed(Path(self.options.folder), PAGE, name, page, self.options.secret.read())
        except OSError as why:
            text = f"{self.options.folder}: cannot be written: {why.strerror or why}"
            raise SendError(text, False, "unavailable") from why
        return f"{WRITTEN}{name}"


def name_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def is_there(folder: Path, kind: str, name: str) -> bool:
    return path_of(folder, kind, name).exists()


def write_signed(folder: Path, kind: str, name: str, value: Mapping[str, Any], key: str) -> None:
    """Whole or not at all. Raises OSError."""
    path = path_of(folder, kind, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, signed(kind, value, key))


def signed(kind: str, value: Mapping[str, Any], key: str) -> bytes:
    """A file's content."""
    body = packed(value)
    assert len(body) <= FILE_BYTES - 100, "a page was measured before"
    return body + b"\n" + signature(key, kind, body).encode() + b"\n"


def names(folder: Path, kind: str) -> Iterator[str]:
    """Oldest first."""
    found: list[tuple[float, str]] = []
    with suppress(FileNotFoundError), os.scandir(folder / FOLDERS[kind]) as entries:
        for entry in entries:
            stem, dot, end = entry.name.partition(".")
            is_ours = dot and end == kind and len(stem) == 32 and entry.is_file(follow_symlinks=False)
            if is_ours:
                found.append((entry.stat(follow_symlinks=False).st_mtime, stem))
    return iter([name for _, name in sorted(found)])


class NotOurs(Exception):
    """A file that is not what its place says: no signature of ours, or not whole."""


def read_signed(folder: Path, kind: str, name: str, key: str) -> Mapping[str, Any]:
    """Raises NotOurs; FileNotFoundError where it went meanwhile."""
    with path_of(folder, kind, name).open("rb") as file:
        data = file.read(FILE_BYTES + 1)
    return read_bytes(data, kind, name, key)


def read_bytes(data: bytes, kind: str, name: str, key: str) -> Mapping[str, Any]:
    """The same of what was read already. Raises NotOurs."""
    body, _, rest = data.partition(b"\n")
    if len(data) > FILE_BYTES or not hmac.compare_digest(rest.strip(), signature(key, kind, body).encode()):
        raise NotOurs(f"{name}.{kind}: not signed with our secret, or not whole")
    try:
        value = json.loads(body)
    except ValueError as why:
        raise NotOurs(f"{name}.{kind}: not JSON: {why}") from why
    if not isinstance(value, dict):
        raise NotOurs(f"{name}.{kind}: expected an object")
    return value


def remove(folder: Path, kind: str, name: str) -> None:
    with suppress(FileNotFoundError):
        path_of(folder, kind, name).unlink()


def message_of(page: Mapping[str, Any]) -> Message:
    """Raises NotOurs where a field is missing or of another version."""
    try:
        found = page["message"]
        return Message(**{field: found[field] for field in Message._fields})
    except (KeyError, TypeError) as why:
        raise NotOurs(f"a page of another version: {why}") from why


def path_of(folder: Path, kind: str, name: str) -> Path:
    return folder / FOLDERS[kind] / f"{name}.{kind}"
