"""``bongsu intake DIR``: take in envelopes that came as files, and say what is missing.

A collector that runs on the same data directory keeps what is held in memory and is the only writer of its log, so the
files are posted to it like any sender's requests. Where none runs, this process is the collector as long as it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.link.clock import SystemClock
from agent.link.names import BACKLOG_LANE, ENVELOPES_TYPE, LANE_HEADER
from collector.app import App, build
from collector.cli.options import Verbs, settings_of, verb
from collector.cli.serve import running_at, sole_collector
from collector.errors import UsageError
from collector.fleet.keys import ca_file
from collector.intake.one_way import Directory, Door, Reply, Report, lines
from collector.settings import Settings

FOLLOW_SECONDS = 5.0
BUSY_TRIES = 20
REQUEST_SECONDS = 120.0


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "intake",
        "take in envelopes that came as files, put the files away, and say which numbers are missing",
        "bongsu intake /srv/from-diode --follow",
        json=True,
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the files are (NAME.bongsu)")
    parser.add_argument(
        "--delete", action="store_true", help="delete what was taken in, instead of moving it to DIR/done"
    )
    parser.add_argument("--follow", action="store_true", help="go on looking for new files until stopped")
    parser.add_argument("--url", metavar="URL", help="hand the files to the collector there, not to the one of --data")


def run(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    if not args.directory.is_dir():
        raise UsageError(f"{args.directory}: no such directory; give the one the files arrive in")
    with opened_door(settings, args.url) as door:
        directory = Directory(args.directory, door, settings.limits.request_bytes, delete=args.delete)
        is_whole = True
        try:
            while True:
                report = _round(directory, args.directory)
                _print(report, as_json=args.json, is_following=args.follow)
                is_whole = report.is_whole and is_whole
                if not args.follow:
                    return 0 if is_whole else 1
                time.sleep(FOLLOW_SECONDS)
        except KeyboardInterrupt:
            return 0 if is_whole else 1


def _round(directory: Directory, folder: Path) -> Report:
    try:
        return directory.step(time.time())
    except OSError as why:
        raise UsageError(f"{folder}: {why}; files and directory must be readable and writable by this user") from why


def _print(report: Report, *, as_json: bool, is_following: bool) -> None:
    if is_following and not report.files and not report.problems:
        return
    if as_json:
        print(json.dumps(report.as_dict(), ensure_ascii=False), flush=True)
        return
    print(f"{report.files} files taken in, {len(report.problems)} problems, {len(report.missing)} gaps", flush=True)
    for line in lines(report):
        print(line, file=sys.stderr, flush=True)


@contextmanager
def opened_door(settings: Settings, url: str | None) -> Iterator[Door]:
    """To the collector at ``url``, else to the one that runs on this data directory, else to one of our own."""
    where = url or running_at(settings.data_dir)
    if where:
        yield patient(_Posting(where, settings, is_local=not url))
        return
    with sole_collector(settings.data_dir):
        app = build(settings, SystemClock())
        app.read_back()
        app.log.start()
        runner = asyncio.Runner()
        try:
            yield patient(lambda body: runner.run(_exchange(app, body)))
        finally:
            runner.close()
            app.log.save_checkpoint()
            app.log.stop()
            app.store.close()


def patient(door: Door) -> Door:
    """The same door, tried again while it says that it is busy."""

    def ask(body: bytes) -> Reply:
        reply = door(body)
        for _ in range(BUSY_TRIES):
            if reply.status != 503 or not reply.retry_after_seconds:
                break
            time.sleep(reply.retry_after_seconds)
            reply = door(body)
        return reply

    return ask


class _Posting:
    """A collector over HTTP. Raises UsageError where it does not answer."""

    def __init__(self, url: str, settings: Settings, *, is_local: bool) -> None:
        self._url = url
        self._context: ssl.SSLContext | None = None
        if url.startswith("https:"):
            own = ca_file(settings.data_dir)
            self._context = ssl.create_default_context(cafile=str(own) if own.exists() else None)
            self._context.check_hostname = not is_local  # its certificate names what others call this machine

    def __call__(self, body: bytes) -> Reply:
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port
        kind: Any = http.client.HTTPSConnection if self._context else http.client.HTTPConnection
        extra = {"context": self._context} if self._context else {}
        connection = kind(host, port, timeout=REQUEST_SECONDS, **extra)
        try:
            headers = {"Content-Type": ENVELOPES_TYPE, LANE_HEADER: BACKLOG_LANE}
            connection.request("POST", f"{parts.path.rstrip('/')}/v1/envelopes", body, headers)
            answer = connection.getresponse()
            again = answer.headers.get("Retry-After", "")
            return Reply(answer.status, answer.read(), float(again) if again.isdecimal() else 0.0)
        except (OSError, http.client.HTTPException) as why:
            raise UsageError(
                f"collector at {self._url}: no answer ({why}); say where it is with --url, or stop it"
            ) from why
        finally:
            connection.close()


async def _exchange(app: App, body: bytes) -> Reply:
    """One request through the intake of our own collector."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(LANE_HEADER.encode(), BACKLOG_LANE.encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/envelopes", "headers": headers}
    await app.intake.envelopes(scope, receive, send)
    again = dict(sent[0]["headers"]).get(b"retry-after", b"")
    return Reply(sent[0]["status"], sent[1]["body"], float(again) if again else 0.0)
