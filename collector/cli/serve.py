"""``bongsu serve``: run the collector; with ``--local-agent`` also one real agent for this machine."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.link.clock import SystemChance, SystemClock
from collector.app import build
from collector.cli.allocator import keep_little
from collector.cli.listening import Server, allow_connections, listen, uvicorn_config
from collector.cli.local_agent import LocalAgent
from collector.cli.options import Verbs, refuse_hub, settings_of, verb
from collector.errors import UsageError
from collector.garbage import Garbage
from collector.logs import set_up
from collector.settings import Settings
from collector.settings_read import with_bind
from collector.store.schema import instant

LOCK = "serve.lock"
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while another waits for it. A commit gives it up at each statement, and
while a scrape is made it would otherwise wait 5 ms to get it back, every time."""


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(verbs, "serve", "run the collector", "bongsu serve --data /var/lib/bongsu")
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: [server] host, 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, metavar="N", help="port to listen on (default: [server] port, 8650; 0 = any)"
    )
    parser.add_argument(
        "--behind-proxy", action="store_true", help="a proxy in front of us ends TLS and checks nothing else"
    )
    parser.add_argument(
        "--local-agent",
        action="store_true",
        help="make what is missing first, and run an agent for this machine at site 'local' beside the collector",
    )


def run(args: argparse.Namespace) -> int:
    keep_little()
    settings = with_bind(settings_of(args), args.host, args.port, args.behind_proxy)
    set_up(settings.log)
    if args.local_agent:
        refuse_hub(settings)
        _initialise_once(settings)
    allow_connections()
    with sole_collector(settings.data_dir) as say_where:
        listening = listen(settings)
        settings = replace(settings, server=replace(settings.server, port=listening.getsockname()[1]))
        app = build(settings, SystemClock())
        agent = LocalAgent(app, settings) if args.local_agent else None
        garbage = Garbage()

        async def started() -> None:
            garbage.keep_looking()
            say_where(local_url(settings))
            server = settings.server
            bound = f"listening on {server.host} port {server.port}; " if server.is_told_elsewhere else ""
            print(f"Bongsu is at {server.url}  ({bound}stop with Ctrl-C)", flush=True)
            if agent is not None and await asyncio.to_thread(agent.enrol):
                agent.start()

        # uvicorn hands a signal on once it has stopped serving: as an exception it lets us stop the rest in order.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        app.start()
        garbage.begin()
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            Server(uvicorn_config(app, settings), started, app.stop_serving).run(sockets=[listening])
        except KeyboardInterrupt:
            pass
        finally:
            if agent is not None:
                agent.stop()
            app.stop()
    return 0


def _initialise_once(settings: Settings) -> None:
    from collector.cli.init import initialise, is_initialised  # with all that makes keys and tables, mostly for nothing

    if is_initialised(settings):
        return
    made = initialise(settings, instant(SystemClock().wall_ms()), SystemChance())
    print(f"Made {settings.data_dir}: keys, database, site 'local'.")
    if made.password:
        print(f"Administrator {made.admin!r}, password (shown this once): {made.password}", flush=True)


@contextmanager
def sole_collector(data_dir: Path) -> Iterator[Callable[[str], None]]:
    """One collector a data directory: two would each believe that they alone know what is held. Raises UsageError.

    What it gives writes down where this one is reached, for the other verbs.
    """
    try:
        descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as why:
        raise UsageError(f"{data_dir}: {why.strerror}; make it with: bongsu init --data {data_dir}") from why
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as why:
        os.close(descriptor)
        raise UsageError(f"another collector runs on {data_dir}; stop it first, or choose another --data") from why
    finally:
        sys.stdout.flush()

    def say_where(url: str) -> None:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, url.encode(), 0)

    say_where("")
    try:
        yield say_where
    finally:
        os.close(descriptor)


def running_at(data_dir: Path) -> str:
    """Where the collector that runs on this data directory is reached from this machine; empty where none runs.

    Raises UsageError where one is just starting.
    """
    try:
        with (data_dir / LOCK).open("r", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                url = lock.read()
                if not url:
                    raise UsageError(f"the collector on {data_dir} is just starting; try again in a moment") from None
                return url
    except FileNotFoundError:
        pass
    return ""


def local_url(settings: Settings) -> str:
    """The address listened on as this machine reaches it."""
    server = settings.server
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104 - everywhere is here, too
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if server.tls_cert else 'http'}://{shown}:{server.port}"
