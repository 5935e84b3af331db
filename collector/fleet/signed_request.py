"""Who signed a request: an agent or a hub by a registered key, over method, path and a nonce we gave lately.

The four headers prove who asks. They do not cover the body: what is posted proves itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.link.keys import SIGNATURE_BYTES, is_signed
from agent.link.names import AGENT_HEADER, KEY_NO_HEADER, NONCE_HEADER, SIGNATURE_HEADER
from agent.link.signed_get import NONCE_CHARS, request_message
from collector.errors import Refused

ID_BYTES = 16
KeyOf = Callable[[bytes, int], bytes | None]
"""(id, key number) -> the public key of one who may ask now, None where there is none."""


class NonceBook(Protocol):
    """Gives nonces and knows its own again."""

    def make(self, now_ms: int) -> str: ...

    def is_fresh(self, text: str, now_ms: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Signed:
    """What the headers say, before it is believed."""

    id: bytes
    key_no: int
    nonce: str
    signature: bytes


def read_headers(headers: Mapping[str, str]) -> Signed | None:
    """None where the request is not signed, or not in the right shape."""
    try:
        found = Signed(
            bytes.fromhex(headers[AGENT_HEADER]),
            int(headers[KEY_NO_HEADER]),
            headers[NONCE_HEADER],
            bytes.fromhex(headers[SIGNATURE_HEADER]),
        )
    except (KeyError, ValueError):
        return None
    if len(found.id) != ID_BYTES or len(found.signature) != SIGNATURE_BYTES or len(found.nonce) > NONCE_CHARS:
        return None
    return found


def holds(signed: Signed, method: str, path: str, public_key: bytes) -> bool:
    """Whether the signature is this key's. The nonce's age is another question."""
    return is_signed(request_message(method, path, signed.nonce), signed.signature, public_key)


def verify(method: str, path: str, headers: Mapping[str, str], nonces: NonceBook, key_of: KeyOf, now_ms: int) -> bytes:
    """The id of who asks; ``path`` with its query. Raises Refused 401, with a nonce to try again with, or 403."""
    signed = read_headers(headers)
    if signed is None or not nonces.is_fresh(signed.nonce, now_ms):
        raise Refused(
            401,
            "nonce_needed",
            "This request must be signed over a nonce of ours; here is one.",
            fields={"nonce": nonces.make(now_ms)},
        )
    public_key = key_of(signed.id, signed.key_no)
    if public_key is None or not holds(signed, method, path, public_key):
        raise Refused(403, "not_known", "The signature is of nobody who may ask this here.")
    return signed.id
