"""Hubs as members of the centre: invited by a token, known by a key, suspended and revoked one by one.

A hub that is set up anew joins anew and is another identity; the row of the former one stays until it is revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from agent.link.answer import HUB
from agent.link.clock import Chance, SystemChance
from agent.link.keys import SigningKey, is_signed
from agent.link.token import JoinToken, proof_message, token_hash, write_token
from collector.errors import Refused, UsageError, nearest
from collector.fleet.agent_status import ACTIVE, REVOKED
from collector.fleet.enrolment import AGENT_ID_BYTES, EnrolmentRequest
from collector.fleet.joining import FIRST_KEY_NO
from collector.fleet.registry import bump_version
from collector.fleet.tables import hub_keys, hub_tokens, hubs
from collector.fleet.tokens import MOST_HOURS, TOKEN_ID_BYTES

TOKEN_WORDS = "make a new one at the centre: bongsu token create --hub"  # noqa: S105


@dataclass(frozen=True, slots=True)
class HubMember:
    """One identity of a hub. ``contact_at``: when it last proved itself, as far as it was written down; ``copy_*``: the copy of the
    registry it keeps as a custodian, and when that was last all there was."""

    hub: str
    id: bytes
    status: str
    enrolled_at: datetime
    status_at: datetime
    contact_at: datetime | None
    copy_version: int | None
    copy_at: datetime | None


def create_hub_token(
    connection: Connection,
    centre: SigningKey,
    *,
    hub: str,
    hours: int,
    collectors: list[str],
    ca_sha256: bytes,
    created_by: str,
    now: datetime,
    chance: Chance,
) -> tuple[str, datetime]:
    """(the token's text, when it ends). Raises UsageError."""
    known = list(connection.execute(select(hubs.c.id).order_by(hubs.c.id)).scalars())
    if hub not in known:
        raise UsageError(f"hub {hub!r}: no such hub; {nearest(hub, known)}")
    if not 1 <= hours <= MOST_HOURS:
        raise UsageError(f"hours {hours}: expected 1 to {MOST_HOURS}")
    ends = now + timedelta(hours=hours)
    token_id = chance.bytes(TOKEN_ID_BYTES)
    ends_ms = int(ends.timestamp() * 1000)
    text = write_token(JoinToken(token_id, hub, "", ends_ms, collectors, ca_sha256, centre.public, HUB), centre)
    row = {"hash": token_hash(text), "token_id": token_id, "hub": hub}
    connection.execute(insert(hub_tokens).values(**row, created_at=now, created_by=created_by, expires_at=ends))
    return text, ends


def enrol_hub(
    connection: Connection, request: EnrolmentRequest, token: JoinToken, centre: SigningKey, now: datetime
) -> tuple[dict[str, Any], bool]:
    """(the answer, whether this token and key had it before). Raises Refused with the code of the contract."""
    row = _known(connection, request, token, centre)
    if row.used_at is not None:
        if row.used_key != request.public_key:
            raise Refused(409, "token_used", f"This join token was used with another key; {TOKEN_WORDS} {token.site}.")
        return _answer(connection, token, row.hub_key_id, centre), True
    if row.cancelled_at is not None:
        raise Refused(403, "token_unknown", f"This join token was cancelled; {TOKEN_WORDS} {token.site}.")
    if row.expires_at <= now:
        ended = f"{row.expires_at:%Y-%m-%d %H:%M} UTC"
        raise Refused(403, "token_expired", f"This join token ended at {ended}; {TOKEN_WORDS} {token.site}.")
    taken = connection.execute(select(hub_keys.c.id).where(hub_keys.c.public_key == request.public_key)).scalar()
    if taken is not None:
        raise Refused(409, "key_known", f"This key belongs to hub identity {taken.hex()} already.")
    hub_id = SystemChance().bytes(AGENT_ID_BYTES)
    connection.execute(
        insert(hub_keys).values(
            id=hub_id,
            hub=token.site,
            key_no=FIRST_KEY_NO,
            public_key=request.public_key,
            status=ACTIVE,
            enrolled_at=now,
            status_at=now,
        )
    )
    spent = connection.execute(
        update(hub_tokens)
        .where(hub_tokens.c.hash == row.hash, hub_tokens.c.used_at.is_(None), hub_tokens.c.cancelled_at.is_(None))
        .values(used_at=now, used_key=request.public_key, hub_key_id=hub_id)
    )
    if not spent.rowcount:
        raise Refused(409, "token_used", f"This join token was used with another key; {TOKEN_WORDS} {token.site}.")
    bump_version(connection)
    return _answer(connection, token, hub_id, centre), False


def _known(connection: Connection, request: EnrolmentRequest, token: JoinToken, centre: SigningKey) -> Row[Any]:
    if token.centre_key != centre.public:
        raise Refused(403, "token_foreign", "This join token was made by another centre.")
    row = connection.execute(select(hub_tokens).where(hub_tokens.c.hash == token_hash(request.token))).first()
    if row is None:
        raise Refused(403, "token_unknown", f"This join token is not known here; {TOKEN_WORDS} {token.site}.")
    if not is_signed(proof_message(request.token, request.public_key), request.proof, request.public_key):
        raise Refused(403, "bad_proof", "The proof does not hold: it must be the new key's signature over this token.")
    return row


def _answer(connection: Connection, token: JoinToken, hub_id: bytes, centre: SigningKey) -> dict[str, Any]:
    url = connection.execute(select(hubs.c.url).where(hubs.c.id == token.site)).scalar() or ""
    return {
        "agent_id": hub_id.hex(),
        "key_no": FIRST_KEY_NO,
        "role": HUB,
        "site": "",
        "hub": token.site,
        "url": url,
        "hosts": [],
        "collectors": token.collectors,
        "centre_key": centre.public.hex(),
    }


def list_members(connection: Connection) -> list[HubMember]:
    """Every identity a hub ever had here, by hub and age."""
    rows = connection.execute(select(hub_keys).order_by(hub_keys.c.hub, hub_keys.c.enrolled_at))
    return [
        HubMember(r.hub, r.id, r.status, r.enrolled_at, r.status_at, r.contact_at, r.copy_version, r.copy_at)
        for r in rows
    ]


def set_hub_status(connection: Connection, word: str, status: str, now: datetime) -> list[bytes]:
    """The identities that changed; ``word`` is a hub (all of its identities that are not revoked) or the beginning of
    an identity's id. Raises UsageError."""
    rows = connection.execute(select(hub_keys)).all()
    found = [row for row in rows if row.hub == word and row.status != REVOKED] or [
        row for row in rows if word and row.id.hex().startswith(word.lower())
    ]
    if not found:
        raise UsageError(f"hub {word!r}: no identity of such a hub; see: bongsu hub list")
    if any(row.status == REVOKED for row in found) and status != REVOKED:
        raise UsageError(f"hub identity {word} was revoked, and that is for good; {TOKEN_WORDS} {found[0].hub}")
    changed = [row.id for row in found if row.status != status]
    for hub_id in changed:
        connection.execute(update(hub_keys).where(hub_keys.c.id == hub_id).values(status=status, status_at=now))
    if changed:
        bump_version(connection)
    return changed
