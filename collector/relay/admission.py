"""Enrolling agents on the centre's behalf.

A hub names the agent itself, writes that down, and asks the centre to take the name; so whatever gets lost on the way,
the same token with the same key means the same agent everywhere. Where the centre cannot be asked, the token's own
signature, its end and the region decide, and the agent is let in provisionally. When the centre is back it decides,
above all whether the token was used elsewhere meanwhile; whom it refuses is revoked here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from agent.link.clock import Chance, SystemChance
from agent.link.token import JoinToken, token_hash
from collector.errors import Refused
from collector.fleet.agent_status import ACTIVE, REVOKED
from collector.fleet.enrolment import AGENT_ID_BYTES, EnrolmentRequest
from collector.fleet.joining import EnrolmentAnswer, answer_of, check_proof, host_name, make_agent, read_own
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts, sites
from collector.relay.registry_apply import PROVISIONAL, REFUSED, REGISTRY
from collector.relay.tables import admissions, spent_tokens

log = logging.getLogger(__name__)
ASKED, ACCEPTED = "asked", "accepted"


@dataclass(frozen=True, slots=True)
class Admission:
    """An enrolment as this hub keeps it."""

    token_hash: bytes
    agent_id: bytes
    body: bytes
    state: str
    at_ms: int


def propose(
    connection: Connection, request: EnrolmentRequest, body: bytes, now_ms: int, chance: Chance | None = None
) -> Admission:
    """The name this hub proposes for the agent, the same for the same token and key. Raises Refused ``token_used``."""
    name = token_hash(request.token)
    row = connection.execute(select(admissions).where(admissions.c.token_hash == name)).first()
    if row is not None and row.public_key == request.public_key:
        return Admission(name, row.agent_id, row.body, row.state, row.at_ms)
    if row is not None and row.state in (PROVISIONAL, ACCEPTED):
        raise Refused(409, "token_used", "This join token was used with another key. Ask for a new one.")
    agent_id = (chance or SystemChance()).bytes(AGENT_ID_BYTES)
    connection.execute(delete(admissions).where(admissions.c.token_hash == name))
    connection.execute(
        insert(admissions).values(
            token_hash=name,
            public_key=request.public_key,
            agent_id=agent_id,
            host="",
            body=body,
            state=ASKED,
            at_ms=now_ms,
        )
    )
    return Admission(name, agent_id, body, ASKED, now_ms)


def check_offline(connection: Connection, request: EnrolmentRequest, centre_public: bytes, now: datetime) -> JoinToken:
    """What can be told of a token without its centre. Raises Refused with the code of the contract."""
    token = read_own(request.token, centre_public)
    if token.role or connection.execute(select(sites.c.id).where(sites.c.id == token.site)).first() is None:
        text = f"This join token is for {token.role or 'site'} {token.site!r}, and the centre cannot be asked now."
        raise Refused(503, "upstream_away", f"{text} Try again, or another collector.")
    if token.expires_at_ms <= round(now.timestamp() * 1000):
        raise Refused(403, "token_expired", "This join token is over. Ask for a new one.")
    spent = select(spent_tokens.c.hash).where(spent_tokens.c.hash == token_hash(request.token))
    if connection.execute(spent).first() is not None and agent_of(connection, request.public_key) is None:
        raise Refused(409, "token_used", "This join token was used or cancelled. Ask for a new one.")
    check_proof(request.token, request.public_key, request.proof)
    host_name(token, request.host)
    return token


def admit(
    connection: Connection,
    request: EnrolmentRequest,
    token: JoinToken,
    admission: Admission,
    centre_public: bytes,
    now: datetime,
) -> EnrolmentAnswer:
    """Let an agent in until the centre decides; the same again for the same token and key. Raises Refused."""
    if admission.state == REFUSED:
        raise Refused(409, "token_used", "The centre refused this join token. Ask for a new one.")
    site = connection.execute(select(sites).where(sites.c.id == token.site)).one()
    host = f"{host_name(token, request.host)}.{site.id}"
    known = agent_of(connection, request.public_key)
    if known is None:
        make_agent(connection, request.public_key, admission.agent_id, host, site, PROVISIONAL, REGISTRY, now)
        _note(connection, admission.token_hash, PROVISIONAL, host)
        log.warning(
            "agent let in provisionally: the centre cannot be asked, and decides when it is back",
            extra={"agent": admission.agent_id.hex(), "host": host},
        )
    elif known.status == REVOKED or known.site != site.id:
        raise Refused(409, "token_used", "This join token was used, and its agent was revoked. Ask for a new one.")
    agent_id, host = (known.id, known.host) if known is not None else (admission.agent_id, host)
    return answer_of(connection, token, agent_id, host, site, centre_public)


def agent_of(connection: Connection, public_key: bytes) -> Row[Any] | None:
    """The agent with this key, where there is one here."""
    joined = select(agents).join(agent_keys, agent_keys.c.agent_id == agents.c.id)
    return connection.execute(joined.where(agent_keys.c.public_key == public_key)).first()


def accepted(
    connection: Connection, request: EnrolmentRequest, answer: dict[str, Any], name: bytes, now: datetime
) -> None:
    """The centre took it: the agent may report at once, without waiting for the next registry."""
    agent_id, hosts_said = bytes.fromhex(answer["agent_id"]), list(answer["hosts"])
    site = connection.execute(select(sites).where(sites.c.id == answer["site"])).first()
    _note(connection, name, ACCEPTED, hosts_said[0])
    if site is None:  # not of our region: its agent reports elsewhere
        return
    known = connection.execute(select(agents.c.status).where(agents.c.id == agent_id)).scalar()
    if known == PROVISIONAL:
        connection.execute(update(agents).where(agents.c.id == agent_id).values(status=ACTIVE, status_at=now))
        bump_version(connection)
    elif known is None:
        make_agent(connection, request.public_key, agent_id, hosts_said[0], site, ACTIVE, REGISTRY, now)


def refused(connection: Connection, admission: Admission, now: datetime) -> None:
    """The centre says no: who was let in meanwhile is out again."""
    _note(connection, admission.token_hash, REFUSED, None)
    left = update(agents).where(agents.c.id == admission.agent_id, agents.c.status == PROVISIONAL)
    if connection.execute(left.values(status=REVOKED, status_at=now)).rowcount:
        connection.execute(update(hosts).where(hosts.c.agent_id == admission.agent_id).values(agent_id=None))
        bump_version(connection)


def undecided(connection: Connection) -> list[Admission]:
    """Those the centre has still to decide on, oldest first."""
    rows = connection.execute(select(admissions).where(admissions.c.state == PROVISIONAL).order_by(admissions.c.at_ms))
    return [Admission(row.token_hash, row.agent_id, row.body, row.state, row.at_ms) for row in rows]


def with_name(body: bytes, admission: Admission, *, admitted: bool) -> bytes:
    """The agent's request with the name we propose, as it goes to the centre."""
    said = msgspec.json.decode(body)
    said["agent_id"] = admission.agent_id.hex()
    if admitted:
        said["admitted_at_ms"] = admission.at_ms
    return msgspec.json.encode(said)


def _note(connection: Connection, name: bytes, state: str, host: str | None) -> None:
    values: dict[str, Any] = {"state": state} if host is None else {"state": state, "host": host}
    connection.execute(update(admissions).where(admissions.c.token_hash == name).values(**values))
