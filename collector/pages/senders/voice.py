"""A voice call, by a system that dials and reads out (ARS): it gets what to say and which key means what.

    POST <url>, signed as webhooks are (see ``webhook``)
    {"version":1,"key":"…","to":"01012345678","country":"82","language":"ko","say":"…","repeat":2,
     "keys":{"1":"acknowledge"},"reference":"<key>","callback":"https://…/v1/replies/phone","incident":418}

It calls ``to``, reads ``say`` aloud ``repeat`` times, and posts the key that was pressed to ``callback`` with the reference
(``collector.pages.reply_api``). It answers 2xx with an ``id`` once the call is queued; a busy line or no answer is its own
to try again, for escalation goes on meanwhile anyway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.pages.senders.base import Message
from collector.pages.senders.http import JSON, Ground, header_text, packed, post, said, signature
from collector.pages.senders.options import Secret, option, required, secret
from collector.pages.senders.sens import recipient

VERSION = 1
SAY_LETTERS = 600
KEYS = {"1": "acknowledge"}
PROMPTS = {
    "ko": "확인하셨으면 1번을 눌러 주십시오.",
    "en": "Press 1 to acknowledge.",
}


@dataclass(frozen=True, slots=True)
class Options:
    url: str = required("the URL of the system that makes calls")
    secret: Secret = secret("the key of the signature")
    repeat: int = option(2, "how often the text is read, 1 to 5", least=1, most=5)
    ca_file: str = option("", "the path of a PEM file with the authority of its certificate")


class VoiceSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        self._name, self._options, self._ground = name, options, ground

    def send(self, message: Message) -> str:
        country, number = recipient(message.address)
        wants_answer = bool(message.link)
        payload = {
            "version": VERSION,
            "key": message.key,
            "to": number,
            "country": country,
            "language": message.language,
            "say": spoken(message),
            "repeat": self._options.repeat,
            "keys": KEYS if wants_answer else {},
            "reference": message.key,
            "callback": f"{self._ground.public_url}/v1/replies/{self._name}" if wants_answer else "",
            "incident": message.incident,
        }
        body = packed(payload)
        timestamp = str(self._ground.clock.wall_ms() // 1000)
        headers = (
            JSON,
            ("Idempotency-Key", header_text(message.key)),
            ("Bongsu-Timestamp", timestamp),
            ("Bongsu-Signature", signature(self._options.secret.read(), timestamp, body)),
        )
        options = self._options
        answer = post(self._ground, options.url, body, headers, is_ours=True, ca_file=options.ca_file)
        return str(said(answer).get("id", ""))[:200]


def spoken(message: Message) -> str:
    """Without addresses, which nobody can hear, and with what to press."""
    text = re.sub(r"https?://\S+", "", message.short or message.text)
    text = " ".join(text.split())[:SAY_LETTERS]
    return f"{text} {PROMPTS.get(message.language, PROMPTS['en'])}" if message.link else text
