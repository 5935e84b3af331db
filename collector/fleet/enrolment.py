"""Joining: a token, a key made on the agent's own machine and a proof of it become an agent bound to a host.

The same token with the same key gives the same answer again, whatever happened to the first one on its way: a lost
answer must not cost a journey to the site. ``docs/protocol.md``, "Enrolment".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from agent.link.clock import Chance, SystemChance
from agent.link.keys import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey
from agent.link.model import MAX_INT
from agent.link.token import JoinToken, token_hash
from collector.errors import Refused
from collector.fleet.agent_status import ACTIVE, REVOKED
from collector.fleet.joining import EnrolmentAnswer, answer_of, check_proof, host_name, make_agent, read_own
from collector.fleet.tables import agents, join_tokens, sites
from collector.fleet.topology_apply import ENROLMENT
from collector.store.schema import instant

AGENT_ID_BYTES = 16


class EnrolmentRequest(msgspec.Struct, frozen=True):
    """``host`` is the short name, already checked."""

    token: str
    public_key: bytes
    proof: bytes
    host: str
    agent_id: bytes = b""
    """Proposed by the hub that asks on the agent's behalf; believed only where that hub signed the request."""
    admitted_at_ms: int = 0
    """When that hub let the agent in, where it could not ask then."""


VOUCHED = timedelta(days=31)
"""How long ago a hub may say it let an agent in: longer than any hub keeps what its centre did not take."""


def read_enrolment(body: bytes) -> EnrolmentRequest:
    """Raises Refused ``bad_request``. ``host`` may be a name, or an object with ``host.name`` or ``name``."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as why:
        raise _bad(f"the body is not JSON ({why})") from why
    if not isinstance(said, dict):
        raise _bad("the body is not a JSON object")
    token = said.get("token")
    if not isinstance(token, str):
        raise _bad("token: expected the text that bongsu token create printed")
    public_key = read_hex(said, "public_key", PUBLIC_BYTES)
    proof = read_hex(said, "proof", SIGNATURE_BYTES)
    host: Any = said.get("host", "")
    if isinstance(host, dict):
        host = host.get("host.name", host.get("name", ""))
    if not isinstance(host, str):
        raise _bad("host: expected a name, or an object with host.name")
    agent_id = read_hex(said, "agent_id", AGENT_ID_BYTES) if said.get("agent_id") else b""
    admitted = said.get("admitted_at_ms")
    admitted_at_ms = admitted if type(admitted) is int and 0 < admitted < MAX_INT else 0
    name = host.strip().lower().split(".")[0]
    return EnrolmentRequest(token, public_key, proof, name, agent_id, admitted_at_ms)


def read_hex(said: dict[str, Any], name: str, size: int) -> bytes:
    """Raises Refused ``bad_request`` unless the field is ``size`` bytes in hex."""
    value = said.get(name)
    try:
        found = bytes.fromhex(value) if isinstance(value, str) and len(value) == 2 * size else b""
    except ValueError:
        found = b""
    if len(found) != size:
        raise _bad(f"{name}: expected {size} bytes as {2 * size} hex digits")
    return found


def enrol(
    connection: Connection,
    request: EnrolmentRequest,
    centre: SigningKey,
    now: datetime,
    chance: Chance | None = None,
    hub: str = "",
) -> tuple[EnrolmentAnswer, bool]:
    """(the answer, whether this token and key had it before). Raises Refused with the code of the contract.

    ``hub`` asks on the agent's behalf, as its signature proved: for sites of its region it may name the agent's id and
    vouch for when it let the agent in.
    """
    token, row = _known_token(connection, request, centre)
    is_vouched = bool(hub) and _hub_of(connection, token.site) == hub
    proposed = request.agent_id if is_vouched else b""
    if is_vouched and request.admitted_at_ms:
        now = min(now, max(instant(request.admitted_at_ms), row.created_at, now - VOUCHED))
    if row.used_at is not None:
        if proposed and row.agent_id != proposed:
            raise Refused(409, "token_used", "This join token was used already, by an agent that joined another way.")
        return _answer_again(connection, request, token, row, centre), True
    if row.cancelled_at is not None:
        raise Refused(403, "token_unknown", "This join token was cancelled. Ask for a new one.")
    if row.expires_at <= now:
        raise Refused(
            403, "token_expired", f"This join token ended at {row.expires_at:%Y-%m-%d %H:%M} UTC. Ask for a new one."
        )
    name = host_name(token, request.host)
    # One enrolment at a time per site (a no-op on SQLite, which has one writer): two agents must not win one host.
    site = connection.execute(select(sites).where(sites.c.id == token.site).with_for_update()).one()
    agent_id = proposed or (chance or SystemChance()).bytes(AGENT_ID_BYTES)
    host = f"{name}.{site.id}"
    make_agent(connection, request.public_key, agent_id, host, site, ACTIVE, ENROLMENT, now)
    spent = connection.execute(
        update(join_tokens)
        .where(join_tokens.c.hash == row.hash, join_tokens.c.used_at.is_(None), join_tokens.c.cancelled_at.is_(None))
        .values(used_at=now, used_key=request.public_key, agent_id=agent_id)
    )
    if not spent.rowcount:  # somebody was faster between our look and our write
        raise _used()
    return answer_of(connection, token, agent_id, host, site, centre.public), False


def _hub_of(connection: Connection, site: str) -> str:
    return connection.execute(select(sites.c.hub).where(sites.c.id == site)).scalar() or ""


def _known_token(connection: Connection, request: EnrolmentRequest, centre: SigningKey) -> tuple[JoinToken, Row[Any]]:
    token = read_own(request.token, centre.public)
    if connection.execute(select(sites.c.id).where(sites.c.id == token.site)).first() is None:
        raise Refused(403, "token_foreign", f"This join token is for site {token.site!r}, which is not here.")
    row = connection.execute(select(join_tokens).where(join_tokens.c.hash == token_hash(request.token))).first()
    if row is None:
        raise Refused(403, "token_unknown", "This join token is not known here. Ask for a new one.")
    check_proof(request.token, request.public_key, request.proof)
    return token, row


def _answer_again(
    connection: Connection, request: EnrolmentRequest, token: JoinToken, row: Row[Any], centre: SigningKey
) -> EnrolmentAnswer:
    if row.used_key != request.public_key:
        raise _used()
    agent = connection.execute(select(agents).where(agents.c.id == row.agent_id)).first()
    if agent is None or agent.status == REVOKED:
        raise Refused(409, "token_used", "This join token was used, and its agent was revoked. Ask for a new one.")
    site = connection.execute(select(sites).where(sites.c.id == token.site)).one()
    return answer_of(connection, token, agent.id, agent.host, site, centre.public)


def _used() -> Refused:
    return Refused(409, "token_used", "This join token was used with another key. Ask for a new one.")


def _bad(text: str) -> Refused:
    return Refused(400, "bad_request", text[:1].upper() + text[1:] + ".")
