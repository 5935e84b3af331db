"""Where a relay finds pages and leaves receipts: a folder that is carried to it, or the collector itself, asked over HTTPS.

    GET  /v1/outbox/sms                 {"names": ["4f1a…", …]}      oldest first
    GET  /v1/outbox/sms/4f1a…           the page's file as it was signed
    POST /v1/outbox/sms/4f1a…           its receipt, signed

Each request carries ``Bongsu-Timestamp`` and ``Bongsu-Signature`` over method, path and body, made with the channel's secret; and
pages and receipts are signed by themselves, so that whoever stands between can drop one, but write none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from agent.link.clock import Clock
from collector.pages.door import Answered, Door, Outward
from collector.pages.senders.base import SendError
from collector.pages.senders.http import signature, taken
from collector.pages.senders.relay import (
    PAGE,
    RECEIPT,
    is_there,
    names,
    read_bytes,
    read_signed,
    remove,
    signed,
    write_signed,
)

OUTBOX = "/v1/outbox/"
MOST_NAMES = 500
GONE = "address"
"""What a 404 means to senders."""


class Box(Protocol):
    """``read`` raises NotOurs, and FileNotFoundError where the page went meanwhile; all may raise OSError and SendError."""

    def names(self) -> list[str]: ...
    def read(self, name: str) -> Mapping[str, Any]: ...
    def is_done(self, name: str) -> bool: ...
    def leave(self, name: str, receipt: Mapping[str, Any]) -> None: ...


class FolderBox:
    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def names(self) -> list[str]:
        return list(names(self._folder, PAGE))

    def read(self, name: str) -> Mapping[str, Any]:
        return read_signed(self._folder, PAGE, name, self._key)

    def is_done(self, name: str) -> bool:
        """Its receipt is there: it was sent, and the relay died before it took the page away."""
        if not is_there(self._folder, RECEIPT, name):
            return False
        remove(self._folder, PAGE, name)
        return True

    def leave(self, name: str, receipt: Mapping[str, Any]) -> None:
        write_signed(self._folder, RECEIPT, name, receipt, self._key)
        remove(self._folder, PAGE, name)


class HttpBox:
    """Receipts that could not be left wait here; a page of theirs is not sent again meanwhile."""

    def __init__(
        self, url: str, channels: Iterable[str], key: str, door: Door, clock: Clock, ca_file: str = ""
    ) -> None:
        self._url, self._key, self._door, self._clock, self._ca_file = url.rstrip("/"), key, door, clock, ca_file
        self._channels = tuple(channels)
        self._of: dict[str, str] = {}
        """Name of a page -> its channel."""
        self._left: dict[str, bytes] = {}

    def names(self) -> list[str]:
        for name in list(self._left):
            self._post(name)
        self._of = {name: channel for name, channel in self._of.items() if name in self._left}
        for channel in self._channels:
            told = json.loads(self._ask("GET", f"{OUTBOX}{channel}").body)
            found = told.get("names", ()) if isinstance(told, dict) else ()
            self._of |= {str(name): channel for name in found[:MOST_NAMES]}
        return list(self._of)

    def read(self, name: str) -> Mapping[str, Any]:
        try:
            data = self._ask("GET", f"{OUTBOX}{self._of[name]}/{name}").body
        except SendError as why:
            if why.reason == GONE:
                raise FileNotFoundError(name) from why
            raise
        return read_bytes(data, PAGE, name, self._key)

    def is_done(self, name: str) -> bool:
        return name in self._left

    def leave(self, name: str, receipt: Mapping[str, Any]) -> None:
        self._left[name] = signed(RECEIPT, receipt, self._key)
        self._post(name)

    def _post(self, name: str) -> None:
        try:
            self._ask("POST", f"{OUTBOX}{self._of[name]}/{name}", self._left[name])
        except SendError as why:
            if not why.permanent:
                raise  # it waits; what is refused for good would only be refused again
            del self._left[name]
            raise
        del self._left[name]

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answered:
        stamp = str(self._clock.wall_ms() // 1000)
        proof = signature(self._key, stamp, asked(method, path, body))
        headers = (
            ("Bongsu-Timestamp", stamp),
            ("Bongsu-Signature", proof),
            ("Content-Type", "application/octet-stream"),
        )
        out = Outward(method, f"{self._url}{path}", headers, body)
        return taken(self._door.request(out, is_ours=True, ca_file=self._ca_file), self._clock)


def asked(method: str, path: str, body: bytes) -> bytes:
    """What of a request is signed."""
    return f"{method} {path}\n".encode() + body
