"""NAVER WORKS, the Incoming Webhook app: one room's URL, no keys.

https://developers.worksmobile.com/jp/docs/webhook: a POST of JSON to the URL that the app issued for a room,
``{"title": …, "body": {"text": …}, "button": {"label": …, "url": …}}``; the answer is ``{"code":200,…}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground, packed, post, said
from collector.pages.senders.options import Secret, secret

TEXT_LETTERS = 2000
BUTTONS = {"ko": "확인하러 가기", "en": "Answer"}


@dataclass(frozen=True, slots=True)
class Options:
    url: Secret = secret("the webhook's URL; empty = each person's address is one", needed=False)


class NaverWorksHookSender:
    def __init__(self, _name: str, options: Options, ground: Ground) -> None:
        self._options, self._ground = options, ground

    def send(self, message: Message) -> str:
        payload: dict[str, Any] = {"title": message.subject, "body": {"text": message.text[:TEXT_LETTERS]}}
        if message.link:
            payload["button"] = {"label": BUTTONS.get(message.language, BUTTONS["en"]), "url": message.link}
        url = self._options.url.read()
        headers = (("Content-Type", "application/json"),)
        answer = post(self._ground, url or message.address, packed(payload), headers, is_ours=bool(url))
        code = said(answer).get("code", 200)
        if code != 200:  # the app says no with a status of its own, inside
            raise SendError(f"code {code}: {answer.text()}", code not in (429, 500, 503), "refused")
        return ""
