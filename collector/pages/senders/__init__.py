"""The ways out: one file per kind of channel, each behind ``base.Sender``.

To add one: a file with ``Options`` (a dataclass of ``options.option``) and a class made of (name, options, ground), its line
in TABLE, its table in ``configs/channels.toml``, and a test against a little server that checks the documented request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from collector.errors import SettingsError, nearest
from collector.settings_channels import Channel

if TYPE_CHECKING:
    from agent.link.clock import Clock
    from collector.pages.door import Door
    from collector.pages.senders.base import Sender
    from collector.pages.senders.mailbox import Options as MailboxOptions
    from collector.settings import Settings

TABLE = {
    "smtp": "smtp:SmtpSender",
    "webhook": "webhook:WebhookSender",
    "naverworks": "naverworks:NaverWorksSender",
    "naverworks_hook": "naverworks_hook:NaverWorksHookSender",
    "jandi": "jandi:JandiSender",
    "sms_http": "sms_http:SmsHttpSender",
    "sens_sms": "sens:SensSmsSender",
    "sens_alimtalk": "alimtalk:AlimtalkSender",
    "voice": "voice:VoiceSender",
    "apprise": "apprise:AppriseSender",
    "relay": "relay:RelaySender",
}
"""Kind of a channel -> "module:class", imported when a channel of that kind is set."""

COMMON = ("reply_secret_file", "reply_auth")
"""Keys any channel may have: they are of answers that come in (``collector.pages.reply_api``)."""
MAILBOX = "mailbox_"
"""How keys of the channel ``email`` begin that are of its answers' mailbox."""


def configured_senders(settings: Settings, door: Door, clock: Clock | None = None) -> Mapping[str, Sender]:
    """Channel of people -> its sender. Raises SettingsError, naming channel and key."""
    return {channel.name: made(settings, channel, door, clock) for channel in settings.channels}


def made(settings: Settings, channel: Channel, door: Door, clock: Clock | None = None) -> Sender:
    """One sender. Raises SettingsError."""
    from agent.link.clock import SystemClock
    from collector.pages.senders.http import Ground

    module, name = _found(channel)
    ground = Ground(door, clock or SystemClock(), settings.server.url)
    return cast("Sender", getattr(module, name)(channel.name, _options(module, channel), ground))


def what_is_wrong(settings: Settings, channel: Channel, door: Door) -> str:
    """Why a channel cannot be used, secrets looked at; empty where it can, as far as we can see from here."""
    from collector.pages.senders.base import SendError
    from collector.pages.senders.options import Secret

    try:
        made(settings, channel, door)
        options = _options(_found(channel)[0], channel)
        for one in fields(options):
            value = getattr(options, one.name)
            if isinstance(value, Secret):
                value.read()
        reply_secret(channel)
        mailbox_of(channel).mailbox_password.read()
    except SettingsError as why:
        return str(why)
    except SendError as why:
        return why.text
    return ""


def reply_secret(channel: Channel) -> str:
    """What proves an answer that a gateway brings; empty where the channel takes none. Raises SettingsError, SendError."""
    from collector.pages.senders.options import read_options
    from collector.pages.senders.replies import Options

    return read_options(Options, _part(channel, "common")).reply_secret.read()


def mailbox_of(channel: Channel) -> MailboxOptions:
    """The mailbox its answers come into; without a host where it has none. Raises SettingsError."""
    from collector.pages.senders.mailbox import Options
    from collector.pages.senders.options import read_options

    options = read_options(Options, _part(channel, "mailbox"))
    where = f"[[channels]] {channel.name}"
    if options.mailbox_host and channel.name != "email":
        raise SettingsError(f"{where}: mailbox_host: only the channel named email has answers by mail")
    if options.mailbox_host and not (options.mailbox_username and options.mailbox_password):
        raise SettingsError(f"{where}: mailbox_host: expected mailbox_username and mailbox_password_file with it")
    return options


def channels_with_replies(settings: Settings) -> frozenset[str]:
    """Channels people may answer on by a word. One whose secret cannot be read takes no answer either."""
    from collector.pages.senders.base import SendError

    found = set()
    for channel in settings.channels:
        try:
            if reply_secret(channel) or mailbox_of(channel).mailbox_host:
                found.add(channel.name)
        except SendError:
            continue
    return frozenset(found)


def reply_auth(channel: Channel) -> str:
    """hmac or token."""
    return str(channel.table.get("reply_auth", "hmac"))


def _found(channel: Channel) -> tuple[Any, str]:
    from collector.people.person import CHANNELS

    if channel.name not in CHANNELS:
        raise SettingsError(f"[[channels]] {channel.name}: name: {nearest(channel.name, CHANNELS)}")
    if channel.kind not in TABLE:
        raise SettingsError(
            f"[[channels]] {channel.name}: kind = {channel.kind!r}: {nearest(channel.kind, list(TABLE))}"
        )
    file, _, name = TABLE[channel.kind].partition(":")
    return import_module(f"collector.pages.senders.{file}"), name


def _options(module: Any, channel: Channel) -> Any:
    from collector.pages.senders.options import read_options

    return read_options(module.Options, _part(channel, "own"))


def _part(channel: Channel, whose: str) -> Channel:
    """The channel with only its ``own`` keys, those ``common`` to all, or those of its ``mailbox``."""

    def owner(key: str) -> str:
        return "common" if key in COMMON else "mailbox" if key.startswith(MAILBOX) else "own"

    table = {key: value for key, value in channel.table.items() if owner(key) == whose}
    return Channel(channel.name, channel.kind, table, channel.environment)
