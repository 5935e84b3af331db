"""The centre's signed word that it holds records: the only thing on which a spool may delete.

MessagePack ``[payload, signature]``, payload ``[agent_id, epoch, ranges, at_ms]``; the signature is the centre's over
``bongsu-receipt-1\\0`` and the payload. A hub hands it down unchanged, so nobody on the way can forge custody.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import msgspec

from agent.link.keys import is_signed
from agent.link.model import encode
from agent.link.names import RECEIPT_PREFIX
from agent.link.ranges import Ranges


class ReceiptError(Exception):
    """A receipt does not hold; nothing may be deleted on it."""


class Receipt(msgspec.Struct, array_like=True, frozen=True):
    """At ``at_ms`` (the centre's clock) the centre held these numbers of one agent and epoch durably."""

    agent_id: bytes
    epoch: bytes
    ranges: list[tuple[int, int]]
    at_ms: int


class _Signed(msgspec.Struct, array_like=True, frozen=True):
    payload: bytes
    signature: bytes


_decode_signed = msgspec.msgpack.Decoder(_Signed).decode
_decode_receipt = msgspec.msgpack.Decoder(Receipt).decode


def pack_receipt(receipt: Receipt, sign: Callable[[bytes], bytes]) -> bytes:
    """Sealed with the centre's key; ``sign`` gives the 64-byte signature of its argument."""
    payload = encode(receipt)
    return encode((payload, sign(RECEIPT_PREFIX + payload)))


def receipt_text(packed: bytes) -> str:
    """As it stands in the answer."""
    return base64.b64encode(packed).decode()


def open_receipt(text: str, centre_key: bytes, agent_id: bytes) -> Receipt:
    """The receipt of an answer, its signature and its agent checked. Raises ReceiptError."""
    try:
        signed = _decode_signed(base64.b64decode(text, validate=True))
        if not is_signed(RECEIPT_PREFIX + signed.payload, signed.signature, centre_key):
            raise ReceiptError("receipt: not signed by the centre this agent was enrolled with")
        receipt = _decode_receipt(signed.payload)
        Ranges(receipt.ranges)
    except (binascii.Error, msgspec.MsgspecError, RecursionError, ValueError) as why:
        raise ReceiptError(f"receipt: {why}") from why
    if receipt.agent_id != agent_id:
        raise ReceiptError(f"receipt: for agent {receipt.agent_id.hex()}, expected {agent_id.hex()}")
    return receipt
