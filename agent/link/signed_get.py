"""Asking for what is only told to those who are known: policy and registry (docs/protocol.md, "Signed requests").

A request is signed over its method, its path (with the query) and the nonce the receiver last gave. Whoever has no
nonce yet, or an old one, is told the next with a 401 and asks once more. The answer is JSON and brings a fresh nonce.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.names import AGENT_HEADER, KEY_NO_HEADER, NONCE_HEADER, REQUEST_PREFIX, SIGNATURE_HEADER

ASK_SECONDS = 60.0
NONCE_CHARS = 200
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Asker(NamedTuple):
    """Who asks: an agent or a hub by its 16-byte id. ``sign`` gives the 64-byte signature of its argument."""

    id: bytes
    key_no: int
    sign: Callable[[bytes], bytes]


class Told(NamedTuple):
    """A JSON object from the receiver, and the nonce for the next request."""

    said: dict[str, Any]
    nonce: str


class NotTold(NamedTuple):
    """Why there is no answer, for people; ``status`` 0 where nobody answered. ``nonce`` as it was, or a newer one."""

    text: str
    status: int
    nonce: str
    retry_after_seconds: float = 0.0


def request_message(method: str, path: str, nonce: str) -> bytes:
    """What is signed: method, path with query and nonce, one after the other."""
    return REQUEST_PREFIX + f"{method}{path}{nonce}".encode()


def signed_headers(asker: Asker, method: str, path: str, nonce: str) -> tuple[tuple[str, str], ...]:
    signature = asker.sign(request_message(method, path, nonce))
    return (
        (AGENT_HEADER, asker.id.hex()),
        (KEY_NO_HEADER, str(asker.key_no)),
        (NONCE_HEADER, nonce),
        (SIGNATURE_HEADER, signature.hex()),
    )


def signed_get(
    exchange: Exchange, base_url: str, path: str, asker: Asker, nonce: str, deadline_seconds: float = ASK_SECONDS
) -> Told | NotTold:
    """One signed GET; two exchanges where the nonce was missing or old."""
    why = NotTold("", 0, nonce)
    for _ in range(2):
        request = Request("GET", base_url, path, b"", signed_headers(asker, "GET", path, nonce), deadline_seconds)
        response = exchange(request)
        if isinstance(response, Failure):
            return NotTold(response.text, 0, nonce)
        said = _object(response)
        fresh = said.get("nonce")
        fresh = fresh if isinstance(fresh, str) and 0 < len(fresh) <= NONCE_CHARS and fresh.isalnum() else ""
        if response.status == 200 and response.content_type == "application/json":
            return Told(said, fresh or nonce)
        detail = str(said.get("detail") or response.content_type or "no content type")
        text = f"GET {base_url}{path}: HTTP {response.status}: {detail}"
        why = NotTold(text, response.status, fresh or nonce, response.retry_after_seconds)
        if response.status != 401 or not fresh or fresh == nonce:
            break
        nonce = fresh
    return why


def _object(response: Response) -> dict[str, Any]:
    """The JSON object of an answer, empty where there is none."""
    try:
        return _decode(response.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}
