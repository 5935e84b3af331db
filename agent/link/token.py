"""Join tokens: single-use, short-lived, bound to a site, signed by the centre (docs/protocol.md, "Enrolment").

Text form: ``bongsu1.`` then base64url without padding of MessagePack ``[payload, signature]``; the signature is the
centre's over ``bongsu-token-1\\0`` and the payload, so a hub that is cut off can check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

import msgspec

from agent.link.keys import SigningKey, is_signed
from agent.link.model import encode
from agent.link.names import ENROL_PREFIX, TOKEN_PREFIX

TEXT_PREFIX = "bongsu1."


class TokenError(Exception):
    """A join token could not be used; the message says why and what to do."""


class JoinToken(msgspec.Struct, array_like=True, frozen=True):
    """What a token says. ``host`` empty = the agent names its host; ``ca_sha256`` empty = the system's CAs are trusted.

    ``role`` "hub": whoever joins is a hub, and ``site`` is the hub's id.
    """

    token_id: bytes
    site: str
    host: str
    expires_at_ms: int
    collectors: list[str]
    ca_sha256: bytes
    centre_key: bytes
    role: str = ""


class _Signed(msgspec.Struct, array_like=True, frozen=True):
    payload: bytes
    signature: bytes


def write_token(token: JoinToken, centre: SigningKey) -> str:
    fields = msgspec.structs.astuple(token)
    payload = encode(fields if token.role else fields[:-1])
    packed = encode((payload, centre.sign(TOKEN_PREFIX + payload)))
    return TEXT_PREFIX + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_token(text: str) -> JoinToken:
    """What a token says, its signature checked against the centre key it names itself.

    An agent believes the token because an administrator handed it over; a collector must also see that
    ``centre_key`` is its own. Raises TokenError.
    """
    text = text.strip()
    if not text.startswith(TEXT_PREFIX):
        raise TokenError(
            f"join token: expected text that begins with {TEXT_PREFIX!r}; make one with: bongsu token create --site SITE"
        )
    try:
        body = text[len(TEXT_PREFIX) :]
        signed = msgspec.msgpack.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Signed)
        token = msgspec.msgpack.decode(signed.payload, type=JoinToken)
    except (binascii.Error, msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise TokenError("join token: damaged or cut short; copy the whole line again") from why
    if not is_signed(TOKEN_PREFIX + signed.payload, signed.signature, token.centre_key):
        raise TokenError("join token: its signature does not hold; copy the whole line again")
    return token


def token_hash(text: str) -> bytes:
    """SHA-256 of the token's text, under which the centre remembers it."""
    return hashlib.sha256(text.strip().encode()).digest()


def proof_message(text: str, public_key: bytes) -> bytes:
    """What the new key signs to prove that it is held by whoever enrols."""
    return ENROL_PREFIX + token_hash(text) + public_key
