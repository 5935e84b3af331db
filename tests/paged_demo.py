"""The demonstration with people who are called: every page goes to a little real server, which may be away for a while."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import update

from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound
from collector.settings_paging import PagingSettings
from collector.world.demo.demo import Demo
from collector.world.demo.people import rosters


@dataclass(frozen=True)
class Call:
    """A page as it reached somebody; ``at`` by the world's clock."""

    at: float
    channel: str
    person: str
    kind: str
    severity: str
    incident: int | None
    key: str
    text: str
    link: str


@dataclass
class Gateway:
    """Takes pages of all channels by their path; ``is_away``: answers 503."""

    calls: list[Call] = field(default_factory=list)
    refused: int = 0
    is_away: bool = False
    now: Any = None

    def of(self, kind: str) -> list[Call]:
        return [call for call in self.calls if call.kind == kind]

    @property
    def called(self) -> list[tuple[str, str, str]]:
        """(person, channel, kind) in the order of arrival."""
        return [(call.person, call.channel, call.kind) for call in self.calls]


@contextmanager
def gateway() -> Iterator[tuple[Gateway, int]]:
    """The server, and its port."""
    taken = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if taken.is_away:
                taken.refused += 1
                self.send_response(503)
            else:
                names = ("person", "kind", "severity", "incident", "key", "text", "link")
                channel = self.path.strip("/")
                taken.calls.append(Call(taken.now(), channel, *(body[name] for name in names)))
                self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield taken, server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def paged_demo(
    folder: Path,
    began: datetime,
    seed: int = 7,
    people: str = "",
    is_thin: bool = False,
    summary_at: str = "",
    **more: Any,
) -> Iterator[tuple[Demo, Gateway]]:
    """``began``: the true time at which the world begins. ``people``: a roster file in place of the demonstration's.
    ``summary_at``: when the daily summary is told; it calls nobody, and stories count calls, so else it is not."""
    with gateway() as (taken, port):
        channels = tuple(
            Channel(name, "webhook", {"url": f"http://127.0.0.1:{port}/{name}"}, {"secret": "s" * 32})
            for name in ("email", "sms")
        )
        paging = PagingSettings(summary_at=summary_at)
        settings = Settings(channels=channels, outbound=Outbound(private="127.0.0.1"), paging=paging)
        start_ms = round(began.timestamp() * 1000)
        demo = Demo(seed, folder, start_ms, settings, is_thin=is_thin, **more)
        taken.now = lambda: demo.timeline.now
        app = demo.centre.app
        assert app is not None
        with app.store.transaction() as connection:
            apply_rosters(connection, read_rosters(people or rosters(is_thin=is_thin), "demo"))
            connection.execute(update(people_contacts).values(verified_at=began))
        try:
            yield demo, taken
        finally:
            demo.end()
