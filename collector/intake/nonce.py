"""Nonces for signed GETs: any collector process with the same key recognises them, and none has to remember them."""

from __future__ import annotations

import hashlib
import hmac

LIFETIME_MS = 3_600_000
_TIME_BYTES = 8
_TAG_BYTES = 16


class Nonces:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, now_ms: int) -> str:
        time = now_ms.to_bytes(_TIME_BYTES, "big")
        return (time + self._tag(time)).hex()

    def is_fresh(self, text: str, now_ms: int) -> bool:
        """Whether we gave this nonce within the last hour."""
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            return False
        time, tag = raw[:_TIME_BYTES], raw[_TIME_BYTES:]
        if not hmac.compare_digest(tag, self._tag(time)):
            return False
        return 0 <= now_ms - int.from_bytes(time, "big") <= LIFETIME_MS

    def _tag(self, time: bytes) -> bytes:
        return hashlib.blake2b(time, key=self._secret, digest_size=_TAG_BYTES, person=b"bongsu-nonce").digest()
