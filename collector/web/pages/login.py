"""``GET /login``: the form; what is posted goes to ``collector.access.api``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.api import safe_target
from collector.web.render import page

if TYPE_CHECKING:
    from collector.services import Services

ERRORS = {"wrong_login": "failed", "too_many_logins": "locked", "bad_csrf": "expired"}


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    def login(request: Request, next: str = "/", error: str = "") -> Response:
        caller = getattr(request.state, "caller", None)
        values = {
            "target": safe_target(next),
            "error": ERRORS.get(error, "failed") if error else "",
            "signed_in": caller.name if caller is not None and caller.is_signed_in else "",
            "signed_out": caller is None,
        }
        return page(request, services, "login.html", values)

    return routes
