"""What any channel can be told of answers that come in by it (``POST /v1/replies/<name>``)."""

from __future__ import annotations

from dataclasses import dataclass

from collector.pages.senders.options import Secret, option, secret

HMAC, TOKEN = "hmac", "token"


@dataclass(frozen=True, slots=True)
class Options:
    reply_secret: Secret = secret("what proves that an answer comes from the gateway", needed=False)
    reply_auth: str = option(HMAC, f"one of {HMAC}, {TOKEN}", choices=(HMAC, TOKEN))
