"""From values to an answer: templates, the frame around every page, language, compression."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from collector.access.caller import Caller
from collector.web import keys, stage, times, units, view
from collector.web.assets import Assets
from collector.web.i18n import COOKIE, LANGUAGES, Words, choose_language, words

if TYPE_CHECKING:
    from collector.services import Services

GZIP_FROM_BYTES = 1400
"""Below one packet nothing is won."""
YEAR_SECONDS = 365 * 86_400
THEME_COOKIE, KEYS_COOKIE = "bongsu_theme", "bongsu_keys"
THEMES = ("light", "dark")

environment = Environment(
    loader=PackageLoader("collector.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals.update(keys=keys, times=times, units=units, view=view)
assets = Assets()


def warm() -> None:
    """Compile every template and read the list of files now, so that the first reader does not wait for it."""
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)
    assert assets.version


@dataclass(frozen=True, slots=True)
class Frame:
    """What every template knows besides its own values."""

    words: Words
    language: str
    path: str
    query: tuple[tuple[str, str], ...]
    now_ms: int
    caller: Caller | None
    assets: Assets
    upstream: Any = None
    """How a hub stands with its centre (``collector.relay.hub.UpstreamStanding``), None at a centre."""
    theme: str = ""
    """``light`` or ``dark`` where somebody chose; empty = as the browser wishes."""
    has_keys: bool = True
    """Whether single keys do something; who types by voice, or by accident, turns that off."""
    is_demo: bool = False
    zone: str = ""
    """The reader's own, where its clock is not Korea's."""

    @property
    def here(self) -> str:
        """This page's own address."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def in_language(self, language: str) -> str:
        """This page's address in another language."""
        rest = [(key, value) for key, value in self.query if key != "lang"]
        return f"{self.path}?{urlencode([*rest, ('lang', language)])}"

    def time(self, ms: int | None, zone_name: str = "") -> Markup:
        """An age that counts, with the instant in its title."""
        if ms is None:
            return Markup('<span class="quiet">{}</span>').format(self.words("app.never"))
        return age_markup(self.now_ms, ms, zone_name, self.words, self.zone)


def age_markup(now_ms: int, ms: int, zone_name: str, texts: Words, own: str = "") -> Markup:
    """An age with its instant. A board has a thousand of these, so it is put together by hand: all but the zone's name
    and the catalog's words are digits."""
    title = times.both(ms, zone_name, own) if zone_name or own else f"{times.stamp(ms)} KST"
    said = escape(times.age(now_ms, ms, texts))
    text = (
        f'<time class="age" datetime="{times.iso(ms)}" data-at="{int(ms)}" data-zone="{escape(zone_name)}"'
        f' title="{escape(title)}">{said}</time>'
    )
    return Markup(text)  # noqa: S704 escaped part by part


def frame_of(request: Request, services: Services, language: str = "") -> Frame:
    """``language``: that of whom the page was made for, where the browser was not told another."""
    caller: Caller | None = getattr(request.state, "caller", None)
    remembered = request.cookies.get(COOKIE) or language or (caller.language if caller is not None else "")
    language = choose_language(request.query_params.get("lang"), remembered, request.headers.get("accept-language"))
    now_ms = services.clock.wall_ms()
    return Frame(
        words(language),
        language,
        request.url.path,
        tuple(parse_qsl(request.url.query)),
        now_ms,
        caller,
        assets,
        services.upstream.standing if services.upstream is not None and caller is not None else None,
        theme if (theme := request.cookies.get(THEME_COOKIE, "")) in THEMES else "",
        request.cookies.get(KEYS_COOKIE) != "off",
        caller is not None and stage.is_one(services.settings.data_dir.parent),
        times.own_zone(caller.timezone, now_ms) if caller is not None else "",
    )


def page(
    request: Request,
    services: Services,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    frame: Frame | None = None,
) -> Response:
    """A whole page; remembers a language asked for by ``?lang=``."""
    frame = frame or frame_of(request, services)
    text = environment.get_template(template).render(frame=frame, t=frame.words, **values)
    answer = packed(request, text.encode(), "text/html; charset=utf-8", status)
    answer.headers["content-language"] = frame.language
    answer.headers["cache-control"] = "no-store"
    answer.headers["vary"] = "Accept-Encoding, Accept-Language, Cookie"
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        remember(answer, services, COOKIE, asked)
    return answer


def remember(answer: Response, services: Services, name: str, value: str) -> None:
    """Keep how this browser wants its pages, for a year."""
    answer.set_cookie(
        name,
        value,
        max_age=YEAR_SECONDS,
        path="/",
        samesite="lax",
        httponly=True,
        secure=services.access.is_secure,
    )


def packed(request: Request, body: bytes, media_type: str, status: int = 200) -> Response:
    """An answer by gzip where the browser takes it; level 1 makes a board a tenth for a few ms."""
    headers = {"vary": "Accept-Encoding"}
    if len(body) >= GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, media_type)
