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
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, ValidationError

from collector.errors import Refused
from collector.pages.reply_take import Incoming, take
from collector.pages.senders import reply_auth, reply_secret
from collector.pages.senders.base import SendError
from collector.pages.senders.http import signature
from collector.pages.senders.replies import TOKEN
from collector.settings_channels import Channel
from collector.store.schema import instant
from collector.telemetry_replies import NOT_PROVEN

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.services import Services

log = logging.getLogger(__name__)
APART_SECONDS = 300


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
    telemetry = office.replies

    @routes.post("/{channel}")
    def reply(channel: str, request: Request, body: Annotated[bytes, Depends(_body)]) -> Taken:
        """What somebody answered."""
        now = instant(services.clock.wall_ms())
        try:
            _prove(channels.get(channel), request, body, services.clock.wall_ms())
            found = take(services.store, office, channel, _read(body), now)
        except Refused as why:
            if channel in channels:
                telemetry.came(channel, why.code)
                log.warning("an answer was refused", extra={"channel": channel, "reason": why.code})
            raise
        telemetry.came(channel, found.outcome)
        return Taken(outcome=found.outcome, incident=found.incident.number if found.incident is not None else None)

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


def _read(body: bytes) -> Incoming:
    try:
        said = Reply.model_validate_json(body)
    except ValidationError as why:
        first = why.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, "bad_reply", f"{where or 'body'}: {first['msg']}") from why
    return Incoming(said.sender, said.text, said.key, said.reference, said.auto_submitted)
