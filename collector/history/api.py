"""``/api/v1/*``: Prometheus' query API, so that Grafana can use the collector as a Prometheus.

Paths, parameters, answers and error kinds are Prometheus' own (prometheus.io/docs, "HTTP API"): 400 ``bad_data`` for
what cannot be read or is not understood, 422 ``execution`` for what is too much. The API stays out of our OpenAPI
document, because its contract is Prometheus'.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Annotated, Any, cast
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Body, Request
from fastapi.responses import Response

from agent.link.names import TYPE_NAMES
from collector.access.caller import Caller
from collector.access.guard import Reader
from collector.history.answer import failure, success
from collector.history.instants import BadParameter, duration_ms, instant_ms
from collector.history.promql.evaluate import LOOKBACK_MS, Late
from collector.history.promql.parse import BadQuery
from collector.history.promql.values import ExecutionError
from collector.history.query import Query
from collector.history.source import TooMuch
from collector.history.upstream import Unreachable
from collector.services import Services

Form = Annotated[bytes, Body(media_type="application/x-www-form-urlencoded")]
MAX_FORM_BYTES = 1 << 20
MAX_MS = 1 << 53
MAX_SECONDS = 30.0
"""Time of one query; Prometheus gives two minutes, but it does not judge sites beside it."""


class Parameters:
    """A request's parameters, of its URL and of its form."""

    def __init__(self, request: Request, form: bytes) -> None:
        if len(form) > MAX_FORM_BYTES:
            raise BadParameter(f"form of {len(form)} bytes: expected at most {MAX_FORM_BYTES}")
        self._values = parse_qs(request.url.query, keep_blank_values=True)
        if form:
            for name, values in parse_qs(form.decode("utf-8", "replace"), keep_blank_values=True).items():
                self._values.setdefault(name, []).extend(values)

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def text(self, name: str, default: str = "") -> str:
        return next((value for value in self._values.get(name, ()) if value), default)

    def instant(self, name: str, default_ms: int | None) -> int:
        text = self.text(name)
        if text:
            return instant_ms(name, text)
        if default_ms is None:
            raise BadParameter(f'invalid parameter "{name}": cannot parse "" to a valid timestamp')
        return default_ms

    def duration(self, name: str, default_ms: int | None) -> int:
        text = self.text(name)
        if text:
            return duration_ms(name, text)
        if default_ms is None:
            raise BadParameter(f'invalid parameter "{name}": cannot parse "" to a valid duration')
        return default_ms

    @property
    def lookback_ms(self) -> int:
        found = self.duration("lookback_delta", LOOKBACK_MS)
        if found <= 0:
            raise BadParameter('invalid parameter "lookback_delta": expected a positive duration')
        return found

    def limited(self, found: list[Any]) -> list[Any]:
        """The first ``limit`` of a list; 0 and nothing mean all."""
        text = self.text("limit", "0")
        if not text.isdecimal():
            raise BadParameter(f'invalid parameter "limit": "{text}" is not a non-negative number')
        return found[: int(text)] if int(text) else found


def router(services: Services) -> APIRouter:
    """The routes. Every answer is cut to what the caller may see."""
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)

    def answer(request: Request, form: bytes, caller: Caller, ask: Callable[[Query, Parameters], Any]) -> Response:
        ends_at = services.clock.monotonic() + MAX_SECONDS
        history = services.history
        query = Query(
            history.sources,
            caller.scope,
            lambda: services.clock.monotonic() > ends_at,
            history.coarse(services.clock.wall_ms()),
            [],
        )
        try:
            if history.upstream is not None and history.upstream.answers(caller.scope):
                url = request.url
                return cast("Response", history.upstream.ask(request.method, url.path, url.query, form))
            data = ask(query, Parameters(request, form))
        except (BadQuery, BadParameter) as why:
            return _json(failure("bad_data", str(why)), 400)
        except (TooMuch, ExecutionError) as why:
            return _json(failure("execution", str(why)), 422)
        except Unreachable as why:
            return _json(failure("unavailable", str(why)), 503)
        except Late as why:
            return _json(failure("timeout", str(why)), 503)
        return _json(success(data, query.warnings or ()), 200)

    def now_ms() -> int:
        return services.clock.wall_ms()

    @routes.api_route("/query", methods=["GET", "POST"])
    def query(request: Request, caller: Reader, form: Form = b"") -> Response:
        return answer(
            request,
            form,
            caller,
            lambda ask, given: ask.instant(given.text("query"), given.instant("time", now_ms()), given.lookback_ms),
        )

    @routes.api_route("/query_range", methods=["GET", "POST"])
    def query_range(request: Request, caller: Reader, form: Form = b"") -> Response:
        return answer(
            request,
            form,
            caller,
            lambda ask, given: ask.range(
                given.text("query"),
                given.instant("start", None),
                given.instant("end", None),
                given.duration("step", None),
                given.lookback_ms,
            ),
        )

    @routes.api_route("/series", methods=["GET", "POST"])
    def series(request: Request, caller: Reader, form: Form = b"") -> Response:
        return answer(
            request, form, caller, lambda ask, given: given.limited(ask.series(given.all("match[]"), *_window(given)))
        )

    @routes.api_route("/labels", methods=["GET", "POST"])
    def labels(request: Request, caller: Reader, form: Form = b"") -> Response:
        return answer(
            request, form, caller, lambda ask, given: given.limited(ask.labels(given.all("match[]"), *_window(given)))
        )

    @routes.get("/label/{name}/values")
    def label_values(name: str, request: Request, caller: Reader) -> Response:
        return answer(
            request,
            b"",
            caller,
            lambda ask, given: given.limited(ask.values(name, given.all("match[]"), *_window(given))),
        )

    @routes.get("/metadata")
    def metadata(request: Request, caller: Reader) -> Response:
        def ask(query: Query, given: Parameters) -> dict[str, list[dict[str, str]]]:
            wanted = given.text("metric")
            seen = set(query.values("__name__", [], *_window(given)))
            types = {name: code for name, code in services.history.types().items() if name in seen}
            names = [wanted] if wanted else given.limited(sorted(types))
            return {name: [{"type": _type(types[name]), "help": "", "unit": ""}] for name in names if name in types}

        return answer(request, b"", caller, ask)

    @routes.get("/status/buildinfo")
    def buildinfo(caller: Reader) -> Response:  # noqa: ARG001 - asking needs a caller, the answer does not
        # Grafana reads the version to decide what it may ask for; this is the one whose language is spoken here.
        data = {
            "version": "2.42.0",
            "revision": "",
            "branch": "",
            "buildUser": "bongsu",
            "buildDate": "",
            "goVersion": f"python{platform.python_version()}",
        }
        return _json(success(data), 200)

    return routes


def _window(given: Parameters) -> tuple[int, int]:
    return given.instant("start", -MAX_MS), given.instant("end", MAX_MS)


def _type(code: int) -> str:
    return TYPE_NAMES[code].replace("untyped", "unknown")


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
