"""What the centre wants an agent to do: its profile, interval, checks, processes and probes, under the centre's signature.

MessagePack ``[payload, signature]``; ``payload`` is the MessagePack of a map and the signature is the centre's over
``bongsu-policy-1\\0`` and the payload. A hub hands it on unchanged, so nobody on the way can give orders.

    {"agent": <16 B>, "version": 3, "at_ms": 1790000000000, "link_profile": "thin", "interval_seconds": 60,
     "checks": {"off": ["bonding"]}, "processes": [{"name": "sshd", "command": "sshd"}], "probes": [...]}

What a policy does not say is not in the map. ``version`` rises by one with every change of an agent's policy, so an
old one that somebody kept is known by its number. Answers name the newest by its ``hint``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from agent.link.keys import is_signed
from agent.link.model import encode
from agent.link.names import POLICY_PREFIX

MAX_POLICY_BYTES = 256 << 10
HINT_BYTES = 4


class PolicyError(Exception):
    """A policy does not hold; nothing may be done on it."""


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One agent's policy. Empty and 0 = nothing is said. Tables are left as they are: who runs them reads them."""

    agent: bytes
    version: int
    at_ms: int
    link_profile: str = ""
    interval_seconds: int = 0
    checks: dict[str, list[str]] = {}
    processes: list[dict[str, Any]] = []
    probes: list[dict[str, Any]] = []


class _Signed(msgspec.Struct, array_like=True, frozen=True):
    payload: bytes
    signature: bytes


_decode_signed = msgspec.msgpack.Decoder(_Signed).decode
_decode_policy = msgspec.msgpack.Decoder(Policy).decode
_decode_map = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode


def pack_policy(policy: Policy, sign: Callable[[bytes], bytes]) -> bytes:
    """Sealed with the centre's key; ``sign`` gives the 64-byte signature of its argument."""
    payload = encode(policy)
    return encode((payload, sign(POLICY_PREFIX + payload)))


def policy_text(packed: bytes) -> str:
    """As it stands in the JSON of ``GET /v1/policy``."""
    return base64.b64encode(packed).decode()


def packed_of(text: str) -> bytes:
    """The reverse of ``policy_text``. Raises PolicyError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as why:
        raise PolicyError(f"policy: {why}") from why


def open_policy(packed: bytes, centre_key: bytes, agent_id: bytes) -> Policy:
    """A policy whose signature and agent were checked. Members this version does not know are left aside.

    Raises PolicyError.
    """
    if len(packed) > MAX_POLICY_BYTES:
        raise PolicyError(f"policy of {len(packed)} bytes: expected at most {MAX_POLICY_BYTES}")
    try:
        signed = _decode_signed(packed)
        if not is_signed(POLICY_PREFIX + signed.payload, signed.signature, centre_key):
            raise PolicyError("policy: not signed by the centre this agent was enrolled with")
        policy: Policy = _decode_policy(signed.payload)
    except (msgspec.MsgspecError, RecursionError, ValueError) as why:
        raise PolicyError(f"policy: {why}") from why
    if policy.agent != agent_id:
        raise PolicyError(f"policy: for agent {policy.agent.hex()}, expected {agent_id.hex()}")
    return policy


def policy_hint(packed: bytes) -> str:
    """8 hex digits that name a signed policy in answers: of the SHA-256 of its map's members, in order, but ``at_ms``.

    Raises PolicyError where it is none.
    """
    try:
        members = _decode_map(_decode_signed(packed).payload)
    except (msgspec.MsgspecError, RecursionError, ValueError) as why:
        raise PolicyError(f"policy: {why}") from why
    members.pop("at_ms", None)
    return hashlib.sha256(encode(members)).digest()[:HINT_BYTES].hex()
