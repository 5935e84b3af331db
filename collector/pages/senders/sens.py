"""NAVER Cloud SENS: how its requests are signed, and text messages by it. ``alimtalk`` stands on the same.

https://api.ncloud-docs.com/docs/common-ncpapi: ``x-ncp-apigw-signature-v2`` is the Base64 of HMAC-SHA256, with the secret
key, over ``POST <path>\\n<timestamp>\\n<access key>``; ``x-ncp-apigw-timestamp`` in milliseconds, at most five minutes away.
https://api.ncloud-docs.com/docs/sens-sms-send: ``POST /sms/v2/services/{serviceId}/messages`` with type SMS or LMS, from
(a registered number), content, subject (LMS), countryCode, messages[].to in digits; 202 with requestId is yes. The
public sector's host is sens.apigw.gov-ntruss.com (https://api-gov.ncloud-docs.com/docs/sens-sms-send).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import JSON, Ground, packed, post, said
from collector.pages.senders.options import Secret, option, required, secret
from collector.pages.senders.sms_text import digits, fitted


@dataclass(frozen=True, slots=True)
class Options:
    access_key: str = required("the access key id")
    secret_key: Secret = secret("the secret key of the access key")
    service_id: str = required("the SMS service's id, such as ncp:sms:kr:…")
    caller: str = required("the registered number messages come from, in digits")
    api_url: str = option("https://sens.apigw.ntruss.com", "the URL of the API")


class SensSmsSender:
    def __init__(self, _name: str, options: Options, ground: Ground) -> None:
        self._options, self._ground = options, ground

    def send(self, message: Message) -> str:
        options = self._options
        country, number = recipient(message.address)
        fit = fitted(message.subject, message.short or message.text)
        payload: dict[str, Any] = {"type": fit.kind, "contentType": "COMM", "countryCode": country}
        payload["from"] = options.caller
        if fit.title:
            payload["subject"] = fit.title
        payload |= {"content": fit.text, "messages": [{"to": number}]}
        path = f"/sms/v2/services/{options.service_id}/messages"
        return asked(self._ground, options.api_url, path, options.access_key, options.secret_key.read(), payload)


def recipient(address: str) -> tuple[str, str]:
    """(country code, digits). Raises SendError."""
    country, number = digits(address)
    if not number:
        raise SendError(f"{address!r}: expected a telephone number, such as +82 10-1234-5678", True, "address")
    return country, number


def asked(ground: Ground, api_url: str, path: str, access_key: str, key: str, payload: dict[str, Any]) -> str:
    """The request's id. Raises SendError."""
    timestamp = str(ground.clock.wall_ms())
    path = urlsplit(api_url).path.rstrip("/") + path
    base = api_url.removesuffix("/").removesuffix(urlsplit(api_url).path.rstrip("/") or "\0")
    headers = (
        JSON,
        ("x-ncp-apigw-timestamp", timestamp),
        ("x-ncp-iam-access-key", access_key),
        ("x-ncp-apigw-signature-v2", signed("POST", path, timestamp, access_key, key)),
    )
    answer = post(ground, base + path, packed(payload), headers, is_ours=True)
    found = said(answer)
    status = str(found.get("statusCode", "202"))
    if not status.startswith("2"):
        raise SendError(f"statusCode {status}: {answer.text()}", status.startswith("4"), "refused")
    if "requestId" not in found:
        raise SendError(f"no requestId in the answer: {answer.text(80)}", False, "unavailable")
    return str(found["requestId"])[:200]


def signed(method: str, path: str, timestamp: str, access_key: str, key: str) -> str:
    text = f"{method} {path}\n{timestamp}\n{access_key}"
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
