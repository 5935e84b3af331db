"""Mattermost, Slack, Teams, Telegram, ntfy and the hundred other services that apprise speaks to.

The channel's ``url`` is apprise's (https://appriseit.com/services/), ``{address}`` in it is the person's address:

    mattermost   mmosts://mattermost.example.org/<token>?channel={address}
    ntfy         ntfys://ntfy.example.org/{address}
    telegram     tgram://<bot token>/{address}

apprise makes its own connections, so of our door only its lists are asked, for the host that stands in the URL; redirects
are off, and nothing is stored. It tells success from failure and no more, so a failure is always tried again.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import apprise

from collector.errors import SettingsError
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground
from collector.pages.senders.options import Secret, option, secret

KINDS = {
    "critical": apprise.NotifyType.FAILURE,
    "warning": apprise.NotifyType.WARNING,
    "info": apprise.NotifyType.INFO,
}


@dataclass(frozen=True, slots=True)
class Options:
    url: Secret = secret("the apprise URL, with {address} where a person's address goes")
    timeout_seconds: int = option(10, "a whole number of seconds, 1 to 20", least=1, most=20)


class AppriseSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        """Raises SettingsError where apprise does not know the URL."""
        self._name, self._options, self._ground = name, options, ground
        self._asset = apprise.AppriseAsset(
            app_id="Bongsu",
            app_desc="Bongsu",
            app_url="",
            async_mode=False,
            http_redirects=False,
            storage_mode="memory",
        )
        self._lock = threading.Lock()
        try:
            known = self._made("example") is not None
        except SendError as why:
            raise SettingsError(why.text) from why
        if not known:
            raise SettingsError(
                f"[[channels]] {name}: url_file: apprise does not know this URL; see its list of services"
            )

    def send(self, message: Message) -> str:
        service = self._made(message.address)
        if service is None:
            raise SendError(f"{self._name}: {message.address!r} makes no address of this service", True, "address")
        url = self._options.url.read()
        if host := host_of(url):
            self._ground.door.way(host, 443, is_ours="{address}" not in url.partition("://")[2].partition("/")[0])
        text = message.text if not message.link or message.link in message.text else f"{message.text}\n{message.link}"
        with self._lock, _Heard() as heard:
            is_sent = service.notify(
                body=text,
                title=message.subject,
                notify_type=KINDS.get(message.severity, apprise.NotifyType.WARNING),
                body_format=apprise.NotifyFormat.TEXT,
            )
        if not is_sent:
            raise SendError(f"{self._name}: {heard.text or 'apprise could not send'}", False, "unknown")
        return ""

    def _made(self, address: str) -> apprise.NotifyBase | None:
        """The service for an address. Raises SendError where the secret cannot be read."""
        url = self._options.url.read().replace("{address}", quote(address, safe="@+"))
        seconds = self._options.timeout_seconds
        url += f"{'&' if '?' in url else '?'}rto={seconds}&cto={seconds}"
        return apprise.Apprise.instantiate(url, asset=self._asset, suppress_exceptions=True)


def host_of(url: str) -> str:
    """The host an apprise URL names; empty where the service has one of its own and a token stands in its place."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a token of its own form, such as Telegram's 123:abc
        return ""
    return parts.hostname or "" if port or "." in (parts.hostname or "") else ""


class _Heard(logging.Handler):
    """What apprise says of a failure: it is in its log only. Its URLs are not: it shows none in warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or record.getMessage()[:200]

    def __enter__(self) -> _Heard:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
