"""What a destination's answer means.

Taken is a 2xx that nobody but a store would give: a captive portal says 200 with a page. Final is only what names a reason
we know; everything else is tried again, because a proxy set wrong also says 400 and 404.

    204 (empty)                                          taken
    400 out of order sample                              refused, out_of_order
    500 too old sample                                   refused, too_old (Prometheus 2.42 says it with 500)
    400 anything else, 413, 422                          doubtful: halve it and see whether parts pass
    200 <html>…                                          later
    401, 403, 404, 429, 5xx, nothing                     later
"""

from __future__ import annotations

from typing import NamedTuple

from agent.link.exchange import Failure, Response

TOO_OLD, OUT_OF_ORDER, DUPLICATE, FUTURE, INVALID = "too_old", "out_of_order", "duplicate", "future", "invalid"
REFUSED = "refused"
"""In words we do not know, while others of the same piece were taken."""
BY_AGE = frozenset({TOO_OLD, OUT_OF_ORDER})
_KNOWN = (  # the first that is found counts; lower case; Prometheus, then Mimir and Cortex, then Thanos
    ("too old sample", TOO_OLD),
    ("out of bounds", TOO_OLD),
    ("out of order sample", OUT_OF_ORDER),
    ("duplicate sample for timestamp", DUPLICATE),
    ("err-mimir-sample-timestamp-too-old", TOO_OLD),
    ("err-mimir-sample-out-of-order", OUT_OF_ORDER),
    ("err-mimir-sample-duplicate-timestamp", DUPLICATE),
    ("err-mimir-too-far-in-future", FUTURE),
    ("err-mimir-label-", INVALID),
    ("err-mimir-max-label", INVALID),
    ("new-value-for-timestamp", DUPLICATE),
    ("sample-out-of-order", OUT_OF_ORDER),
    ("store locally for endpoint", OUT_OF_ORDER),
)
_FINAL_STATUSES = frozenset({400, 409, 422, 500})
_DOUBTFUL_STATUSES = frozenset({400, 409, 413, 422})
_SMALL_BYTES = 1_024
_SHOWN_CHARS = 200


class Taken(NamedTuple):
    """Everything of the request is stored."""


class Refused(NamedTuple):
    """Something in the request will never be stored, and for that nothing of it was."""

    reason: str


class Doubtful(NamedTuple):
    """A refusal in words we do not know, by a store or by something before it."""

    text: str


class Later(NamedTuple):
    """No answer of a store."""

    text: str
    retry_after_seconds: float = 0.0


Verdict = Taken | Refused | Doubtful | Later


def judge(answer: Response | Failure) -> Verdict:
    if isinstance(answer, Failure):
        return Later(answer.text)
    text = answer.body[:4096].decode("utf-8", "replace").strip()
    said = f"HTTP {answer.status}: {' '.join(text.split())[:_SHOWN_CHARS]}"
    is_page = answer.content_type in ("text/html", "application/xhtml+xml") or text.startswith("<")
    if 200 <= answer.status < 300:
        if is_page or len(answer.body) > _SMALL_BYTES:
            return Later(f"{said} (a page, not a store: a proxy or a login portal answered)")
        return Taken()
    if not is_page and answer.status in _FINAL_STATUSES:
        lowered = text.lower()
        for words, reason in _KNOWN:
            if words in lowered:
                return Refused(reason)
    if not is_page and answer.status in _DOUBTFUL_STATUSES:
        return Doubtful(said)
    return Later(said, answer.retry_after_seconds)
