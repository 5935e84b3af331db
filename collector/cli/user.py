"""``bongsu user``: people who may sign in, and another password for one who lost it."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass
from pathlib import Path

from agent.link.clock import SystemChance, SystemClock
from collector.access.administer import new_password
from collector.access.audit import on_command_line, record
from collector.access.passwords import generate_password, hash_password
from collector.access.queries import add_person, list_persons
from collector.access.roles import ROLES
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError
from collector.fleet.scope_check import check_scope
from collector.store.schema import instant
from collector.store.scope import Scope


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("user", help="add and list people", epilog="example: bongsu user list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = verb(actions, "add", "add a person", "bongsu user add kim --role operator --name 김하늘 --agency mofa")
    one.add_argument("username", metavar="USER")
    one.add_argument(
        "--role", choices=ROLES, default="viewer", help="what they may do; docs/operations.md has the table (viewer)"
    )
    one.add_argument("--name", default="", help="the name shown")
    one.add_argument("--language", choices=("ko", "en"), default="", help="else as the browser asks")
    add_scope(one)
    add_password(one)
    lost = verb(
        actions, "password", "give another password; who is signed in is signed out", "bongsu user password kim"
    )
    lost.add_argument("username", metavar="USER")
    add_password(lost)
    verb(actions, "list", "list people", "bongsu user list --json", json=True)


def add_password(parser: argparse.ArgumentParser) -> None:
    """Where ``_password`` takes it from; else it is asked for."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--password-file", type=Path, metavar="FILE", help="take the password from this file")
    how.add_argument("--generate", action="store_true", help="make a password and print it once")


def add_scope(parser: argparse.ArgumentParser) -> None:
    """``--agency`` and ``--site``, as ``scope_of`` reads them."""
    parser.add_argument("--agency", action="append", metavar="A", help="sees only this agency; again for further ones")
    parser.add_argument("--site", action="append", metavar="S", help="sees only this site; again for further ones")


def scope_of(args: argparse.Namespace) -> Scope:
    return Scope(
        None if args.agency is None else frozenset(args.agency), None if args.site is None else frozenset(args.site)
    )


def run(args: argparse.Namespace) -> int:
    return {"list": _list, "add": _add, "password": _change}[args.action](args)


def _change(args: argparse.Namespace) -> int:
    with opened(args) as (_, store):
        password = _password(args)
        with store.transaction() as connection:
            new_password(connection, instant(SystemClock().wall_ms()), on_command_line(), args.username, password)
    print(f"User {args.username!r} has another password, and has to sign in anew everywhere.")
    if args.generate:
        print(f"Password (shown this once): {password}")
    return 0


def _add(args: argparse.Namespace) -> int:
    with opened(args) as (_, store):
        with store.reading() as connection:
            check_scope(connection, scope_of(args))
        password = _password(args)
        hashed = hash_password(password)
        with store.transaction() as connection:
            add_person(
                connection,
                args.username,
                hashed,
                instant(SystemClock().wall_ms()),
                role=args.role,
                display_name=args.name,
                language=args.language,
                scope=scope_of(args),
            )
            given = {"role": args.role, "agencies": args.agency, "sites": args.site}
            record(connection, instant(SystemClock().wall_ms()), on_command_line(), "user.add", args.username, given)
    print(f"User {args.username!r} is added as {args.role}.")
    if args.generate:
        print(f"Password (shown this once): {password}")
    return 0


def _password(args: argparse.Namespace) -> str:
    if args.generate:
        return generate_password(SystemChance())
    if args.password_file is not None:
        try:
            text: str = args.password_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as why:
            raise UsageError(f"--password-file {args.password_file}: cannot be read ({why})") from why
        return text.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("no terminal to ask for the password: give --password-file FILE or --generate")
    first = getpass("Password: ")
    if getpass("Again: ") != first:
        raise UsageError("the two passwords differ; nothing was changed")
    return first


def _list(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        people = list_persons(connection)
    rows = [
        {
            "username": person.username,
            "name": person.display_name,
            "role": person.role,
            "language": person.language,
            "agencies": shown_limit(person.scope.agencies, args.json),
            "sites": shown_limit(person.scope.sites, args.json),
            "created_at": person.created_at,
        }
        for person in people
    ]
    print_rows(rows, args.json, empty="Nobody. Add someone with: bongsu user add NAME")
    return 0


def shown_limit(ids: frozenset[str] | None, as_json: bool) -> frozenset[str] | str | None:
    """No limit is null in JSON and "all" for people."""
    return "all" if ids is None and not as_json else ids
