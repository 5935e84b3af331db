"""JANDI: an incoming webhook of a topic, or the team's with each person's e-mail.

https://support.jandi.com/en/articles/6352697-receiving-incoming-webhooks-in-jandi and
https://support.jandi.com/en/articles/6352712-team-incoming-webhook say: POST with
``Accept: application/vnd.tosslab.jandi-v2+json`` and ``Content-Type: application/json``; ``body`` is the message and the
only field that must be there, ``connectColor`` the colour of the block below it, ``connectInfo`` its paragraphs (title,
description); the team's webhook takes ``email`` besides and delivers to that person. ``[text](url)`` is a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground, packed, post
from collector.pages.senders.options import Secret, option, secret

HEADERS = (("Accept", "application/vnd.tosslab.jandi-v2+json"), ("Content-Type", "application/json"))
COLOURS = {"critical": "#C62828", "warning": "#F9A825", "info": "#1565C0"}
BUTTONS = {"ko": "확인", "en": "Answer"}


@dataclass(frozen=True, slots=True)
class Options:
    url: Secret = secret("the webhook's URL; empty = each person's address is one", needed=False)
    is_team: bool = option(False, "true or false: the URL is a team's, addresses are e-mails of people in JANDI")


class JandiSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        self._name, self._options, self._ground = name, options, ground

    def send(self, message: Message) -> str:
        payload: dict[str, Any] = {}
        url = self._options.url.read()
        if self._options.is_team:
            if not url or "@" not in message.address:
                what = f"an e-mail was expected, not {message.address!r}" if url else "url_file is missing"
                raise SendError(f"{self._name}: {what}", True, "address" if url else "settings")
            payload["email"] = message.address
        info = {"title": message.subject, "description": message.text}
        payload |= {
            "body": headline(message),
            "connectColor": COLOURS.get(message.severity, COLOURS["warning"]),
            "connectInfo": [info],
        }
        post(self._ground, url or message.address, packed(payload), HEADERS, is_ours=bool(url))
        return ""


def headline(message: Message) -> str:
    """The subject, and the link to answer at. Brackets would end a link's text, so they are turned."""
    text = " ".join(message.subject.split()).replace("[", "(").replace("]", ")")
    return f"{text} [{BUTTONS.get(message.language, BUTTONS['en'])}]({message.link})" if message.link else text
