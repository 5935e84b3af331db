"""``bongsu api-token``: tokens for programs that ask us, such as Prometheus or Grafana. For agents: ``bongsu token``."""

from __future__ import annotations

import argparse
from datetime import timedelta

from agent.link.clock import SystemChance, SystemClock
from collector.access.audit import on_command_line, record
from collector.access.queries import API_TOKEN_PREFIX, add_api_token, list_api_tokens, revoke_api_token
from collector.access.roles import ROLES, WALL
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.cli.user import add_scope, scope_of
from collector.errors import UsageError
from collector.fleet.scope_check import check_scope
from collector.store.schema import instant


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "api-token", help="make, list and revoke API tokens for programs", epilog="example: bongsu api-token list"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = verb(actions, "create", "make an API token and print it once", "bongsu api-token create prometheus")
    create.add_argument("name", metavar="NAME", help="what it is for")
    create.add_argument("--role", choices=ROLES, default="viewer", help="what it may do (viewer)")
    create.add_argument(
        "--wall",
        action="store_true",
        help="for a screen on a wall: print the address it opens once, instead of a login",
    )
    create.add_argument("--days", type=int, metavar="N", help="how long it holds (default: until revoked)")
    add_scope(create)
    verb(actions, "list", "list API tokens", "bongsu api-token list --json", json=True)
    revoke = verb(actions, "revoke", "make an API token worthless at once", "bongsu api-token revoke prometheus")
    revoke.add_argument("name", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    now = instant(SystemClock().wall_ms())
    with opened(args) as (settings, store):
        if args.action == "list":
            with store.reading() as connection:
                rows = [dict(row._mapping) for row in list_api_tokens(connection)]
            if not args.json:  # for people no limit is a word, as bongsu user list has it
                rows = [row | {key: row[key] or "all" for key in ("agencies", "sites")} for row in rows]
            print_rows(rows, args.json, empty="No API tokens. Make one with: bongsu api-token create NAME")
            return 0
        if args.action == "revoke":
            with store.transaction() as connection:
                if not revoke_api_token(connection, args.name, now):
                    raise UsageError(f"API token {args.name!r}: no living one of this name; see: bongsu api-token list")
                record(connection, now, on_command_line(), "api_token.revoke", args.name)
            print(f"API token {args.name!r} is revoked.")
            return 0
        if args.days is not None and args.days < 1:
            raise UsageError(f"--days {args.days}: expected at least 1")
        role = WALL if args.wall else args.role
        secret = API_TOKEN_PREFIX + SystemChance().bytes(32).hex()
        expires = None if args.days is None else now + timedelta(days=args.days)
        with store.transaction() as connection:
            check_scope(connection, scope_of(args))
            add_api_token(
                connection,
                secret,
                args.name,
                "command line",
                now,
                role=role,
                scope=scope_of(args),
                expires_at=expires,
            )
            given = {"role": role, "agencies": args.agency, "sites": args.site, "days": args.days}
            record(connection, now, on_command_line(), "api_token.create", args.name, given)
    print(f"{settings.server.url}/wall/enter?token={secret}" if args.wall else secret)
    return 0
