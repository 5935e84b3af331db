"""What joining is made of, at a centre and at a hub that asks on its behalf: a token of this centre, a proof of the key, a
host to bind, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from agent.link.keys import is_signed
from agent.link.token import JoinToken, TokenError, proof_message, read_token
from collector.errors import Refused
from collector.fleet.registry import INTERVAL_SECONDS, bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.fleet.topology_keys import NAME, NAME_WORDS

FIRST_KEY_NO = 1


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


def read_own(text: str, centre_public: bytes) -> JoinToken:
    """A token of our centre. Raises Refused."""
    try:
        token = read_token(text)
    except TokenError as why:
        raise Refused(400, "token_malformed", f"{why}") from why
    if token.centre_key != centre_public:
        raise Refused(403, "token_foreign", "This join token was made by another centre. Ask this one for its own.")
    return token


def check_proof(token: str, public_key: bytes, proof: bytes) -> None:
    """Raises Refused ``bad_proof``."""
    if not is_signed(proof_message(token, public_key), proof, public_key):
        raise Refused(403, "bad_proof", "The proof does not hold: it must be the new key's signature over this token.")


def host_name(token: JoinToken, asked: str) -> str:
    """The short name of the host: the token's, else the one asked for. Raises Refused ``bad_request``."""
    name = token.host or asked
    if NAME.fullmatch(name) is None:
        raise Refused(400, "bad_request", f"Host {name!r}: expected a short name of {NAME_WORDS}.")
    return name


def owner_of(connection: Connection, public_key: bytes) -> bytes | None:
    """The agent whose key it is, or was."""
    found: bytes | None = connection.execute(
        select(agent_keys.c.agent_id).where(agent_keys.c.public_key == public_key)
    ).scalar()
    return found


def make_agent(
    connection: Connection,
    public_key: bytes,
    agent_id: bytes,
    host: str,
    site: Row[Any],
    status: str,
    managed_by: str,
    now: datetime,
) -> None:
    """Agent, key and host. Raises Refused ``host_taken`` or ``key_known``."""
    if (owner := owner_of(connection, public_key)) is not None:
        raise Refused(
            409,
            "key_known",
            f"This key belongs to agent {owner.hex()} already. Remove the agent's key file, so that it makes a new one.",
        )
    if connection.execute(select(agents.c.id).where(agents.c.id == agent_id)).first() is not None:
        raise Refused(409, "key_known", f"Agent {agent_id.hex()} is enrolled already.")
    _bind_host(connection, host, site, agent_id, managed_by)
    connection.execute(
        insert(agents).values(id=agent_id, site=site.id, host=host, status=status, enrolled_at=now, status_at=now)
    )
    add_key(connection, agent_id, FIRST_KEY_NO, public_key, now)
    bump_version(connection)


def add_key(connection: Connection, agent_id: bytes, key_no: int, public_key: bytes, now: datetime) -> None:
    connection.execute(
        insert(agent_keys).values(agent_id=agent_id, key_no=key_no, public_key=public_key, created_at=now)
    )


def answer_of(
    connection: Connection, token: JoinToken, agent_id: bytes, host: str, site: Row[Any], centre_public: bytes
) -> EnrolmentAnswer:
    bound = connection.execute(select(hosts.c.id).where(hosts.c.agent_id == agent_id)).scalars()
    return EnrolmentAnswer(
        agent_id=agent_id.hex(),
        key_no=FIRST_KEY_NO,
        site=site.id,
        hub=site.hub or "",
        hosts=[host, *sorted(set(bound) - {host})],
        collectors=token.collectors,
        centre_key=centre_public.hex(),
        link_profile=site.link_profile,
        interval_seconds=INTERVAL_SECONDS[site.link_profile],
    )


def _bind_host(connection: Connection, host: str, site: Row[Any], agent_id: bytes, managed_by: str) -> None:
    """Make or take the host, and those the topology gives to the agent on it. Raises Refused ``host_taken``."""
    row = connection.execute(select(hosts).where(hosts.c.id == host)).first()
    if row is None:
        name = host.partition(".")[0]
        connection.execute(
            insert(hosts).values(
                id=host, name=name, site=site.id, agency=site.agency, managed_by=managed_by, agent_id=agent_id
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
