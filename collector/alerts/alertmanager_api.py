"""``/api/v2/*``: Alertmanager's API, so that Prometheus, Grafana, vmalert and ``amtool`` talk to this collector as to one.

Paths, parameters and answers are Alertmanager's own; what is wrong is answered as it does, with a JSON text. So it stays
out of our OpenAPI document. Nobody reads or writes more than their scope. There is one receiver, ``bongsu``: who is called
is for incidents to say, not for a routing tree.
"""

from __future__ import annotations

import logging
import platform
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from collector.access.caller import Caller
from collector.access.guard import Reader, Writer
from collector.alerts.alert import ALERTMANAGER
from collector.alerts.alertmanager_json import (
    RECEIVER,
    PostedAlert,
    PostedSilence,
    grouped,
    read_time,
    sent_of,
    shown_alert,
    shown_silence,
    time_text,
    words_of,
)
from collector.alerts.book import AlertBook
from collector.alerts.matcher_words import BadMatcher, read_matcher
from collector.alerts.received import BadAlert, Sent
from collector.alerts.silence import is_meant
from collector.alerts.silence_desk import NotKept, SilenceDesk
from collector.history.matchers import BadPattern, Matchers, accept, compiled, matcher

if TYPE_CHECKING:
    from collector.services import Services

log = logging.getLogger(__name__)
_alerts = msgspec.json.Decoder(list[PostedAlert])
_silence = msgspec.json.Decoder(PostedSilence)


class Wrong(Exception):
    """Answered with ``status`` and the text, as Alertmanager does."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]
Filter = Annotated[list[str], Query()]


def router(
    services: Services,
    book: AlertBook,
    desk: SilenceDesk,
) -> APIRouter:
    routes = APIRouter(prefix="/api/v2", include_in_schema=False)
    api = _Api(services, book, desk)

    @routes.get("/alerts")
    def alerts(
        caller: Reader,
        filter: Filter = [],  # noqa: B006 -- FastAPI copies it
        active: bool = True,
        silenced: bool = True,
        receiver: str = "",
    ) -> Response:
        return _answer(lambda: api.alerts(caller, filter, active, silenced, receiver))

    @routes.get("/alerts/groups")
    def groups(
        caller: Reader,
        filter: Filter = [],  # noqa: B006
        active: bool = True,
        silenced: bool = True,
        receiver: str = "",
    ) -> Response:
        return _answer(lambda: grouped(api.alerts(caller, filter, active, silenced, receiver)))

    @routes.post("/alerts")
    def add_alerts(caller: Writer, body: Body) -> Response:
        return _answer(lambda: api.take(caller, body))

    @routes.get("/silences")
    def all_of_them(caller: Reader, filter: Filter = []) -> Response:  # noqa: B006
        return _answer(lambda: api.silences(caller, filter))

    @routes.post("/silences")
    def add_silence(caller: Writer, body: Body) -> Response:
        return _answer(lambda: api.silence(caller, body))

    @routes.get("/silence/{name}")
    def one(caller: Reader, name: str) -> Response:
        return _answer(lambda: shown_silence(desk.find(caller, name), desk.now()))

    @routes.delete("/silence/{name}")
    def expire(caller: Writer, name: str) -> Response:
        return _answer(lambda: desk.end(caller, name))

    @routes.get("/status")
    def status(_caller: Reader) -> Response:
        return _answer(api.status)

    @routes.get("/receivers")
    def receivers(_caller: Reader) -> Response:
        return _answer(lambda: [{"name": RECEIVER}])

    return routes


class _Api:
    def __init__(self, services: Services, book: AlertBook, desk: SilenceDesk) -> None:
        self._services = services
        self._book = book
        self._desk = desk
        self._resolve = timedelta(seconds=services.settings.alerts.resolve_timeout_seconds)
        self._started_at = desk.now()

    def alerts(
        self, caller: Caller, filters: list[str], active: bool, silenced: bool, receiver: str
    ) -> list[dict[str, Any]]:
        now, wanted = self._desk.now(), _matchers(filters)
        if receiver and not _is_named(receiver):
            return []
        found = []
        for alert in self._desk.firing(caller.scope, now):
            by = self._desk.by(alert, now)
            if accept(wanted, dict(alert.labels)) and (silenced if by else active):
                found.append(shown_alert(alert, by, now, self._resolve, self._services.settings.server.url))
        return sorted(found, key=lambda alert: alert["fingerprint"])

    def take(self, caller: Caller, body: bytes) -> None:
        sent: list[Sent] = []
        wrong: list[str] = []
        for posted in _decode(_alerts, body):
            try:
                sent.append(sent_of(posted))
            except BadAlert as why:
                wrong.append(str(why))
        lasts_ms = round(self._resolve.total_seconds() * 1000)
        wrong += self._book.take(sent, ALERTMANAGER, caller.name, self._desk.now(), lasts_ms, caller.scope)
        if wrong:
            log.warning("alerts not taken", extra={"sender": caller.name, "count": len(wrong), "detail": wrong[0]})
            raise Wrong("; ".join(wrong[:20]))

    # ------------------------------------------------------------ silences

    def silences(self, caller: Caller, filters: list[str]) -> list[dict[str, Any]]:
        now, wanted = self._desk.now(), _matchers(filters)
        seen = [one for one in self._desk.listed(caller.scope, now) if is_meant(one, wanted)]
        return [shown_silence(one, now) for one in sorted(seen, key=lambda one: (one.state(now), one.ends_at))]

    def silence(self, caller: Caller, body: bytes) -> dict[str, Any]:
        posted = _decode(_silence, body)
        try:
            words, starts, ends = words_of(posted.matchers), read_time(posted.starts_at), read_time(posted.ends_at)
        except (BadMatcher, BadAlert) as why:
            raise Wrong(f"invalid silence: {why}") from why
        kept = self._desk.keep(caller, words, starts, ends, posted.comment, posted.created_by, posted.id)
        return {"silenceID": kept.id}

    def status(self) -> dict[str, Any]:
        own = version("bongsu")
        return {
            "cluster": {"name": "", "peers": [], "status": "disabled"},
            "config": {"original": f"receivers:\n- name: {RECEIVER}\nroute:\n  receiver: {RECEIVER}\n"},
            "uptime": time_text(self._started_at),
            "versionInfo": {
                "version": own,
                "revision": "",
                "branch": "",
                "buildUser": "",
                "buildDate": "",
                "goVersion": f"python{platform.python_version()}",
            },
        }


def _matchers(filters: list[str]) -> Matchers:
    try:
        return tuple(matcher(*read_matcher(text)) for text in filters)
    except BadMatcher as why:
        raise Wrong(str(why)) from why


def _is_named(pattern: str) -> bool:
    try:
        return compiled(pattern).fullmatch(RECEIVER) is not None
    except BadPattern as why:
        raise Wrong(f"failed to parse receiver param: {why}") from why


def _decode(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as why:
        raise Wrong(f"parsing body: {why}") from why


def _answer(make: Any) -> Response:
    try:
        content = make()
    except (Wrong, NotKept) as why:
        return Response(orjson.dumps(str(why)), why.status, media_type="application/json")
    return Response(b"" if content is None else orjson.dumps(content), media_type="application/json")
