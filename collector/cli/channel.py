"""``bongsu channel``: list the channels that are set, and send a test by one of them."""

from __future__ import annotations

import argparse
import json
import secrets
from datetime import UTC, datetime

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, settings_of, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError, nearest
from collector.pages.door import Door
from collector.pages.senders import made, what_is_wrong
from collector.pages.senders.base import Message, SendError

SUBJECTS = {"ko": "[시험] 봉수 통지 시험입니다", "en": "[Test] This is a test of Bongsu"}
TEXTS = {
    "ko": "이 통지를 받으셨다면 이 채널은 정상입니다. 조치하실 일은 없습니다.\n보낸 시각 {at}",
    "en": "If you got this, the channel works. There is nothing to do.\nSent at {at}",
}


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "channel",
        help="list channels and send a test by one",
        description="List channels and send a test by one.",
        epilog="example: bongsu channel test email kim@example.org",
    )
    ways = parser.add_subparsers(dest="way", required=True, metavar="WAY")
    verb(ways, "list", "list the channels that are set", "bongsu channel list", json=True)
    test = verb(ways, "test", "send a test page now", "bongsu channel test sms 010-1234-5678", json=True)
    test.add_argument("name", metavar="NAME", help="the channel, as in [[channels]]")
    test.add_argument("address", metavar="ADDRESS", help="where to: a mail address, a number, what the channel takes")
    test.add_argument("--language", choices=("ko", "en"), default="ko", help="of the test (default: ko)")


def run(args: argparse.Namespace) -> int:
    return _list(args) if args.way == "list" else _test(args)


def _list(args: argparse.Namespace) -> int:
    """1 where one cannot be used."""
    settings = settings_of(args)
    door, rows = Door(settings.outbound), []
    for channel in settings.channels:
        problem = what_is_wrong(settings, channel, door)
        takes = bool({"reply_secret_file", "mailbox_host"} & channel.table.keys()) or any(
            one.startswith("reply_secret") for one in channel.environment
        )
        rows.append({"name": channel.name, "kind": channel.kind, "answers": takes, "problem": problem})
    print_rows(rows, args.json, empty="No [[channels]] are set: nobody can be paged. See configs/channels.toml.")
    return int(any(row["problem"] for row in rows))


def _test(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    found = next((one for one in settings.channels if one.name == args.name), None)
    if found is None:
        raise UsageError(
            f"channel {args.name!r}: not set; {nearest(args.name, [one.name for one in settings.channels])}"
        )
    clock = SystemClock()
    sender = made(settings, found, Door(settings.outbound), clock)
    message = _message(args.address, args.language, clock.wall_ms())
    try:
        receipt = sender.send(message)
    except SendError as why:
        how = "for good" if why.permanent else "for now"
        if args.json:
            told = {"sent": False, "reason": why.reason, "permanent": why.permanent, "error": why.text}
            print(json.dumps(told, ensure_ascii=False))
            return 1
        raise UsageError(f"{args.name} did not send, {how} ({why.reason}): {why.text}") from why
    if args.json:
        print(json.dumps({"sent": True, "key": message.key, "receipt": receipt}, ensure_ascii=False))
    else:
        print(f"{args.name} took it{f', receipt {receipt}' if receipt else ''} (key {message.key})")
    return 0


def _message(address: str, language: str, now_ms: int) -> Message:
    at = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    subject, text = SUBJECTS[language], TEXTS[language].format(at=at)
    key = f"test-{secrets.token_hex(12)}"
    named = {"severity": "info", "number": "0", "site": "test", "code": "0000", "kind": "test"}
    return Message(key, "test", "info", None, address, "test", language, subject, text, subject, "", named)
