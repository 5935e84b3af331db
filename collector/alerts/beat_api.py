"""Heartbeats: ``/v1/beats/{key}`` is called by what is watched, ``/api/beats`` by who watches.

The key in the address is the secret. GET, HEAD and POST all count, as such calls are made by whatever is at hand:

    curl -fsS -m 10 --retry 5 https://bongsu.example.org/v1/beats/KEY          done
    curl -fsS -m 10 --retry 5 https://bongsu.example.org/v1/beats/KEY/start    begun: the end is due within the grace
    curl -fsS -m 10 --retry 5 https://bongsu.example.org/v1/beats/KEY/$?       ended, with this exit code; 0 is well
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError

from agent.link.clock import Chance, SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Reader, Writer
from collector.access.paging import After, Limit, Page, page
from collector.access.problems import not_found
from collector.alerts import beat_queries as queries
from collector.alerts.beat import FAIL, START, SUCCESS, BadSchedule, Beat, check_schedule, heard, paused, resumed
from collector.errors import Refused
from collector.fleet.registry import Fleet
from collector.fleet.topology_keys import NAME, NAME_WORDS
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

MOST_SECONDS = 366 * 86_400
Severity = Literal["critical", "warning", "info"]


class NewBeat(BaseModel):
    """Either ``period_seconds`` or ``cron``, which reads the wall clock of ``timezone``. At most one of host, system and
    site says what it is about."""

    id: str
    title: str = Field(default="", max_length=200)
    period_seconds: int = Field(default=0, ge=0, le=MOST_SECONDS)
    cron: str = Field(default="", max_length=100)
    timezone: str = "Asia/Seoul"
    grace_seconds: int = Field(default=600, ge=10, le=MOST_SECONDS)
    severity: Severity = "warning"
    agency: str = ""
    site: str = ""
    host: str = ""
    system: str = ""


class Shown(NewBeat):
    """``status``: new (never heard), up, late (due, within its grace), down, paused, or unsure: it may have called while
    no collector ran."""

    status: str
    last_at: datetime | None
    started_at: datetime | None
    down_at: datetime | None
    recovered_at: datetime | None
    alert_after: datetime | None
    exit_code: int | None
    last_text: str
    created_at: datetime
    created_by: str


class Made(Shown):
    """``url`` is told this once."""

    url: str


async def _body(request: Request) -> bytes:
    return await request.body()


def router(services: Services, chance: Chance | None = None) -> APIRouter:
    routes = APIRouter(tags=["beats"])
    store, luck = services.store, chance or SystemChance()

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.api_route("/v1/beats/{key}", methods=["GET", "POST"], include_in_schema=False)
    def done(key: str, body: Annotated[bytes, Depends(_body)]) -> PlainTextResponse:
        return hear(key, SUCCESS, None, body)

    @routes.api_route("/v1/beats/{key}/{word}", methods=["GET", "POST"], include_in_schema=False)
    def said(key: str, word: str, body: Annotated[bytes, Depends(_body)]) -> PlainTextResponse:
        if word in (START, FAIL):
            return hear(key, word, None, body)
        if word.isascii() and word.isdecimal() and int(word) <= 255:
            return hear(key, FAIL if int(word) else SUCCESS, int(word), body)
        raise Refused(400, "bad_request", f"{word!r}: expected start, fail or an exit code, 0 to 255.")

    def hear(key: str, kind: str, code: int | None, body: bytes) -> PlainTextResponse:
        text = body.decode("utf-8", "replace").replace("\0", "").strip()
        with store.transaction() as connection:
            beat = queries.beat_of_key(connection, key)
            if beat is not None:
                queries.write_beat(connection, heard(beat, kind, now(), code, text))
        if beat is None:
            raise Refused(404, "not_found", "No heartbeat has this address.")
        return PlainTextResponse("OK\n", headers={"Cache-Control": "no-store"})

    @routes.get("/api/beats")
    def listed(caller: Reader, after: After = "", limit: Limit = 100) -> Page[Shown]:
        with store.reading() as connection:
            found = queries.list_beats(connection, caller.scope, after, limit + 1)
        return page([shown(beat, now()) for beat in found], [beat.id for beat in found], limit)

    @routes.post("/api/beats", status_code=201)
    def add(caller: Writer, wanted: NewBeat) -> Made:
        """Watch something. Its address is told this once."""
        beat, key = agree(services, caller, wanted, now(), luck)
        return Made(**shown(beat, now()).model_dump(), url=url_of(services.settings.server.url, key))

    @routes.get("/api/beats/{name}")
    def one(caller: Reader, name: str) -> Shown:
        with store.reading() as connection:
            return shown(_find(queries.find_beat(connection, name, caller.scope), name), now())

    @routes.post("/api/beats/{name}/pause")
    def pause(caller: Writer, name: str) -> Shown:
        """Nobody waits for it until it is resumed."""
        return change(caller, name, "pause")

    @routes.post("/api/beats/{name}/resume")
    def resume(caller: Writer, name: str) -> Shown:
        return change(caller, name, "resume")

    @routes.post("/api/beats/{name}/key")
    def rekey(caller: Writer, name: str) -> Made:
        """Another address; the old one is worthless."""
        with store.transaction() as connection:
            beat = _find(queries.find_beat(connection, name, caller.scope), name)
            key = queries.new_key(connection, name, luck)
            record(connection, now(), caller.name, "beat.key", name)
        return Made(**shown(beat, now()).model_dump(), url=url_of(services.settings.server.url, key))

    @routes.delete("/api/beats/{name}", status_code=204)
    def remove(caller: Writer, name: str) -> None:
        with store.transaction() as connection:
            _find(queries.find_beat(connection, name, caller.scope), name)
            queries.remove_beat(connection, name)
            record(connection, now(), caller.name, "beat.remove", name)

    def change(caller: Caller, name: str, what: str) -> Shown:
        with store.transaction() as connection:
            beat = _find(queries.find_beat(connection, name, caller.scope), name)
            after = (paused if what == "pause" else resumed)(beat, now())
            queries.write_beat(connection, after)
            record(connection, now(), caller.name, f"beat.{what}", name)
        return shown(after, now())

    return routes


def agree(services: Services, caller: Caller, wanted: NewBeat, now: datetime, chance: Chance) -> tuple[Beat, str]:
    """Keep a new beat; it and its key. Raises Refused."""
    beat = beat_of(wanted, services.registry.fleet, caller.name, now)
    if not caller.scope.allows(beat.agency, beat.site):
        raise not_found("agency or site", beat.site or beat.agency)
    try:
        with services.store.transaction() as connection:
            key = queries.add_beat(connection, beat, chance)
            record(connection, now, caller.name, "beat.add", beat.id)
    except IntegrityError as why:
        raise Refused(409, "beat_known", f"There is a heartbeat {beat.id!r} already.") from why
    return beat, key


def beat_of(wanted: NewBeat, fleet: Fleet, who: str, now: datetime) -> Beat:
    """The beat as asked for, with what the registry knows of its subject. Raises Refused."""
    if NAME.fullmatch(wanted.id) is None:
        raise Refused(422, "bad_id", f"id {wanted.id!r}: expected {NAME_WORDS}.")
    try:
        check_schedule(wanted.period_seconds, wanted.cron)
    except BadSchedule as why:
        raise Refused(422, "bad_schedule", f"{why}.") from why
    if wanted.timezone not in available_timezones():
        raise Refused(422, "bad_timezone", f"timezone {wanted.timezone!r}: expected a name such as 'Asia/Seoul'.")
    for kind, known in (
        ("agency", fleet.agencies),
        ("site", fleet.sites),
        ("host", fleet.hosts),
        ("system", fleet.systems),
    ):
        name = getattr(wanted, kind)
        if name and name not in known:
            raise not_found(kind, name)
    agency, site = wanted.agency, wanted.site
    if wanted.host:
        host = fleet.hosts[wanted.host]
        agency, site = host.agency, host.site
    elif wanted.system:
        agency = fleet.systems[wanted.system].agency
    elif site:
        agency = agency or fleet.sites[site].agency
    values = wanted.model_dump() | {"agency": agency, "site": site}
    return Beat(**values, created_at=now, created_by=who)


def shown(beat: Beat, now: datetime) -> Shown:
    values = {name: getattr(beat, name) for name in Shown.model_fields if name != "status"}
    return Shown(**values, status=beat.status(now))


def url_of(server: str, key: str) -> str:
    return f"{server}/v1/beats/{key}"


def _find(beat: Beat | None, name: str) -> Beat:
    if beat is None:
        raise not_found("heartbeat", name)
    return beat
