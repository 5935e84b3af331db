"""What the archived client leaves to us on the way to a Grafana: addresses, trying again, answers it cannot read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from dashboards.refusals import PushError, shorten

LONGEST_WAIT_SECONDS = 10.0


def split_url(url: str) -> tuple[str, str, str, str]:
    """An address as (without trailing slash, scheme, host with port, path prefix with trailing slash or empty).

    Raises PushError where it is no plain http or https address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise PushError(f"{url!r} is no address of a Grafana: expected http(s)://host[:port][/path]")
    if parts.username is not None:
        raise PushError("a Grafana address with a user name in it is not taken: give a service account token")
    path = parts.path.strip("/")
    base = f"{parts.scheme}://{parts.netloc}"
    return (f"{base}/{path}" if path else base), parts.scheme, parts.netloc, (f"{path}/" if path else "")


def retries(backoff_seconds: float) -> Any:
    from urllib3.util.retry import Retry

    class Patience(Retry):
        """Waits as long as the server asks, within reason: somebody sits before this command."""

        def get_retry_after(self, response: Any) -> float | None:
            asked = super().get_retry_after(response)
            return None if asked is None else min(asked, LONGEST_WAIT_SECONDS)

    return Patience(
        total=3,
        connect=1,
        read=1,
        redirect=False,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
        backoff_factor=backoff_seconds,
    )


def tidy(response: Any, *_: Any, **__: Any) -> Any:
    """Make an answer one the library can read; refuses redirects."""
    if response.is_redirect:
        response.close()
        raise PushError(
            f"{response.request.method} {response.url} is redirected to {response.headers['location']}: give that address"
        )
    if response.status_code < 400:
        if not response.content:
            response._content = b"null"
        return response
    try:
        has_message = isinstance(response.json(), dict) and "message" in response.json()
    except ValueError:
        has_message = False
    if not has_message:
        said = response.text[:300] or response.reason or "nothing said"
        response._content = json.dumps({"message": said}).encode()
        response.encoding = "utf-8"
    return response


def cause(error: BaseException) -> str:
    """The innermost reason of a connection failure, without the libraries' wrapping."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or next(
            (each for each in getattr(reason, "args", ()) if isinstance(each, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        reason = inner
    return shorten(str(reason).rsplit("): ", 1)[-1].split(": ", 1)[-1] or type(reason).__name__)
