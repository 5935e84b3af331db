"""``/v1/outbox/{channel}``: a relay in the internet's zone fetches signed pages here and leaves receipts, where nothing may
be carried to it and this collector may not reach out (``kind = "relay"``, ``is_fetched = true``). See ``relay_box.py``."""

from __future__ import annotations

import hmac
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from agent.link.private_file import write_private
from collector.errors import Refused
from collector.pages.relay_box import MOST_NAMES, OUTBOX, asked
from collector.pages.senders.base import SendError
from collector.pages.senders.http import signature
from collector.pages.senders.relay import (
    FILE_BYTES,
    PAGE,
    RECEIPT,
    NotOurs,
    RelaySender,
    names,
    path_of,
    read_bytes,
    remove,
)

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.services import Services

log = logging.getLogger(__name__)
APART_SECONDS = 300
_NAME = re.compile(r"[0-9a-f]{32}")


async def _body(request: Request) -> bytes:
    return await request.body()


def router(services: Services, office: PostOffice) -> APIRouter:
    routes = APIRouter(prefix=OUTBOX.rstrip("/"), include_in_schema=False)

    @routes.get("/{channel}")
    def waiting(channel: str, request: Request) -> dict[str, Any]:
        folder, _ = _proven(services, office, channel, request, b"")
        return {"names": list(names(folder, PAGE))[:MOST_NAMES]}

    @routes.get("/{channel}/{name}")
    def page(channel: str, name: str, request: Request) -> Response:
        folder, _ = _proven(services, office, channel, request, b"")
        try:
            data = path_of(folder, PAGE, _named(name)).read_bytes()
        except FileNotFoundError as why:
            raise Refused(404, "not_found", "This page was sent, or is too old.") from why
        return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    @routes.post("/{channel}/{name}", status_code=204)
    def receipt(channel: str, name: str, request: Request, body: Annotated[bytes, Depends(_body)]) -> None:
        """Kept like one that was carried here, and read by the same job."""
        folder, key = _proven(services, office, channel, request, body)
        try:
            read_bytes(body[: FILE_BYTES + 1], RECEIPT, _named(name), key)
        except NotOurs as why:
            raise Refused(422, "bad_receipt", str(why)) from why
        write_private(path_of(folder, RECEIPT, name), body)
        remove(folder, PAGE, name)

    return routes


def _named(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise Refused(404, "not_found", "No page has such a name.")
    return name


def _proven(services: Services, office: PostOffice, channel: str, request: Request, body: bytes) -> tuple[Path, str]:
    """The channel's folder and key. Raises Refused."""
    sender = office.senders.get(channel)
    if not isinstance(sender, RelaySender) or not sender.options.is_fetched:
        raise Refused(404, "not_found", "No channel of this name is fetched.")
    try:
        key = sender.options.secret.read()
    except SendError as why:
        raise Refused(503, "not_ready", "This channel's secret cannot be read; see bongsu doctor.") from why
    stamp = request.headers.get("bongsu-timestamp", "")
    now = services.clock.wall_ms() // 1000
    is_near = stamp.isascii() and stamp.isdigit() and abs(int(stamp[:15]) - now) <= APART_SECONDS
    proof = signature(key, stamp, asked(request.method, request.url.path, body))
    if not is_near or not hmac.compare_digest(request.headers.get("bongsu-signature", "").encode(), proof.encode()):
        log.warning("a relay was refused", extra={"channel": channel})
        raise Refused(401, "not_proven", "Not signed with this channel's secret, or at another time.")
    return Path(sender.options.folder), key
