"""NAVER WORKS, a bot: a message to one member.

https://developers.worksmobile.com/kr/docs/auth-jwt: a JWT (RS256; iss = client id, sub = service account, iat, exp) is
changed for an access token at ``https://auth.worksmobile.com/oauth2/v2.0/token`` with ``assertion``, ``grant_type``,
``client_id``, ``client_secret``, ``scope``. https://developers.worksmobile.com/kr/docs/bot-user-message-send: then
``POST https://www.worksapis.com/v1.0/bots/{botId}/users/{userId}/messages`` with ``Authorization: Bearer`` and
``{"content": {"type": "text", "text": …}}``, or ``button_template`` with actions; 201 is yes. The user is a member's id or
login e-mail.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from collector.pages.door import Outward
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground, packed, post, said, taken
from collector.pages.senders.options import Secret, option, required, secret

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3600
SPARE_SECONDS = 60
"""A token is left before its end, so that none ends on its way."""
TEMPLATE_LETTERS = 1000
TEXT_LETTERS = 2000
BUTTONS = {"ko": "확인하러 가기", "en": "Answer"}


@dataclass(frozen=True, slots=True)
class Options:
    bot_id: str = required("the bot's id, such as 2000001")
    client_id: str = required("the client id of the app")
    client_secret: Secret = secret("the app's client secret")
    service_account: str = required("the app's service account")
    private_key: Secret = secret("the service account's private key (PEM)")
    api_url: str = option("https://www.worksapis.com/v1.0", "the URL of the API")
    auth_url: str = option("https://auth.worksmobile.com/oauth2/v2.0/token", "the URL where tokens are issued")


class NaverWorksSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        self._name, self._options, self._ground = name, options, ground
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def send(self, message: Message) -> str:
        user = quote(message.address, safe="")
        url = f"{self._options.api_url}/bots/{quote(self._options.bot_id, safe='')}/users/{user}/messages"
        body = packed({"content": content(message)})
        headers = (("Authorization", f"Bearer {self._issued()}"), ("Content-Type", "application/json"))
        answer = self._ground.door.request(Outward("POST", url, headers, body), is_ours=True)
        if answer.status == 401:  # taken back before its time: the next try asks for another
            self._token = ""
            raise SendError(f"HTTP 401: {answer.text()}", False, "settings")
        taken(answer, self._ground.clock)
        return ""

    def _issued(self) -> str:
        """An access token that holds for a while yet. Raises SendError."""
        with self._lock:
            if not self._token or self._ground.clock.monotonic() >= self._until:
                self._ask()
            return self._token

    def _ask(self) -> None:
        options = self._options
        form = {
            "assertion": assertion(options, self._ground.clock.wall_ms() // 1000),
            "grant_type": GRANT,
            "client_id": options.client_id,
            "client_secret": options.client_secret.read(),
            "scope": "bot.message",
        }
        headers = (("Content-Type", "application/x-www-form-urlencoded"),)
        answer = post(self._ground, options.auth_url, urlencode(form).encode(), headers, is_ours=True)
        found = said(answer)
        token = found.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise SendError(f"{self._name}: no access token in the answer: {answer.text(80)}", False, "unavailable")
        try:
            holds = float(found.get("expires_in", TOKEN_SECONDS))
        except (TypeError, ValueError):
            holds = TOKEN_SECONDS
        self._token, self._until = token, self._ground.clock.monotonic() + holds - SPARE_SECONDS


def content(message: Message) -> dict[str, Any]:
    text = f"{message.subject}\n\n{message.text}"
    if not message.link:
        return {"type": "text", "text": text[:TEXT_LETTERS]}
    action = {"type": "uri", "label": BUTTONS.get(message.language, BUTTONS["en"]), "uri": message.link}
    return {"type": "button_template", "contentText": text[:TEMPLATE_LETTERS], "actions": [action]}


def assertion(options: Options, now_seconds: int) -> str:
    """The signed JWT. Raises SendError where the key is none."""
    try:
        key = serialization.load_pem_private_key(options.private_key.read().encode(), None)
    except (ValueError, TypeError) as why:
        raise SendError(f"{options.private_key.where}: not a private key in PEM: {why}", True, "settings") from why
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SendError(f"{options.private_key.where}: expected an RSA key", True, "settings")
    claims = {
        "iss": options.client_id,
        "sub": options.service_account,
        "iat": now_seconds,
        "exp": now_seconds + TOKEN_SECONDS,
    }
    signed = f"{_url64(packed({'alg': 'RS256', 'typ': 'JWT'}))}.{_url64(packed(claims))}"
    return f"{signed}.{_url64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
