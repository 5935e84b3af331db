"""The demonstration, served, with faults that a test planted some minutes ago: whoever asks it now gets known answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mail_server import Mailbox, mail_server
from sqlalchemy import insert, update

from collector.cli.listening import Server, uvicorn_config
from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts
from collector.maintenance.occurrence import Schedule
from collector.maintenance.queries import add_window
from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings import Settings
from collector.settings_channels import Channel
from collector.settings_remote_write import Destination
from collector.store.schema import instant
from collector.world.demo.demo import Demo
from collector.world.demo.pace import Front, Pacer
from collector.world.demo.people import rosters

HOUR, SETTLED, BROKEN = 3600, 25 * 60, 480
"""Seconds. An hour is judged twenty minutes after its end; faults are planted eight minutes before now."""

STOPPED = ("lima", "tashkent")
"""Missions whose power is gone, batteries and all."""
ON_BATTERY = "abuja"
AT_WORK = "hanoi"
FAILING = ("srv1.cairo", "process:smbd")
DEAD = ("open-data-web1.dc-dgu", "open-data-web2.dc-dgu", "open-data-db1.dc-dgu")
"""Every server of one system of grade 3."""
NEVER_HEARD = "spare.cairo"
"""A host that is registered and that nobody speaks for."""


class World:
    def __init__(self, folder: Path, mail_port: int) -> None:
        options = {"host": "127.0.0.1", "port": mail_port, "security": "plain", "sender": "bongsu@demo.example"}
        store = Destination("store", "http://127.0.0.1:9/api/v1/write")
        settings = Settings(channels=(Channel("email", "smtp", options),), remote_write=(store,))
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        self.settings = replace(settings, server=replace(settings.server, port=port))
        self.address = f"127.0.0.1:{port}"
        now = time.time()
        since_hour = now % HOUR
        past = since_hour + 300 if since_hour >= SETTLED else since_hour + HOUR + 300
        self.start_ms = round((now - past) * 1000)
        self.demo = Demo(7, folder, self.start_ms, self.settings, 5.0, 30.0, is_small=True)
        app = self.demo.centre.app
        assert app is not None
        with app.store.transaction() as connection:
            apply_rosters(connection, read_rosters(rosters(""), "demo"))
            connection.execute(update(people_contacts).values(verified_at=instant(self.start_ms)))
        app.response.pages.start()
        self.pacer = Pacer(self.demo, folder)
        self.pacer.catch_up(past - BROKEN, lambda _done: None)
        self.break_things()
        while (left := time.time() - self.start_ms / 1000 - self.demo.timeline.now) > 0.5:
            self.pacer.catch_up(left, lambda _done: None)

    def break_things(self) -> None:
        demo, app = self.demo, self.demo.centre.app
        assert app is not None
        condition, now = demo.condition, demo.timeline.now
        condition.dark_sites |= dict.fromkeys(STOPPED, (now, 1.0)) | {ON_BATTERY: (now, 86_400.0)}
        condition.failing[FAILING] = (2, "no such process")
        condition.dead_hosts |= set(DEAD)
        at = instant(self.start_ms + round(now * 1000))
        schedule = Schedule("UTC", (at - timedelta(hours=1)).replace(tzinfo=None), 1440)
        row = {"id": NEVER_HEARD, "name": "spare", "site": "cairo", "agency": "for", "managed_by": "file"}
        with app.store.transaction() as connection:
            connection.execute(insert(hosts), row)
            bump_version(connection)
            add_window(connection, "router", "planned", [("site", AT_WORK)], schedule, None, at, "test")


@contextmanager
def served_world(folder: Path) -> Iterator[tuple[World, Mailbox]]:
    """The world going on by the real clock at ``world.address``."""
    with mail_server() as mailbox:
        world = World(folder, mailbox.port)
        is_up = threading.Event()

        async def started() -> None:
            is_up.set()

        server = Server(uvicorn_config(Front(world.demo, "/phone/"), world.settings), started, world.demo.stop_serving)
        listening = socket.create_server(("127.0.0.1", world.settings.server.port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        world.pacer.start()
        thread.start()
        try:
            assert is_up.wait(20)
            yield world, mailbox
        finally:
            server.should_exit = True
            thread.join(20)
            world.pacer.stop()
            world.demo.end()
            listening.close()
