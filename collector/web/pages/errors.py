"""Pages for what went wrong, for people; programs keep getting problem details."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.web.render import page

if TYPE_CHECKING:
    from collector.services import Services

MACHINE_PREFIXES = ("/api/", "/v1/", "/metrics", "/sd/", "/static/", "/healthz", "/readyz", "/events")
OWN_TEXTS = (403, 404, 500, 503)


def wants_page(request: Request) -> bool:
    """Whether a person looks at this answer in a browser."""
    if request.url.path.startswith(MACHINE_PREFIXES) or request.url.path.endswith("/series"):
        return False
    return "text/html" in request.headers.get("accept", "")


def error_page(request: Request, services: Services, status: int, detail: str = "") -> Response:
    """A designed page for an error; who is not signed in is led to the login page and back."""
    if status == 401 and request.method in ("GET", "HEAD"):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", status_code=303)
    kind = str(status) if status in OWN_TEXTS else "other"
    return page(request, services, "error.html", {"status": status, "kind": kind, "detail": detail}, status=status)
