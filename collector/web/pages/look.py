"""``/keys``: the keys of the pages, as a page and as what ``?`` shows over any other. ``POST /look``: light or dark, keys or
none; kept by a cookie, so that it works without script and before anybody signed in.

Both are open to everybody: they tell nothing of the world, and whoever makes a browser post here changes its colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.api import safe_target
from collector.web.render import KEYS_COOKIE, THEME_COOKIE, frame_of, page, remember

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/keys")
    def keys(request: Request) -> Response:
        frame = frame_of(request, services)
        return page(request, services, "keys.html", {"signed_out": frame.caller is None}, frame=frame)

    @routes.post("/look", response_model=None)
    def look(
        theme: Annotated[Literal["system", "light", "dark"] | None, Form()] = None,
        keys: Annotated[Literal["on", "off"] | None, Form()] = None,
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        answer = RedirectResponse(safe_target(next), 303, {"cache-control": "no-store"})
        for name, wish in ((THEME_COOKIE, theme), (KEYS_COOKIE, keys)):
            if wish is not None:
                remember(answer, services, name, wish)
        return answer

    return routes
