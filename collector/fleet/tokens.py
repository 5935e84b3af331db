"""Join tokens as an administrator knows them: made, listed, cancelled. ``agent.link.token`` has their text form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update

from agent.link.clock import Chance
from agent.link.keys import SigningKey
from agent.link.token import JoinToken, token_hash, write_token
from collector.errors import UsageError, nearest
from collector.fleet.registry import bump_version
from collector.fleet.tables import hub_tokens, hubs, join_tokens, sites
from collector.fleet.topology_keys import NAME, NAME_WORDS
from collector.store.scope import EVERYTHING, Scope

TOKEN_ID_BYTES = 8
DEFAULT_HOURS = 24
MOST_HOURS = 24 * 30

TokenState = Literal["unused", "used", "expired", "cancelled"]


@dataclass(frozen=True, slots=True)
class KnownToken:
    token_id: bytes
    site: str
    host: str
    state: TokenState
    created_at: datetime
    created_by: str
    expires_at: datetime
    agent_id: bytes | None
    hub: str = ""
    """Set where the token invites a hub."""


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


def hub_urls(connection: Connection, site: str) -> list[str]:
    """Where the site's hub is reached, as the topology says: agents report there first."""
    found = select(hubs.c.url).join(sites, sites.c.hub == hubs.c.id).where(sites.c.id == site, hubs.c.url != "")
    return list(connection.execute(found).scalars())


def list_tokens(connection: Connection, scope: Scope, now: datetime) -> list[KnownToken]:
    rows = connection.execute(
        select(join_tokens)
        .join(sites, sites.c.id == join_tokens.c.site)
        .where(scope.where(sites.c.agency, sites.c.id))
        .order_by(join_tokens.c.created_at)
    )
    found = [
        KnownToken(
            row.token_id, row.site, row.host, state_of(row, now), row.created_at, row.created_by, row.expires_at,
            row.agent_id,
        )
        for row in rows
    ]  # fmt: skip
    if scope == EVERYTHING:
        found += _hub_tokens(connection, now)
    return found


def _hub_tokens(connection: Connection, now: datetime) -> list[KnownToken]:
    return [
        KnownToken(
            row.token_id, "", "", state_of(row, now), row.created_at, row.created_by, row.expires_at, row.hub_key_id,
            row.hub,
        )
        for row in connection.execute(select(hub_tokens).order_by(hub_tokens.c.created_at))
    ]  # fmt: skip


def state_of(row: Row[Any], now: datetime) -> TokenState:
    """What became of a token."""
    if row.used_at is not None:
        return "used"
    if row.cancelled_at is not None:
        return "cancelled"
    return "expired" if row.expires_at <= now else "unused"


def cancel_token(connection: Connection, token_id: bytes, now: datetime) -> None:
    """An unused token dies at once. Raises UsageError where there is none of this id, or it was used."""
    row = connection.execute(select(join_tokens).where(join_tokens.c.token_id == token_id)).first()
    if row is None and _cancel_hub_token(connection, token_id, now):
        return
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
    bump_version(connection)  # hubs must hear of it with their registry


def _cancel_hub_token(connection: Connection, token_id: bytes, now: datetime) -> bool:
    """Whether there was an unused token of a hub with this id."""
    unused = (hub_tokens.c.token_id == token_id, hub_tokens.c.used_at.is_(None))
    cancelled = update(hub_tokens).where(*unused, hub_tokens.c.cancelled_at.is_(None)).values(cancelled_at=now)
    return bool(connection.execute(cancelled).rowcount)
