"""A signed webhook: every page as JSON to a program of yours.

    POST <url>
    Content-Type: application/json; charset=utf-8
    Idempotency-Key: <key>                     the same on every try of one page
    Bongsu-Timestamp: <seconds since the epoch>
    Bongsu-Signature: sha256=<hex>             HMAC-SHA256 over "<timestamp>.<body>" with the channel's secret

    {"version":1,"key":"…","kind":"trigger","severity":"critical","incident":418,"person":"kim","address":"…",
     "language":"ko","subject":"…","text":"…","short":"…","link":"https://…","fields":{"site":"…"},"sent_at":"…Z"}

``docs/page-webhook.schema.json`` is its JSON schema. Answer 2xx once it is kept; a JSON answer's ``id`` is shown as the
receipt. 408, 425, 429 and 5xx are tried again (``Retry-After`` is heeded), any other status is final.
Check the signature over the bytes as they came, and refuse timestamps further than five minutes away.
"""

from __future__ import annotations

from dataclasses import dataclass

from collector.pages.senders.base import Message
from collector.pages.senders.http import JSON, Ground, header_text, moment, packed, post, said, signature
from collector.pages.senders.options import Secret, option, secret

VERSION = 1


@dataclass(frozen=True, slots=True)
class Options:
    url: str = option("", "the URL that takes pages; empty = each person's address is one")
    secret: Secret = secret("the key of the signature")
    ca_file: str = option("", "the path of a PEM file with the authority of the receiver's certificate")


class WebhookSender:
    def __init__(self, _name: str, options: Options, ground: Ground) -> None:
        self._options, self._ground = options, ground

    def send(self, message: Message) -> str:
        options = self._options
        body = packed(
            {
                "version": VERSION,
                "key": message.key,
                "kind": message.kind,
                "severity": message.severity,
                "incident": message.incident,
                "person": message.person,
                "address": message.address,
                "language": message.language,
                "subject": message.subject,
                "text": message.text,
                "short": message.short,
                "link": message.link,
                "fields": dict(message.fields),
                "sent_at": moment(self._ground.clock),
            }
        )
        timestamp = str(self._ground.clock.wall_ms() // 1000)
        headers = (
            JSON,
            ("Idempotency-Key", header_text(message.key)),
            ("Bongsu-Timestamp", timestamp),
            ("Bongsu-Signature", signature(options.secret.read(), timestamp, body)),
        )
        url = options.url or message.address
        answer = post(self._ground, url, body, headers, is_ours=bool(options.url), ca_file=options.ca_file)
        return str(said(answer).get("id", ""))[:200]
