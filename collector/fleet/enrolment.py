"""Joining: a token, a key made on the agent's own machine and a proof of it become an agent bound to a host.

The same token with the same key gives the same answer again, whatever happened to the first one on its way: a lost
answer must not cost a journey to the site. ``docs/protocol.md``, "Enrolment".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from agent.link.clock import Chance, SystemChance
from agent.link.keys import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, is_signed
from agent.link.model import MAX_INT
from agent.link.token import JoinToken, TokenError, proof_message, read_token, token_hash
from collector.errors import Refused
from collector.fleet.registry import INTERVAL_SECONDS, bump_version
from collector.fleet.tables import agent_keys, agents, hosts, join_tokens, sites
from collector.fleet.topology_apply import ENROLMENT
from collector.fleet.topology_keys import NAME, NAME_WORDS
from collector.store.schema import instant

AGENT_ID_BYTES = 16
FIRST_KEY_NO = 1


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


class EnrolmentAnswer(msgspec.Struct, frozen=True):
    """What an agent needs to begin; as JSON, bytes in lower-case hex. ``hosts``: ids it may speak for, its own first.
    ``collectors``: URLs to report to, in order of preference."""

    agent_id: str
    key_no: int
    site: str
    hub: str
    hosts: list[str]
    collectors: list[str]
    centre_key: str
    link_profile: str
    interval_seconds: int


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
    name = token.host or request.host
    if NAME.fullmatch(name) is None:
        raise _bad(f"host {name!r}: expected a short name of {NAME_WORDS}")
    # One enrolment at a time per site (a no-op on SQLite, which has one writer): two agents must not win one host.
    site = connection.execute(select(sites).where(sites.c.id == token.site).with_for_update()).one()
    known = connection.execute(select(agent_keys.c.agent_id).where(agent_keys.c.public_key == request.public_key))
    if (owner := known.scalar()) is not None:
        raise Refused(
            409,
            "key_known",
            f"This key belongs to agent {owner.hex()} already. Remove the agent's key file, so that it makes a new one.",
        )
    agent_id = proposed or (chance or SystemChance()).bytes(AGENT_ID_BYTES)
    if connection.execute(select(agents.c.id).where(agents.c.id == agent_id)).first() is not None:
        raise Refused(409, "key_known", f"Agent {agent_id.hex()} is enrolled already.")
    host = f"{name}.{site.id}"
    _bind_host(connection, host, name, site, agent_id)
    connection.execute(
        insert(agents).values(id=agent_id, site=site.id, host=host, status="active", enrolled_at=now, status_at=now)
    )
    add_key(connection, agent_id, FIRST_KEY_NO, request.public_key, now)
    spent = connection.execute(
        update(join_tokens)
        .where(join_tokens.c.hash == row.hash, join_tokens.c.used_at.is_(None), join_tokens.c.cancelled_at.is_(None))
        .values(used_at=now, used_key=request.public_key, agent_id=agent_id)
    )
    if not spent.rowcount:  # somebody was faster between our look and our write
        raise _used()
    bump_version(connection)
    return _answer(connection, token, agent_id, host, FIRST_KEY_NO, centre), False


def _hub_of(connection: Connection, site: str) -> str:
    return connection.execute(select(sites.c.hub).where(sites.c.id == site)).scalar() or ""


def add_key(connection: Connection, agent_id: bytes, key_no: int, public_key: bytes, now: datetime) -> None:
    connection.execute(
        insert(agent_keys).values(agent_id=agent_id, key_no=key_no, public_key=public_key, created_at=now)
    )


def _known_token(connection: Connection, request: EnrolmentRequest, centre: SigningKey) -> tuple[JoinToken, Row[Any]]:
    try:
        token = read_token(request.token)
    except TokenError as why:
        raise Refused(400, "token_malformed", f"{why}") from why
    if token.centre_key != centre.public:
        raise Refused(403, "token_foreign", "This join token was made by another centre. Ask this one for its own.")
    if connection.execute(select(sites.c.id).where(sites.c.id == token.site)).first() is None:
        raise Refused(403, "token_foreign", f"This join token is for site {token.site!r}, which is not here.")
    row = connection.execute(select(join_tokens).where(join_tokens.c.hash == token_hash(request.token))).first()
    if row is None:
        raise Refused(403, "token_unknown", "This join token is not known here. Ask for a new one.")
    if not is_signed(proof_message(request.token, request.public_key), request.proof, request.public_key):
        raise Refused(403, "bad_proof", "The proof does not hold: it must be the new key's signature over this token.")
    return token, row


def _answer_again(
    connection: Connection, request: EnrolmentRequest, token: JoinToken, row: Row[Any], centre: SigningKey
) -> EnrolmentAnswer:
    if row.used_key != request.public_key:
        raise _used()
    agent = connection.execute(select(agents).where(agents.c.id == row.agent_id)).first()
    if agent is None or agent.status == "revoked":
        raise Refused(409, "token_used", "This join token was used, and its agent was revoked. Ask for a new one.")
    return _answer(connection, token, agent.id, agent.host, FIRST_KEY_NO, centre)


def _bind_host(connection: Connection, host: str, name: str, site: Row[Any], agent_id: bytes) -> None:
    """Make or take the host, and those the topology gives to the agent on it. Raises Refused ``host_taken``."""
    row = connection.execute(select(hosts).where(hosts.c.id == host)).first()
    if row is None:
        connection.execute(
            insert(hosts).values(
                id=host, name=name, site=site.id, agency=site.agency, managed_by=ENROLMENT, agent_id=agent_id
            )
        )
    elif row.via:
        raise Refused(
            409,
            "host_taken",
            f"The topology says that the agent on {row.via} speaks for host {host}. "
            "Take the key agent out of its [[hosts]] table first, and apply the file.",
        )
    elif row.agent_id is not None:
        raise Refused(
            409,
            "host_taken",
            f"Host {host} belongs to agent {row.agent_id.hex()}. Revoke that one first "
            f"(bongsu agent revoke {row.agent_id.hex()}), or enrol under another name.",
        )
    else:
        connection.execute(update(hosts).where(hosts.c.id == host).values(agent_id=agent_id))
    connection.execute(update(hosts).where(hosts.c.via == host).values(agent_id=agent_id))


def _answer(
    connection: Connection, token: JoinToken, agent_id: bytes, host: str, key_no: int, centre: SigningKey
) -> EnrolmentAnswer:
    site = connection.execute(select(sites).where(sites.c.id == token.site)).one()
    bound = connection.execute(select(hosts.c.id).where(hosts.c.agent_id == agent_id)).scalars()
    return EnrolmentAnswer(
        agent_id=agent_id.hex(),
        key_no=key_no,
        site=site.id,
        hub=site.hub or "",
        hosts=[host, *sorted(set(bound) - {host})],
        collectors=token.collectors,
        centre_key=centre.public.hex(),
        link_profile=site.link_profile,
        interval_seconds=INTERVAL_SECONDS[site.link_profile],
    )


def _used() -> Refused:
    return Refused(409, "token_used", "This join token was used with another key. Ask for a new one.")


def _bad(text: str) -> Refused:
    return Refused(400, "bad_request", text[:1].upper() + text[1:] + ".")
