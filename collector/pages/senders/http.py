"""What senders over HTTP share: JSON as bytes, and what a status means for the next try."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from agent.link.clock import Clock
from collector.pages.door import Answered, Door, Outward
from collector.pages.senders.base import SendError

JSON = ("Content-Type", "application/json; charset=utf-8")


class Ground(NamedTuple):
    """What every sender is made on."""

    door: Door
    clock: Clock
    public_url: str = ""
    """Where gateways reach this collector for their answers."""


def packed(value: Mapping[str, Any]) -> bytes:
    """JSON, the same bytes for the same value; Korean stays readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def signature(key: str, timestamp: str, body: bytes) -> str:
    """``sha256=<hex>`` of HMAC-SHA256 over ``timestamp.body``: what our webhooks carry and what gateways send us."""
    return "sha256=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def post(
    ground: Ground,
    url: str,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    *,
    is_ours: bool,
    ca_file: str = "",
    seconds: float = 0,
) -> Answered:
    """The answer, if the service took it (2xx). Raises SendError."""
    out = Outward("POST", url, headers, body)
    answer = ground.door.request(out, is_ours=is_ours, ca_file=ca_file, seconds=seconds)
    return taken(answer, ground.clock)


def taken(answer: Answered, clock: Clock) -> Answered:
    """Raises SendError for everything but 2xx."""
    status = answer.status
    if 200 <= status < 300:
        return answer
    text = f"HTTP {status}: {answer.text()}"
    if status in (429, 503) or status == 408 or status == 425 or status >= 500:
        wait = retry_after(answer.headers.get("retry-after", ""), clock)
        raise SendError(text, False, "throttled" if status == 429 else "unavailable", wait)
    if 300 <= status < 400:
        raise SendError(f"HTTP {status}: redirects are not followed; set the new address", True, "refused")
    reason = {401: "settings", 403: "settings", 404: "address", 410: "address", 413: "message"}.get(status, "refused")
    raise SendError(text, True, reason)


def retry_after(text: str, clock: Clock) -> float | None:
    """Seconds, from a count of them or a date; at most an hour, for a service may not silence a page for longer."""
    try:
        wait = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - clock.wall_ms() / 1000
    return min(3600.0, max(0.0, wait)) if wait == wait else None


def said(answer: Answered) -> Mapping[str, Any]:
    """The JSON object of an answer; empty where it is none."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def moment(clock: Clock) -> str:
    """Now in RFC 3339, UTC, to the second."""
    return datetime.fromtimestamp(clock.wall_ms() // 1000, UTC).isoformat().replace("+00:00", "Z")


def header_text(value: str) -> str:
    """A value that may stand in a header: whatever is no visible ASCII becomes ``_``."""
    return "".join(letter if "!" <= letter <= "~" else "_" for letter in value)
