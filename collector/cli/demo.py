"""``bongsu demo``: a world to try, with living numbers and ten disasters on request."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import update

from agent.link.clock import SystemChance, SystemClock
from collector.access.passwords import generate_password, hash_password
from collector.access.queries import set_first_admin
from collector.cli.listening import Server, allow_connections, listen, uvicorn_config
from collector.cli.options import Verbs, settings_of, verb
from collector.cli.printing import print_rows
from collector.cli.serve import LOCK, sole_collector
from collector.errors import UsageError
from collector.logs import set_up
from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings import AccessSettings, Settings
from collector.settings_channels import Channel
from collector.settings_read import with_bind
from collector.store.schema import instant
from collector.web import stage
from collector.web.i18n import words
from collector.web.stage import Offer, Wish

if TYPE_CHECKING:
    from collector.web.stage import Playing
    from collector.world.demo.demo import Demo

MARK = "demo"
"""In a data directory: it is a demonstration's, and may be made anew."""
ADMIN = "demo"
PHONE = "/demo/phone/"


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs, "demo", "run a world to try, or play a disaster in it", "bongsu demo --data ./var/demo", json=True
    )
    actions = ("run", "play", "stop", "list")
    parser.add_argument("action", nargs="?", choices=actions, default="run", metavar="|".join(actions))
    about = "the scenario to play or stop (stop without one: all); bongsu demo list has them"
    parser.add_argument("number", nargs="?", type=int, metavar="N", help=about)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed is the same world (1)")
    parser.add_argument("--port", type=int, metavar="N", help="port to listen on (default: [server] port, 8650)")
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: [server] host, 127.0.0.1)")
    parser.add_argument("--minutes", type=int, default=20, metavar="N", help="of past to begin with (20)")


def run(args: argparse.Namespace) -> int:
    from collector.world.demo.scenarios import SCENARIOS

    settings = settings_of(args)
    under_way = stage.playing(settings.data_dir)
    if args.action == "list":
        rows = [
            {
                "number": one.number,
                "title_ko": words("ko")(f"disaster.{one.name}"),
                "title_en": words("en")(f"disaster.{one.name}"),
                "what": words("en")(f"disaster_story.{one.name}"),
                "is_playing": one.number in under_way,
            }
            for one in SCENARIOS.values()
        ]
        print_rows(rows, args.json, empty="none")
        return 0
    if args.action in ("play", "stop"):
        return _ask(args, settings.data_dir, under_way)
    settings = with_bind(settings, args.host, args.port, False)
    return _run(args, settings)


def _ask(args: argparse.Namespace, folder: Path, under_way: Mapping[int, Playing]) -> int:
    is_stop = args.action == "stop"
    offers = {one.number: one for one in stage.offered(folder)}
    if not offers:
        raise UsageError(f"no demonstration runs on {folder}; start it with: bongsu demo --data DIR")
    if args.number not in offers and not (is_stop and args.number is None):
        raise UsageError(f"no scenario {args.number}; there are: {', '.join(map(str, offers))} (bongsu demo list)")
    if not is_stop and args.number in under_way:
        raise UsageError(f"scenario {args.number} is under way; end it with: bongsu demo stop {args.number}")
    stage.ask(folder, Wish(is_stop, args.number))
    named = "everything" if args.number is None else words("en")(f"disaster.{offers[args.number].name}")
    print(f"{'Stopping' if is_stop else 'Playing'} {named}.")
    return 0


def _run(args: argparse.Namespace, settings: Settings) -> int:
    from collector.world.demo.agreed import agree_usual_work
    from collector.world.demo.demo import Demo
    from collector.world.demo.pace import Front, Pacer
    from collector.world.demo.people import rosters
    from collector.world.demo.scenarios import SCENARIOS

    set_up(replace(settings.log, level="warning"))
    allow_connections()
    _claim(settings.data_dir)
    with sole_collector(settings.data_dir):
        _make_room(settings.data_dir)
        listening = listen(settings)
        port = listening.getsockname()[1]
        settings = replace(settings, server=replace(settings.server, port=port), data_dir=settings.data_dir / "centre")
        settings = replace(settings, channels=_phones(settings), access=_open_to_all(settings))
        print(f"Making a world: 24 missions, 5 hubs, 4 centres, {args.minutes} minutes of past …", flush=True)
        start_ms = SystemClock().wall_ms() - args.minutes * 60_000
        demo = Demo(args.seed, settings.data_dir.parent, start_ms, settings)
        password = _people(demo, rosters(ADMIN), start_ms)
        demo.at_centre(agree_usual_work)
        offers = [Offer(one.number, one.name, one.seconds) for one in SCENARIOS.values()]
        stage.offer(settings.data_dir.parent, offers)
        pacer = Pacer(demo, settings.data_dir.parent)
        pacer.catch_up(args.minutes * 60.0, _tell)
        pacer.catch_up(SystemClock().wall_ms() / 1000 - start_ms / 1000 - demo.timeline.now, lambda _done: None)

        async def started() -> None:
            print(f"Bongsu's demonstration is at {settings.server.url}  (stop with Ctrl-C)")
            print(f"Sign in as {ADMIN!r} with password {password}")
            print(f"Then play disasters at {settings.server.url}/demo", flush=True)

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        pacer.start()
        try:
            Server(uvicorn_config(Front(demo, PHONE), settings), started, demo.stop_serving).run(sockets=[listening])
        except KeyboardInterrupt:
            pass
        finally:
            pacer.stop()
            demo.end()
    return 0


def _claim(data: Path) -> None:
    """Raises UsageError for a directory that is not a demonstration's."""
    if data.exists() and any(data.iterdir()) and not (data / MARK).exists():
        raise UsageError(f"{data} holds something else than a demonstration: choose another --data, such as ./var/demo")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / MARK).write_text("made by bongsu demo; begun anew at each start\n", "utf-8")


def _make_room(data: Path) -> None:
    """A demonstration begins anew each time; call this where no other can be running on the directory."""
    for each in data.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name not in (MARK, LOCK):
            each.unlink()


def _phones(settings: Settings) -> tuple[Channel, ...]:
    """Every page comes back to us: nobody outside is called."""
    secret = SystemChance().bytes(16).hex()
    address = f"http://127.0.0.1:{settings.server.port}{PHONE}"
    return tuple(Channel(name, "webhook", {"url": address + name}, {"secret": secret}) for name in ("email", "sms"))


def _open_to_all(settings: Settings) -> AccessSettings:
    """Every agency has its status page, unless the settings choose some."""
    from collector.world.topology import AGENCIES

    chosen = settings.access.status_pages or " ".join(name for name, _, _ in AGENCIES)
    return replace(settings.access, status_pages=chosen)


def _people(demo: Demo, rosters: str, start_ms: int) -> str:
    """The one who may sign in, and who is called; their password."""
    password, at = generate_password(SystemChance()), instant(start_ms)
    app = demo.centre.app
    assert app is not None
    with app.store.transaction() as connection:
        set_first_admin(connection, ADMIN, hash_password(password), at)
        apply_rosters(connection, read_rosters(rosters, "demo"))
        connection.execute(update(people_contacts).values(verified_at=at))
    return password


def _tell(done: float) -> None:
    if sys.stdout.isatty():
        print(f"\r  {done:4.0%}", end="\n" if done >= 1 else "", flush=True)
