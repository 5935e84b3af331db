"""KakaoTalk Alimtalk by NAVER Cloud SENS: only what was registered, filled in.

https://api.ncloud-docs.com/docs/sens-alimtalk-send: ``POST /alimtalk/v2/services/{serviceId}/messages`` with plusFriendId,
templateCode and messages[].{countryCode, to, content, buttons}; the content has to be the registered template with its
``#{variables}`` filled, else Kakao refuses it after having said yes. So a template stands in the settings as registered,
and a page that no template is for, or that lacks a variable, is refused here and goes by the next channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.errors import SettingsError
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground
from collector.pages.senders.options import Secret, option, required, secret
from collector.pages.senders.sens import asked, recipient

VARIABLE = re.compile(r"#\{([^{}]+)\}")
CONTENT_LETTERS = 1000
VALUE_LETTERS = 200
_KEYS = {"kind", "language", "code", "text", "button", "button_url"}


@dataclass(frozen=True, slots=True)
class Options:
    access_key: str = required("the access key id")
    secret_key: Secret = secret("the secret key of the access key")
    service_id: str = required("the Biz Message service's id, such as ncp:kkobizmsg:kr:…")
    channel_id: str = required("the KakaoTalk channel's id, such as @bongsu")
    templates: list[Any] = option(list, "tables, each written [[channels.templates]]")
    api_url: str = option("https://sens.apigw.ntruss.com", "the URL of the API")


class AlimtalkSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        """Raises SettingsError where a template is not whole."""
        self._name, self._options, self._ground = name, options, ground
        self._templates = {(one["kind"], one["language"]): one for one in map(self._read, options.templates)}
        if not self._templates:
            raise SettingsError(
                f"[[channels]] {name}: templates: missing; expected [[channels.templates]] as registered"
            )

    def send(self, message: Message) -> str:
        template = self._template(message)
        values = {**message.fields, "link": message.link, "subject": message.subject}
        values["incident"] = "" if message.incident is None else str(message.incident)
        country, number = recipient(message.address)
        one: dict[str, Any] = {"countryCode": country, "to": number, "content": filled(template["text"], values)}
        if len(one["content"]) > CONTENT_LETTERS:
            raise SendError(f"template {template['code']}: over {CONTENT_LETTERS} letters", True, "message")
        if template["button"]:
            url = filled(template["button_url"], values)
            one["buttons"] = [{"type": "WL", "name": template["button"], "linkMobile": url, "linkPc": url}]
        options = self._options
        payload = {"plusFriendId": options.channel_id, "templateCode": template["code"], "messages": [one]}
        path = f"/alimtalk/v2/services/{options.service_id}/messages"
        return asked(self._ground, options.api_url, path, options.access_key, options.secret_key.read(), payload)

    def _template(self, message: Message) -> Mapping[str, str]:
        for key in ((message.kind, message.language), (message.kind, ""), ("", message.language), ("", "")):
            if key in self._templates:
                return self._templates[key]
        text = f"{self._name}: no registered template for {message.kind} in {message.language}"
        raise SendError(text, True, "message")

    def _read(self, table: Any) -> dict[str, str]:
        where = f"[[channels]] {self._name}: templates"
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            raise SettingsError(f"{where}: expected tables of texts, each written [[channels.templates]]")
        if unknown := set(table) - _KEYS:
            raise SettingsError(f"{where}: {min(unknown)}: unknown key; expected one of {', '.join(sorted(_KEYS))}")
        found = dict.fromkeys(_KEYS, "") | table
        if not found["code"] or not found["text"]:
            raise SettingsError(f"{where}: code and text: expected both, as registered")
        if bool(found["button"]) != bool(found["button_url"]):
            raise SettingsError(f"{where}: {found['code']}: button and button_url only work together")
        return found


def filled(template: str, values: Mapping[str, str]) -> str:
    """Raises SendError where a variable has no value: an empty one is another text than what was registered."""

    def value_of(found: re.Match[str]) -> str:
        value = " ".join(values.get(found[1], "").split())
        if not value:
            raise SendError(f"template variable #{{{found[1]}}}: this page has none", True, "message")
        is_whole = found[1] == "link" or len(value) <= VALUE_LETTERS
        return value if is_whole else value[: VALUE_LETTERS - 1] + "…"

    return VARIABLE.sub(value_of, template)
