"""``POST /v1/replies/{channel}``: answers that a gateway brings: a text message back, a key on the telephone, a mail.

    {"from": "+82 10-1234-5678", "text": "1"}                        a text message: the word, and the number of the incident
                                                                     ("1 418") where several wait
    {"from": "01012345678", "key": "1", "reference": "<page's key>"}     a key that was pressed in a call
    {"from": "kim@example.org", "text": "확인", "reference": "<In-Reply-To and References>", "auto_submitted": "no"}    a mail

The channel's ``reply_secret`` proves the gateway: ``Bongsu-Timestamp`` and ``Bongsu-Signature`` as webhooks carry them, or with
``reply_auth = "token"`` the secret itself in ``Bongsu-Token``. Who answers is known by the address, so it has to be somebody's:
another is refused and counted. Anybody can write a sender into a mail, so a mail has to name the page it answers.
"""

from __future__ import annotations

import hmac
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, ValidationError

from collector.errors import Refused
from collector.pages.reply_queries import incident_of_key, known_addresses, open_incidents
from collector.pages.reply_text import keys_in, read_reply
from collector.pages.senders import reply_auth, reply_secret
from collector.pages.senders.base import SendError
from collector.pages.senders.http import signature
from collector.pages.senders.replies import TOKEN
from collector.settings_channels import Channel
from collector.store.schema import instant
from collector.telemetry_replies import (
    NOT_PROVEN,
    NOT_UNDERSTOOD,
    NOTHING_OPEN,
    UNKNOWN_SENDER,
    WHICH,
    ReplyTelemetry,
)

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.services import Services

log = logging.getLogger(__name__)
APART_SECONDS = 300
WAYS = {"email": "mail", "sms": "sms", "phone": "voice"}
"""How incidents note who answered by which channel; others are programs."""


class Reply(BaseModel):
    sender: str = Field(alias="from", max_length=400)
    text: str = Field("", max_length=20_000)
    key: str = Field("", max_length=8)
    reference: str = Field("", max_length=4000)
    auto_submitted: str = Field("", max_length=100)


class Taken(BaseModel):
    """``outcome``: acknowledged, already, off_shift, over, replied, received."""

    outcome: str
    incident: int | None


async def _body(request: Request) -> bytes:
    return await request.body()


def router(services: Services, office: PostOffice) -> APIRouter:
    routes = APIRouter(prefix="/v1/replies", tags=["pages"])
    channels = {channel.name: channel for channel in services.settings.channels}
    telemetry = ReplyTelemetry(services.telemetry.registry)

    @routes.post("/{channel}")
    def reply(channel: str, request: Request, body: Annotated[bytes, Depends(_body)]) -> Taken:
        """What somebody answered."""
        now = instant(services.clock.wall_ms())
        try:
            _prove(channels.get(channel), request, body, services.clock.wall_ms())
            taken = _take(services, office, channel, _read(body), now)
        except Refused as why:
            if channel in channels:
                telemetry.came(channel, why.code)
                log.warning("an answer was refused", extra={"channel": channel, "reason": why.code})
            raise
        telemetry.came(channel, taken.outcome)
        return taken

    return routes


def _prove(channel: Channel | None, request: Request, body: bytes, now_ms: int) -> None:
    """Raises Refused."""
    try:
        secret = reply_secret(channel) if channel is not None else ""
    except SendError as why:
        raise Refused(503, NOT_PROVEN, "This channel's secret cannot be read; see bongsu doctor.") from why
    if channel is None or not secret:
        raise Refused(404, "not_found", "No channel of this name takes answers.")
    headers = request.headers
    if reply_auth(channel) == TOKEN:
        is_proven = _same(headers.get("bongsu-token", ""), secret)
    else:
        stamp = headers.get("bongsu-timestamp", "")
        is_near = stamp.isascii() and stamp.isdigit() and abs(int(stamp[:15]) - now_ms // 1000) <= APART_SECONDS
        is_proven = is_near and _same(headers.get("bongsu-signature", ""), signature(secret, stamp, body))
    if not is_proven:
        raise Refused(401, NOT_PROVEN, "Not signed with this channel's secret, or at another time.")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _read(body: bytes) -> Reply:
    try:
        return Reply.model_validate_json(body)
    except ValidationError as why:
        first = why.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, "bad_reply", f"{where or 'body'}: {first['msg']}") from why


def _take(services: Services, office: PostOffice, channel: str, reply: Reply, now: datetime) -> Taken:
    """Raises Refused with what the gateway may tell the person."""
    with services.store.reading() as connection:
        addresses = known_addresses(connection, channel, reply.sender)
        if not addresses:
            raise Refused(403, UNKNOWN_SENDER, "This address is nobody's.")
        keys = keys_in(reply.reference)
        is_named, number = incident_of_key(connection, channel, addresses, keys) if keys else (False, None)
        waiting = open_incidents(connection, channel, addresses, now)
    said = read_reply(reply.key or reply.text, is_mail=channel == "email")
    is_automatic = reply.auto_submitted.lower() not in ("", "no")
    if said is None or is_automatic or (reply.key and said.number is not None):
        raise Refused(
            422,
            NOT_UNDERSTOOD,
            "Not understood: 1 or 확인 acknowledges, with the incident's number where several wait.",
        )
    if channel == "email" and not is_named:
        raise Refused(
            403, NOT_PROVEN, "A mail has to be the answer to a page: it names none of those sent to this address."
        )
    if not is_named:
        if said.number is None and len(waiting) > 1:
            numbers = [one for one in waiting if one is not None]
            raise Refused(409, WHICH, "Several incidents wait; answer with a number.", fields={"incidents": numbers})
        number = said.number if said.number is not None else next(iter(waiting), None)
    elif said.number is not None and said.number != number:
        raise Refused(409, WHICH, "The answer names another incident than the page it is to.")
    found = office.answer_reply(channel, tuple(addresses), WAYS.get(channel, "api"), number=number)
    if found is None:
        raise Refused(404, NOTHING_OPEN, "Nothing that was sent to this address waits for an answer.")
    return Taken(outcome=found.outcome, incident=found.incident.number if found.incident is not None else None)
