"""``/api/tokens``: join tokens, for administrators: what became of each, a new one, and the end of an unused one.

A token's text is in the answer to whoever made it and nowhere else: only its hash is kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.link.clock import SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Administrator, Reader
from collector.access.paging import After, Limit, Page, page
from collector.access.problems import not_found
from collector.errors import Refused, UsageError
from collector.fleet.keys import ca_fingerprint
from collector.fleet.tokens import (
    DEFAULT_HOURS,
    MOST_HOURS,
    KnownToken,
    TokenState,
    cancel_token,
    create_token,
    hub_urls,
    list_tokens,
)
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

NEAR = ("127.0.0.1", "::1", "localhost")


class Token(BaseModel):
    """``agent`` is who used it; ``hub`` is set where it invites a hub (``agent`` is then the hub's identity)."""

    id: str
    site: str
    host: str
    hub: str
    state: TokenState
    created_at: datetime
    created_by: str
    expires_at: datetime
    agent: str | None


class Wanted(BaseModel):
    """``host``: the host's short name; empty = as the machine says."""

    site: str = Field(max_length=64)
    host: str = Field("", max_length=64)
    hours: int = Field(DEFAULT_HOURS, ge=1, le=MOST_HOURS)


class NewToken(BaseModel):
    """``token`` is told this once. ``command`` is what to run on the machine that joins."""

    token: str
    site: str
    host: str
    expires_at: datetime
    collectors: list[str]
    command: str


class Made(NamedTuple):
    """A token right after it was made."""

    token: str
    site: str
    host: str
    ends_at: datetime
    urls: tuple[str, ...]

    @property
    def is_near(self) -> bool:
        """Whether one of the addresses it names is this machine's alone."""
        return any(urlsplit(one).hostname in NEAR for one in self.urls)


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api/tokens", tags=["tokens"])

    @routes.get("")
    def tokens(
        caller: Reader,
        after: After = "",
        limit: Limit = 100,
        site: Annotated[str, Query(max_length=64, description="Only for this site")] = "",
        state: Annotated[TokenState | None, Query(description="Only these")] = None,
    ) -> Page[Token]:
        """Join tokens by id, of sites that are the caller's; those of hubs for whoever sees everything."""
        if not caller.may("administer"):
            raise Refused(
                403, "not_allowed", f"{caller.name} may not see join tokens: it needs the right 'administer'."
            )
        with services.store.reading() as connection:
            known = list_tokens(connection, caller.scope, instant(services.clock.wall_ms()))
        found = [_token(one) for one in known if site in ("", one.site) and state in (None, one.state)]
        found = sorted((one for one in found if one.id > after), key=lambda one: one.id)
        return page(found, [one.id for one in found], limit)

    @routes.post("", status_code=201)
    def make(caller: Administrator, wanted: Wanted) -> NewToken:
        made = make_token(services, caller, wanted.site, wanted.host.lower(), wanted.hours)
        return NewToken(
            token=made.token, site=made.site, host=made.host, expires_at=made.ends_at, collectors=list(made.urls),
            command=f"bongsu-agent enroll --token {made.token}",
        )  # fmt: skip

    @routes.post("/{token}/cancel", status_code=204)
    def cancel(caller: Administrator, token: str) -> None:
        """An unused one is worthless at once."""
        end_token(services, caller, token)

    return routes


def make_token(services: Services, caller: Caller, site: str, host: str, hours: int) -> Made:
    """As ``bongsu token create`` does. Raises Refused 404 for a site that is not the caller's to see, 409 at a hub, 422 for
    what cannot be."""
    place = services.registry.fleet.sites.get(site)
    if place is None or not caller.scope.allows(place.agency, place.id):
        raise not_found("site", site)
    if services.is_hub:
        raise Refused(409, "not_here", "A hub makes no tokens: the centre does.")
    now, settings = instant(services.clock.wall_ms()), services.settings
    with services.store.transaction() as connection:
        urls = [*hub_urls(connection, site), settings.server.url]
        try:
            text, ends_at = create_token(
                connection, services.centre_key, site=site, host=host, hours=hours, collectors=urls,
                ca_sha256=ca_fingerprint(settings.data_dir) if settings.server.tls_cert else b"",
                created_by=caller.name[:64], now=now, chance=SystemChance(),
            )  # fmt: skip
        except UsageError as why:
            raise Refused(422, "bad_token", str(why)) from why
        record(connection, now, caller.name, "token.create", site, {"host": host, "hours": hours})
    return Made(text, site, host, ends_at, tuple(urls))


def end_token(services: Services, caller: Caller, token: str) -> None:
    """Cancel an unused token for an agent, by its id in hex. Raises Refused 404 where it is not the caller's to see, 409 where
    it was used."""
    now = instant(services.clock.wall_ms())
    with services.store.transaction() as connection:
        known = [one.token_id for one in list_tokens(connection, caller.scope, now) if not one.hub]
        found = next((one for one in known if one.hex() == token), None)
        if found is None:
            raise not_found("token", token)
        try:
            cancel_token(connection, found, now)
        except UsageError as why:
            raise Refused(409, "used", str(why)) from why
        record(connection, now, caller.name, "token.cancel", token)


def _token(known: KnownToken) -> Token:
    return Token(
        id=known.token_id.hex(),
        site=known.site,
        host=known.host,
        hub=known.hub,
        state=known.state,
        created_at=known.created_at,
        created_by=known.created_by,
        expires_at=known.expires_at,
        agent=None if known.agent_id is None else known.agent_id.hex(),
    )
