"""``bongsu token``: join tokens, each for one agent at one site."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
from typing import Any
from urllib.parse import urlsplit

from agent.link.clock import SystemChance, SystemClock
from collector.access.audit import on_command_line, record
from collector.cli.options import Verbs, opened, opened_centre, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError
from collector.fleet.hubs import create_hub_token
from collector.fleet.keys import ca_fingerprint, load_centre_key
from collector.fleet.tokens import DEFAULT_HOURS, MOST_HOURS, cancel_token, create_token, hub_urls, list_tokens
from collector.store.schema import instant
from collector.store.scope import EVERYTHING


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("token", help="make, list and cancel join tokens", epilog="example: bongsu token list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = verb(
        actions,
        "create",
        "make a join token for one agent, and print the command to run on its machine",
        "bongsu token create --site abuja --hours 48",
        json=True,
    )
    whom = create.add_mutually_exclusive_group(required=True)
    whom.add_argument("--site", default="", metavar="S", help="the site the agent joins")
    whom.add_argument("--hub", default="", metavar="H", help="invite a hub instead: its id in the topology")
    create.add_argument("--host", default="", metavar="H", help="the host's short name (default: as the machine says)")
    create.add_argument(
        "--hours",
        type=int,
        default=DEFAULT_HOURS,
        metavar="N",
        help=f"how long it may be used, 1 to {MOST_HOURS} ({DEFAULT_HOURS})",
    )
    create.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="U",
        help="where the agent reports to; again for further ones, in order "
        "(default: the url of the site's hub, then [server] public_url, or our address)",
    )
    verb(actions, "list", "list join tokens and what became of them", "bongsu token list", json=True)
    cancel = verb(actions, "cancel", "make an unused token worthless at once", "bongsu token cancel 3f2a9c0d11e47b58")
    cancel.add_argument("id", metavar="ID", help="the id that bongsu token list shows")


def run(args: argparse.Namespace) -> int:
    return {"create": _create, "list": _list, "cancel": _cancel}[args.action](args)


def _create(args: argparse.Namespace) -> int:
    now = instant(SystemClock().wall_ms())
    with opened_centre(args) as (settings, store):
        centre = load_centre_key(settings.data_dir)
        ca = ca_fingerprint(settings.data_dir) if settings.server.tls_cert else b""
        shared: dict[str, Any] = {"hours": args.hours, "ca_sha256": ca, "created_by": _who(), "now": now}
        with store.transaction() as connection:
            collectors = [_url(url) for url in args.url] or [*hub_urls(connection, args.site), settings.server.url]
            shared |= {"collectors": collectors, "chance": SystemChance()}
            if args.hub:
                text, ends = create_hub_token(connection, centre, hub=args.hub, **shared)
            else:
                host = args.host.lower()
                text, ends = create_token(connection, centre, site=args.site, host=host, **shared)
            made = {"host": args.host, "hours": args.hours}
            record(connection, now, on_command_line(), "token.create", args.hub or args.site, made)
    command = f"bongsu init --hub --token {text}" if args.hub else f"bongsu-agent enroll --token {text}"
    if args.json:
        row = {
            "token": text,
            "site": args.site,
            "hub": args.hub,
            "expires_at": ends.isoformat(),
            "collectors": collectors,
            "command": command,
        }
        print(json.dumps(row, ensure_ascii=False, indent=2))
        return 0
    print(text)
    print()
    joins = f"becomes hub {args.hub!r}" if args.hub else f"joins site {args.site!r}"
    print(f"Run this on the machine that {joins}, once, before {ends:%Y-%m-%d %H:%M} UTC:")
    print(f"  {command}")
    if any(urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost") for url in collectors):
        print(f"It reports to {', '.join(collectors)}, which is this machine only; for another one give --url.")
    return 0


def _list(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        found = list_tokens(connection, EVERYTHING, instant(SystemClock().wall_ms()))
    rows = [dataclasses.asdict(token) for token in found]
    print_rows(rows, args.json, empty="No join tokens. Make one with: bongsu token create --site SITE")
    return 0


def _cancel(args: argparse.Namespace) -> int:
    try:
        token_id = bytes.fromhex(args.id)
    except ValueError as why:
        raise UsageError(f"token {args.id!r}: expected 16 hex digits; see: bongsu token list") from why
    with opened_centre(args) as (_, store), store.transaction() as connection:
        now = instant(SystemClock().wall_ms())
        cancel_token(connection, token_id, now)
        record(connection, now, on_command_line(), "token.cancel", args.id)
    print(f"Token {args.id} is cancelled.")
    return 0


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        right = False
    if not right:
        raise UsageError(f"--url {text!r}: expected http://HOST:PORT or https://HOST")
    return text.rstrip("/")


def _who() -> str:
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # a user id without a name, as in containers
        return "command line"
