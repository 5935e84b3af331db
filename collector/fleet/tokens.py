"""Join tokens as an administrator knows them: made, listed, cancelled. ``agent.link.token`` has their text form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from agent.link.clock import Chance
from agent.link.keys import SigningKey
from agent.link.token import JoinToken, token_hash, write_token
from collector.errors import UsageError, nearest
from collector.fleet.tables import join_tokens, sites
from collector.fleet.topology_keys import NAME, NAME_WORDS
from collector.store.scope import Scope

TOKEN_ID_BYTES = 8
DEFAULT_HOURS = 24
MOST_HOURS = 24 * 30


@dataclass(frozen=True, slots=True)
class KnownToken:
    """``state``: unused, used, expired or cancelled."""

    token_id: bytes
    site: str
    host: str
    state: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    agent_id: bytes | None


def create_token(
    connection: Connection,
    centre: SigningKey,
    *,
    site: str,
    host: str,
    hours: int,
    collectors: list[str],
    ca_sha256: bytes,
    created_by: str,
    now: datetime,
    chance: Chance,
) -> tuple[str, datetime]:
    """(the token's text, when it ends). Only its hash is kept. Raises UsageError."""
    known = list(connection.execute(select(sites.c.id).order_by(sites.c.id)).scalars())
    if site not in known:
        raise UsageError(f"site {site!r}: no such site; {nearest(site, known)}")
    if host and NAME.fullmatch(host) is None:
        raise UsageError(f"host {host!r}: expected {NAME_WORDS}; the site is added by itself")
    if not 1 <= hours <= MOST_HOURS:
        raise UsageError(f"hours {hours}: expected 1 to {MOST_HOURS}")
    ends = now + timedelta(hours=hours)
    token_id = chance.bytes(TOKEN_ID_BYTES)
    ends_ms = int(ends.timestamp() * 1000)
    text = write_token(JoinToken(token_id, site, host, ends_ms, collectors, ca_sha256, centre.public), centre)
    connection.execute(
        insert(join_tokens).values(
            hash=token_hash(text),
            token_id=token_id,
            site=site,
            host=host,
            created_at=now,
            created_by=created_by,
            expires_at=ends,
        )
    )
    return text, ends


def list_tokens(connection: Connection, scope: Scope, now: datetime) -> list[KnownToken]:
    rows = connection.execute(
        select(join_tokens)
        .join(sites, sites.c.id == join_tokens.c.site)
        .where(scope.where(sites.c.agency, sites.c.id))
        .order_by(join_tokens.c.created_at)
    )
    found = []
    for row in rows:
        if row.used_at is not None:
            state = "used"
        elif row.cancelled_at is not None:
            state = "cancelled"
        else:
            state = "expired" if row.expires_at <= now else "unused"
        found.append(
            KnownToken(
                row.token_id, row.site, row.host, state, row.created_at, row.created_by, row.expires_at, row.agent_id
            )
        )
    return found


def cancel_token(connection: Connection, token_id: bytes, now: datetime) -> None:
    """An unused token dies at once. Raises UsageError where there is none of this id, or it was used."""
    row = connection.execute(select(join_tokens).where(join_tokens.c.token_id == token_id)).first()
    if row is None:
        raise UsageError(f"token {token_id.hex()}: no such token; see: bongsu token list")
    if row.used_at is not None:
        raise UsageError(
            f"token {token_id.hex()}: was used already, by agent {row.agent_id.hex()}; "
            f"to shut that one out: bongsu agent revoke {row.agent_id.hex()}"
        )
    connection.execute(
        update(join_tokens)
        .where(join_tokens.c.token_id == token_id, join_tokens.c.cancelled_at.is_(None))
        .values(cancelled_at=now)
    )
