"""Proving that an address reaches a person: ``POST /api/people/{id}/contacts/verify``.

Without ``code`` one is sent there, through the same outbox, channel and wording as every page; with it, the address is
verified. For the person themselves, and for who leads or administers; who asks learns of no address they may not see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from agent.link.clock import SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import member
from collector.access.problems import not_found
from collector.errors import Refused
from collector.pages import page as p
from collector.pages.desk import Ways
from collector.pages.outbox import row_of
from collector.pages.page import Route
from collector.pages.pipeline import Outgoing
from collector.pages.queries import add_page
from collector.pages.wording import Matter, Reader, word
from collector.pages.words import language_of
from collector.people.person import Person
from collector.people.queries import list_people
from collector.people.verify import TRIES, keep_code, new_code, take_code, wait_seconds
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.services import Services

Member = Annotated[Caller, Depends(member)]


class VerifyIn(BaseModel):
    channel: str = Field(max_length=32)
    address: str = Field(max_length=400)
    code: str = Field("", max_length=16)


class VerifyOut(BaseModel):
    """``sent``: a code is on its way, good until ``expires_at``. ``verified_at``: the code was right."""

    sent: bool
    expires_at: datetime | None = None
    verified_at: datetime | None = None


def router(services: Services, office: PostOffice) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["people"])

    @routes.post("/people/{person}/contacts/verify")
    def verify(caller: Member, person: str, body: VerifyIn) -> VerifyOut:
        if body.code:
            at = confirm(services, caller, person, body.channel, body.address, body.code)
            return VerifyOut(sent=False, verified_at=at)
        until = send_code(services, office.ways, office.deliveries.wake, caller, person, body.channel, body.address)
        return VerifyOut(sent=True, expires_at=until)

    return routes


def send_code(
    services: Services, ways: Ways, wake: Callable[[], None], caller: Caller, person: str, channel: str, address: str
) -> datetime:
    """Until when the code is good. Raises Refused."""
    now = instant(services.clock.wall_ms())
    found = whose(services, caller, person, channel, address)
    if channel not in ways.configured:
        raise Refused(409, "no_channel", f"Channel {channel!r} is not set up here: see [[channels]] in the settings.")
    code = new_code(SystemChance())
    language = language_of(found.languages)
    matter = Matter(p.VERIFY, ways.base_url, code=code)
    worded = word(matter, Reader(language, found.timezone, channel in ways.outside), now)
    out = Outgoing(person, ((Route(channel, address), worded),), now, language, "")
    with services.store.transaction() as connection:
        wait = wait_seconds(connection, person, channel, address, now)
        if wait:
            text = f"A code is on its way there: wait {wait} seconds before sending another."
            raise Refused(429, "too_many_codes", text, headers={"Retry-After": str(wait)})
        until = keep_code(connection, person, channel, address, code, now, caller.name)
        row = row_of(
            out, kind=p.VERIFY, severity=p.INFO, uid="verify", timer=services.clock.wall_ms(), step=0, now=now,
            secret=ways.secret, agency=found.agency,
        )  # fmt: skip
        add_page(connection, row)
        record(connection, now, caller.name, "contact.code", person, {"channel": channel})
    wake()
    return until


def confirm(services: Services, caller: Caller, person: str, channel: str, address: str, code: str) -> datetime:
    """When it was verified: now. Raises Refused, the same for a wrong code as for one that is over."""
    now = instant(services.clock.wall_ms())
    whose(services, caller, person, channel, address)
    with services.store.transaction() as connection:
        done = take_code(connection, person, channel, address, code, now)
        action = "contact.verified" if done else "contact.wrong_code"
        record(connection, now, caller.name, action, person, {"channel": channel})
    if not done:
        raise Refused(422, "bad_code", f"The code is wrong, too old, or was tried {TRIES} times: send a new one.")
    return now


def whose(services: Services, caller: Caller, person: str, channel: str, address: str) -> Person:
    """Raises Refused: 404 for a person or address the caller may not see, 409 at a hub."""
    with services.store.reading() as connection:
        found = next(
            (each for each in list_people(connection, caller.scope, limit=1_000_000) if each.id == person), None
        )
    if found is None:
        raise not_found("person", person)
    is_own = caller.way == "session" and bool(found.login) and found.login == caller.name
    if not is_own and not (caller.may("lead") or caller.may("administer")):
        raise Refused(403, "not_allowed", "An address is verified by the person themselves, or by who leads.")
    if not any((each.channel, each.address) == (channel, address) for each in found.contacts):
        raise not_found("address", channel)
    if services.is_hub:
        raise Refused(409, "hub", "People are changed at the centre, not at a hub.")
    return found
