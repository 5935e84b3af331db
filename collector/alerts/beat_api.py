"""Heartbeats: ``/v1/beats/{key}`` is called by what is watched, ``/api/beats`` by who watches.

The key in the address is the secret. GET, HEAD and POST all count, as such calls are made by whatever is at hand:

    curl -fsS -m 10 --retry 5 https://bongsu.example.org/v1/beats/KEY          done
    curl -fsS -m 10 --retry 5 https://bongsu.example.org/v1/beats/KEY/start    begun: the end is due within the grace
    curl -fsS -m 10 --retry 5 https://bongsu.example.org/v1/beats/KEY/$?       ended, with this exit code; 0 is well
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse

from agent.link.clock import Chance, SystemChance
from collector.access.guard import Reader, Writer
from collector.access.paging import After, Limit, Page, page
from collector.alerts import beat_asked as asked
from collector.alerts import beat_queries as queries
from collector.alerts.beat import FAIL, START, SUCCESS, Beat, heard
from collector.alerts.beat_asked import NewBeat
from collector.errors import Refused
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services


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
        return made(*asked.agree(services, caller, wanted, now(), luck))

    @routes.get("/api/beats/{name}")
    def one(caller: Reader, name: str) -> Shown:
        return shown(asked.find(services, caller, name), now())

    @routes.post("/api/beats/{name}/pause")
    def pause(caller: Writer, name: str) -> Shown:
        """Nobody waits for it until it is resumed."""
        return shown(asked.change(services, caller, name, "pause", now()), now())

    @routes.post("/api/beats/{name}/resume")
    def resume(caller: Writer, name: str) -> Shown:
        return shown(asked.change(services, caller, name, "resume", now()), now())

    @routes.post("/api/beats/{name}/key")
    def rekey(caller: Writer, name: str) -> Made:
        """Another address; the old one is worthless."""
        return made(*asked.rekey(services, caller, name, now(), luck))

    @routes.delete("/api/beats/{name}", status_code=204)
    def remove(caller: Writer, name: str) -> None:
        asked.remove(services, caller, name, now())

    def made(beat: Beat, key: str) -> Made:
        return Made(**shown(beat, now()).model_dump(), url=asked.url_of(services.settings.server.url, key))

    return routes


def shown(beat: Beat, now: datetime) -> Shown:
    values = {name: getattr(beat, name) for name in Shown.model_fields if name != "status"}
    return Shown(**values, status=beat.status(now))
