"""Rotating an agent's key: the new one is vouched for by the newest the agent has.

``POST /v1/keys`` ``{"agent_id", "key_no", "public_key", "signature"}`` -> ``{"key_no"}``. The signature is the current
key's over ``bongsu-rotate-1\\0`` ‖ agent_id ‖ new key_no (8 bytes, big-endian) ‖ new public key. The same request twice
gives the same answer: an agent that lost the first one still knows where it stands. Old keys stay known, so that what
waits in a spool under them is taken.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from agent.link.keys import PUBLIC_BYTES, SIGNATURE_BYTES, is_signed
from agent.link.names import ROTATE_PREFIX
from collector.errors import Refused
from collector.fleet.enrolment import AGENT_ID_BYTES, read_hex
from collector.fleet.joining import add_key
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents

MOST_KEYS = 1_000


class RotationRequest(msgspec.Struct, frozen=True):
    agent_id: bytes
    key_no: int
    public_key: bytes
    signature: bytes


def rotation_message(agent_id: bytes, key_no: int, public_key: bytes) -> bytes:
    """What the current key signs."""
    return ROTATE_PREFIX + agent_id + key_no.to_bytes(8, "big") + public_key


def read_rotation(body: bytes) -> RotationRequest:
    """Raises Refused ``bad_request``."""
    try:
        said = msgspec.json.decode(body, type=dict)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as why:
        raise Refused(400, "bad_request", f"The body is not a JSON object ({why}).") from why
    key_no = said.get("key_no")
    if type(key_no) is not int or not 1 <= key_no <= MOST_KEYS:
        raise Refused(400, "bad_request", f"Key_no: expected a whole number, 1 to {MOST_KEYS}.")
    return RotationRequest(
        read_hex(said, "agent_id", AGENT_ID_BYTES),
        key_no,
        read_hex(said, "public_key", PUBLIC_BYTES),
        read_hex(said, "signature", SIGNATURE_BYTES),
    )


def rotate(connection: Connection, request: RotationRequest, now: datetime) -> int:
    """The number of the key that holds from now on. Raises Refused."""
    agent = connection.execute(select(agents).where(agents.c.id == request.agent_id).with_for_update()).first()
    if agent is None or agent.status == "revoked":
        raise Refused(403, "unknown_agent", "No such agent is enrolled here.")
    keys = {
        row.key_no: row.public_key
        for row in connection.execute(select(agent_keys).where(agent_keys.c.agent_id == request.agent_id))
    }
    message = rotation_message(request.agent_id, request.key_no, request.public_key)
    vouching = keys.get(request.key_no - 1, b"")
    if not is_signed(message, request.signature, vouching):
        raise Refused(403, "bad_proof", f"The signature does not hold: it must be by key {request.key_no - 1}.")
    if keys.get(request.key_no) == request.public_key:
        return request.key_no
    if request.key_no != max(keys) + 1:
        raise Refused(409, "key_known", f"Key {request.key_no} is there already; the next is {max(keys) + 1}.")
    taken = select(agent_keys.c.agent_id).where(agent_keys.c.public_key == request.public_key)
    if connection.execute(taken).first() is not None:
        raise Refused(409, "key_known", "This public key is in use already. Make a new one.")
    add_key(connection, request.agent_id, request.key_no, request.public_key, now)
    bump_version(connection)
    return request.key_no
