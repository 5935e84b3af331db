"""A centre and a hub in one process: the whole applications in steps, a line between them that can be cut, and agents
written by the book."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sender import Sender, request
from sqlalchemy import select

from agent.link.answer import HUB, Answer, read_answer
from agent.link.clock import SystemChance
from agent.link.exchange import Failure, Request, Response
from agent.link.keys import SigningKey, new_key, save_key
from agent.link.ranges import Ranges
from agent.link.receipt import Receipt, open_receipt
from agent.link.token import proof_message, read_token
from collector.app import App
from collector.fleet.enrolment import EnrolmentRequest
from collector.fleet.hubs import create_hub_token, enrol_hub
from collector.fleet.keys import (
    HubIdentity,
    centre_key_file,
    hub_key_file,
    new_receiver,
    save_hub,
    save_receiver,
)
from collector.fleet.tokens import create_token
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.log.tables import envelopes
from collector.settings import Settings, Upstream
from collector.store.engine import Store
from collector.store.schema import instant
from collector.world.clock import Timeline
from collector.world.station import InlineLoop, Station

TOPOLOGY = """
[[agencies]]
id = "for"
[[hubs]]
id = "mea"
url = "http://hub.test"
[[sites]]
id = "abuja"
agency = "for"
hub = "mea"
timezone = "Africa/Lagos"
[[sites]]
id = "tokyo"
agency = "for"
timezone = "Asia/Tokyo"
"""
CENTRE, HUB_URL = "http://centre.test", "http://hub.test"


class HubHere(Station):
    """A hub whose line to the centre is ``line``."""

    line: Callable[[Request], Response | Failure]
    keep_days = 30

    @property
    def settings(self) -> Settings:
        return Settings(
            data_dir=self.folder, upstream=Upstream(url=CENTRE, registry_seconds=30, keep_days=self.keep_days)
        )

    def begin(self) -> App:
        app = super().begin()
        assert app.upstream is not None
        app.upstream.use(lambda: Line(self.line), SystemChance())
        return app

    def turn(self, most: int = 200) -> None:
        """Everything towards the centre that is due now."""
        assert self.app is not None
        assert self.app.upstream is not None
        for _ in range(most):
            now = self.clock.monotonic()
            if self.app.upstream.step(now) > now:
                self.app.registry.refresh()
                return
        raise AssertionError("the hub always has something to do")


class Line:
    def __init__(self, carry: Callable[[Request], Response | Failure]) -> None:
        self._carry = carry

    def __call__(self, asked: Request) -> Response | Failure:
        return self._carry(asked)

    def close(self) -> None:
        pass


class Region:
    """``tamper`` may replace what the hub sends, ``forge`` what the centre answers."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder = folder
        self.template = template
        self.timeline = Timeline()
        self.loops = InlineLoop(), InlineLoop()
        self.is_cut = False
        self.sent: list[Request] = []
        self.tamper: Callable[[Request], Request] = lambda asked: asked
        self.forge: Callable[[Response | Failure], Response | Failure] = lambda said: said
        self.key = new_key()
        centre = folder / "centre"
        centre.mkdir()
        shutil.copy(template, centre / "bongsu.db")
        save_receiver(centre, new_receiver(SystemChance()))
        save_key(centre_key_file(centre), self.key)
        self.centre = Station(self.timeline, centre, self.loops[0])
        store = Store(self.centre.settings.store_url)
        with store.transaction() as connection:
            apply_topology(connection, read_topology(TOPOLOGY))
        store.close()
        self.centre.begin()
        self.hub = self.join("hub")
        self.hub.begin()

    def join(self, name: str) -> HubHere:
        """A new hub machine, joined with a token; not begun yet."""
        place, key = self.folder / name, new_key()
        place.mkdir()
        shutil.copy(self.template, place / "bongsu.db")
        now = instant(self.centre.clock.wall_ms())
        with self.at_centre.store.transaction() as connection:
            shared: dict[str, Any] = {"hours": 24, "ca_sha256": b"", "created_by": "test", "now": now}
            text, _ = create_hub_token(
                connection, self.key, hub="mea", collectors=[CENTRE], chance=SystemChance(), **shared
            )
            asked = EnrolmentRequest(text, key.public, key.sign(proof_message(text, key.public)), "mea")
            answer, _ = enrol_hub(connection, asked, read_token(text), self.key, now)
        self.at_centre.registry.refresh()
        save_key(hub_key_file(place), key)
        identity = HubIdentity(HUB, answer["agent_id"], SystemChance().bytes(8).hex(), "mea")
        save_hub(place, identity, self.key.public)
        hub = HubHere(self.timeline, place, self.loops[1])
        hub.line = self.carry
        return hub

    def end(self) -> None:
        self.hub.end()
        self.centre.end()
        for loop in self.loops:
            loop.close()

    @property
    def at_centre(self) -> App:
        assert self.centre.app is not None
        return self.centre.app

    @property
    def at_hub(self) -> App:
        assert self.hub.app is not None
        return self.hub.app

    def carry(self, asked: Request) -> Response | Failure:
        self.sent.append(asked)
        if self.is_cut:
            return Failure("no route to host")
        return self.forge(self.centre.answer(self.tamper(asked)))

    def wait(self, seconds: float) -> None:
        self.timeline.step(self.timeline.now + seconds)

    # ------------------------------------------------------------ agents

    def token(self, site: str = "abuja", host: str = "", hours: int = 24) -> str:
        with self.at_centre.store.transaction() as connection:
            text, _ = create_token(
                connection,
                self.key,
                site=site,
                host=host,
                hours=hours,
                collectors=[HUB_URL, CENTRE],
                ca_sha256=b"",
                created_by="test",
                now=instant(self.centre.clock.wall_ms()),
                chance=SystemChance(),
            )
        return text

    def enrol(self, at: Station, token: str, key: SigningKey, host: str = "srv1") -> tuple[int, dict[str, Any]]:
        proof = key.sign(proof_message(token, key.public))
        body = {"token": token, "public_key": key.public.hex(), "proof": proof.hex(), "host": host}
        said = at.answer(Request("POST", "", "/v1/enrolments", msgspec.json.encode(body)))
        assert isinstance(said, Response)
        return said.status, msgspec.json.decode(said.body)

    def agent(self, host: str = "srv1", at: Station | None = None) -> Sender:
        """An agent that joined, through the hub where nothing else is said."""
        key = new_key()
        status, said = self.enrol(at or self.hub, self.token(), key, host)
        assert status == 200, said
        self.at_centre.registry.refresh()
        return Sender(said["hosts"][0], bytes.fromhex(said["agent_id"]), key)

    def post(self, at: Station, *packed: bytes) -> Answer:
        said = at.answer(Request("POST", "", "/v1/envelopes", request(*packed)))
        assert isinstance(said, Response)
        assert said.status == 200, said
        return read_answer(said.body)

    def report(self, sender: Sender, value: float = 1.0, at: Station | None = None, age_seconds: float = 0) -> Answer:
        to = at or self.hub
        return self.post(to, sender.report(to.clock.wall_ms() - round(age_seconds * 1000), value))

    def receipt(self, answer: Answer, sender: Sender) -> Receipt:
        (mine,) = answer.agents
        return open_receipt(mine.receipt, self.key.public, sender.agent_id)

    # ------------------------------------------------------------ looking

    def held(self, app: App, sender: Sender) -> list[tuple[int, int]]:
        """Numbers an application accounts for."""
        known = dict(app.log.positions.items()).get((sender.agent_id, sender.epoch))
        return list(Ranges([*known.held, *known.lost])) if known is not None else []

    def rows(self, app: App) -> int:
        with app.store.reading() as connection:
            return len(connection.execute(select(envelopes.c.id)).all())
