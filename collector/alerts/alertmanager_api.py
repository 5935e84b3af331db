"""``/api/v2/*``: Alertmanager's API, so that Prometheus, Grafana, vmalert and ``amtool`` talk to this collector as to one.

Paths, parameters and answers are Alertmanager's own; what is wrong is answered as it does, with a JSON text. So it stays
out of our OpenAPI document. Nobody reads or writes more than their scope. There is one receiver, ``bongsu``: who is called
is for incidents to say, not for a routing tree.
"""

from __future__ import annotations

import logging
import platform
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from agent.link.clock import Chance, SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Reader, Writer
from collector.alerts.alert import ALERTMANAGER, FiringAlert
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
from collector.alerts.silence import EXPIRED, Silence, Silences, is_meant, may_change, may_see
from collector.alerts.silence_queries import all_silences, end_silence, find_silence, write_silence
from collector.history.matchers import BadPattern, Matchers, accept, compiled, matcher
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

log = logging.getLogger(__name__)
MOST_SILENCES = 5_000
LISTED = timedelta(hours=120)
"""For so long a silence that is over is listed, as Alertmanager does."""
Disturbances = Callable[[datetime], Iterable[FiringAlert]]
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
    silences: Silences,
    disturbances: Disturbances = lambda _at: (),
    chance: Chance | None = None,
) -> APIRouter:
    """``disturbances``: what verdicts say is wrong, as alerts; shown with the rest."""
    routes = APIRouter(prefix="/api/v2", include_in_schema=False)
    api = _Api(services, book, silences, disturbances, chance or SystemChance())

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
        return _answer(lambda: shown_silence(api.find(caller, name), api.now()))

    @routes.delete("/silence/{name}")
    def expire(caller: Writer, name: str) -> Response:
        return _answer(lambda: api.expire(caller, name))

    @routes.get("/status")
    def status(_caller: Reader) -> Response:
        return _answer(api.status)

    @routes.get("/receivers")
    def receivers(_caller: Reader) -> Response:
        return _answer(lambda: [{"name": RECEIVER}])

    return routes


class _Api:
    def __init__(
        self, services: Services, book: AlertBook, silences: Silences, disturbances: Disturbances, chance: Chance
    ) -> None:
        self._services = services
        self._store = services.store
        self._book = book
        self._silences = silences
        self._disturbances = disturbances
        self._chance = chance
        self._resolve = timedelta(seconds=services.settings.alerts.resolve_timeout_seconds)
        self._started_at = self.now()

    def now(self) -> datetime:
        return instant(self._services.clock.wall_ms())

    def alerts(
        self, caller: Caller, filters: list[str], active: bool, silenced: bool, receiver: str
    ) -> list[dict[str, Any]]:
        now, wanted = self.now(), _matchers(filters)
        if receiver and not _is_named(receiver):
            return []
        found = []
        for alert in (*self._book.now(now), *self._disturbances(now)):
            labels = dict(alert.labels)
            if (
                alert.ended_at_ms is not None
                or not caller.scope.allows(alert.agency, alert.site)
                or not accept(wanted, labels)
            ):
                continue
            by = self._silences.by(labels, now)
            if silenced if by else active:
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
        wrong += self._book.take(sent, ALERTMANAGER, caller.name, self.now(), lasts_ms, caller.scope)
        if wrong:
            log.warning("alerts not taken", extra={"sender": caller.name, "count": len(wrong), "detail": wrong[0]})
            raise Wrong("; ".join(wrong[:20]))

    # ------------------------------------------------------------ silences

    def silences(self, caller: Caller, filters: list[str]) -> list[dict[str, Any]]:
        now, wanted = self.now(), _matchers(filters)
        seen = [
            one
            for one in self._silences.all
            if may_see(one, caller.scope) and one.ends_at > now - LISTED and is_meant(one, wanted)
        ]
        return [shown_silence(one, now) for one in sorted(seen, key=lambda one: (one.state(now), one.ends_at))]

    def find(self, caller: Caller, name: str) -> Silence:
        with self._store.reading() as connection:
            found = find_silence(connection, name)
        if found is None or not may_see(found, caller.scope):
            raise Wrong(f"silence {name} not found", 404)
        return found

    def silence(self, caller: Caller, body: bytes) -> dict[str, Any]:
        """Keep a new one, or a changed one: what has already been silenced is not rewritten, so a change of matchers or
        of a past beginning ends the old one and makes another."""
        posted, now = _decode(_silence, body), self.now()
        try:
            words, starts, ends = words_of(posted.matchers), read_time(posted.starts_at), read_time(posted.ends_at)
        except (BadMatcher, BadAlert) as why:
            raise Wrong(f"invalid silence: {why}") from why
        if ends <= starts:
            raise Wrong("invalid silence: start time must be before end time")
        if ends <= now:
            raise Wrong("invalid silence: end time can't be in the past")
        if not any(not matcher(*word).accepts("") for word in words):
            raise Wrong("invalid silence: at least one matcher must not match the empty string")
        if len(self._silences.all) >= MOST_SILENCES:
            raise Wrong(f"{MOST_SILENCES} silences are known already")
        before = self.find(caller, posted.id) if posted.id else None
        author = posted.created_by or caller.name
        after = Silence("", words, max(starts, now), ends, author, caller.name, posted.comment, now, caller.scope)
        with self._store.transaction() as connection:
            if before is not None and may_change(before, after, starts, now):
                kept = before.starts_at if before.starts_at <= now else after.starts_at
                after = replace(after, id=before.id, starts_at=kept, scope=before.scope)
            else:
                if before is not None and before.state(now) != EXPIRED:
                    end_silence(connection, before, now)
                after = replace(after, id=str(uuid.UUID(bytes=self._chance.bytes(16), version=4)))
            write_silence(connection, after)
            data = {"matchers": after.words, "ends_at": time_text(after.ends_at), "comment": after.comment}
            record(connection, now, caller.name, "silence.keep", after.id, data)
            known = all_silences(connection)
        self._silences.replace(known)
        log.info("silence kept", extra={"silence": after.id, "login": caller.name, "ends_at": time_text(after.ends_at)})
        return {"silenceID": after.id}

    def expire(self, caller: Caller, name: str) -> None:
        silence, now = self.find(caller, name), self.now()
        if silence.state(now) == EXPIRED:
            raise Wrong(f"silence {name} already expired", 500)
        with self._store.transaction() as connection:
            end_silence(connection, silence, now)
            record(connection, now, caller.name, "silence.end", name)
            known = all_silences(connection)
        self._silences.replace(known)
        log.info("silence ended", extra={"silence": name, "login": caller.name})

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
    except Wrong as why:
        return Response(orjson.dumps(str(why)), why.status, media_type="application/json")
    return Response(b"" if content is None else orjson.dumps(content), media_type="application/json")
