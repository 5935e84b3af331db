"""Text messages by any gateway that takes an HTTP request: the table says how the request looks.

Made for what Korean gateways and gateway boxes have in common (a form or JSON, a key, to, from, text, a type for long
messages, and an answer of 200 that may still mean no). An example, Aligo (https://smartsms.aligo.in/admin/api/spec.html):

    url = "https://apis.aligo.in/send/"
    body = { key = "{secret}", user_id = "agency", sender = "0212345678", receiver = "{to}", msg = "{text}",
             msg_type = "{type}", title = "{title}" }
    success_key = "result_code"
    success_value = "1"
    receipt_key = "msg_id"

In values, ``{to}`` (digits), ``{country}``, ``{text}``, ``{type}`` (SMS or LMS), ``{title}`` (of an LMS), ``{key}`` (the
page's, the same on every try) and ``{secret}`` are filled in; a field whose value becomes empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from collector.errors import SettingsError
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground, header_text, packed, post, said
from collector.pages.senders.options import Secret, option, required, secret
from collector.pages.senders.sens import recipient
from collector.pages.senders.sms_text import fitted

ENCODINGS = ("form", "json")
CHARSETS = ("utf-8", "euc-kr")
PLACES = ("to", "country", "text", "type", "title", "key", "secret")
_PLACE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Options:
    url: str = required("the URL of the gateway")
    body: dict[str, Any] = option(dict, "a table of texts, such as { to = '{to}', text = '{text}' }")
    headers: dict[str, Any] = option(dict, "a table of texts, such as { Authorization = 'Bearer {secret}' }")
    secret: Secret = secret("the gateway's key, where {secret} stands", needed=False)
    encoding: str = option("form", f"one of {', '.join(ENCODINGS)}", choices=ENCODINGS)
    charset: str = option("utf-8", f"one of {', '.join(CHARSETS)}", choices=CHARSETS)
    success_key: str = option("", "the key of the JSON answer that says yes or no; empty = the status alone does")
    success_value: str = option("", "what stands there for yes")
    receipt_key: str = option("", "the key of the JSON answer with the receipt")
    ca_file: str = option("", "the path of a PEM file with the authority of the gateway's certificate")


class SmsHttpSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        """Raises SettingsError."""
        self._name, self._options, self._ground = name, options, ground
        where = f"[[channels]] {name}"
        values = [*options.body.values(), *options.headers.values()]
        if not options.body or not all(isinstance(value, str) for value in values):
            raise SettingsError(f"{where}: body and headers: expected tables of texts, and body not empty")
        used = {place for value in values for place in _PLACE.findall(value)}
        if unknown := used - set(PLACES):
            raise SettingsError(f"{where}: {{{min(unknown)}}}: expected one of {', '.join(PLACES)}")
        if not {"to", "text"} <= used:
            raise SettingsError(f"{where}: body: expected {{to}} and {{text}} in it")
        if "secret" in used and not options.secret:
            raise SettingsError(f"{where}: secret_file: missing; {{secret}} stands for it")
        for header, value in options.headers.items():
            if not header.isascii() or header_text(header) != header or not value.isprintable():
                raise SettingsError(f"{where}: headers: {header}: expected a header's name and a line of text")

    def send(self, message: Message) -> str:
        options = self._options
        country, number = recipient(message.address)
        fit = fitted(message.subject, message.short or message.text)
        values = {"to": number, "country": country, "text": fit.text, "type": fit.kind, "title": fit.title}
        values |= {"key": header_text(message.key), "secret": options.secret.read()}
        kept = {field: text for field, value in options.body.items() if (text := filled(value, values))}
        if options.encoding == "json":
            body, kind = packed(kept), "application/json"
        else:
            body = urlencode(kept, encoding="cp949" if options.charset == "euc-kr" else "utf-8").encode()
            kind = "application/x-www-form-urlencoded"
        told = tuple((field, filled(value, values)) for field, value in options.headers.items())
        headers = (("Content-Type", f"{kind}; charset={options.charset}"), *told)
        answer = post(self._ground, options.url, body, headers, is_ours=True, ca_file=options.ca_file)
        found = said(answer)
        if options.success_key and str(found.get(options.success_key)) != options.success_value:
            raise SendError(f"{self._name}: the gateway says no: {answer.text()}", True, "refused")
        return str(found.get(options.receipt_key, ""))[:200] if options.receipt_key else ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """Each place once: what a page says is never looked through for places again."""
    return _PLACE.sub(lambda found: values[found[1]], text)
