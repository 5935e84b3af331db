"""An intake with everything behind it that is real: a database, a registry, a writer, live state."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sender import Sender
from sqlalchemy import insert

from agent.link.answer import Answer, Receiver, read_answer
from agent.link.keys import SigningKey, new_key
from agent.link.names import ANSWER_TYPE, Limits
from collector.agencies.tables import agencies
from collector.fleet.registry import Registry, bump_version
from collector.fleet.tables import agent_keys, agents, fleet_version, hosts, hubs, sites
from collector.intake.admit import Admission
from collector.intake.commit import Writer
from collector.intake.http import Intake
from collector.intake.nonce import Nonces
from collector.intake.reply import Answering
from collector.intake.restore import restore_live
from collector.intake.settle import settle
from collector.live.board import Live
from collector.live.shape import Shapes
from collector.log.positions import Positions
from collector.log.queries import packed_schema
from collector.store.engine import Store
from collector.store.schema import instant

NOW_MS = 1_790_000_000_000


@dataclass
class HandClock:
    """Time moves when the test says so."""

    now_ms: int = NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.now_ms / 1000


@dataclass
class Centre:
    store: Store
    clock: HandClock = field(default_factory=HandClock)
    limits: Limits = field(default_factory=Limits)
    key: SigningKey = field(default_factory=new_key)
    raw_days: float = 15

    def start(self) -> None:
        """Begin, or begin again, on what the database holds."""
        self.registry = Registry(self.store)
        self.registry.refresh()
        self.live, self.positions = Live(), Positions()
        self.admission = Admission(self.limits, Shapes(), self._schema)
        self.writer = Writer(self.store, self.registry, self.positions, self.live, self.clock, self.raw_days)
        self.writer.on_schema = lambda packed: self.writer.call(lambda: settle(self.writer, self.admission, [packed]))
        with self.store.reading() as connection:
            self.writer.restore(connection)
        restore_live(self.store, self.registry, self.admission, self.positions, self.live)
        answering = Answering(Receiver("centre", "c0ffee", "0011223344556677"), self.key.sign)
        self.intake = Intake(
            self.registry, self.admission, self.writer, answering, Nonces(b"n" * 32), self.clock, self.limits
        )
        self.writer.start()

    def stop(self) -> None:
        self.writer.stop()

    def _schema(self, name: bytes) -> bytes | None:
        with self.store.reading() as connection:
            return packed_schema(connection, name)

    def plant(self) -> None:
        """One agency, one hub, one site on the lan profile."""
        with self.store.transaction() as connection:
            connection.execute(insert(agencies), {"id": "for", "name_ko": "외교정보처", "name_en": "Foreign"})
            connection.execute(insert(hubs), {"id": "mea", "name_ko": "중동", "name_en": "MEA"})
            place = {"agency": "for", "hub": "mea", "name_ko": "아부자", "name_en": "Abuja", "timezone": "Africa/Lagos"}
            connection.execute(insert(sites), {"id": "abuja", "link_profile": "lan", **place})
            if not connection.execute(fleet_version.select()).first():
                connection.execute(insert(fleet_version), {"id": 1, "version": 1})

    def enrolled(self, name: str = "srv1", status: str = "active") -> Sender:
        """A new agent of a new host of the site."""
        sender = Sender(f"{name}.abuja")
        at = instant(self.clock.now_ms)
        with self.store.transaction() as connection:
            connection.execute(
                insert(agents),
                {
                    "id": sender.agent_id,
                    "site": "abuja",
                    "host": sender.host,
                    "status": status,
                    "enrolled_at": at,
                    "status_at": at,
                },
            )
            key = {"agent_id": sender.agent_id, "key_no": 1, "public_key": sender.key.public, "created_at": at}
            connection.execute(insert(agent_keys), key)
            host = {"id": sender.host, "name": name, "site": "abuja", "agency": "for", "managed_by": "enrolment"}
            connection.execute(insert(hosts), {**host, "agent_id": sender.agent_id})
            bump_version(connection)
        self.registry.refresh()
        return sender

    def set_status(self, sender: Sender, status: str) -> None:
        """As another process would: the running registry is not told."""
        with self.store.transaction() as connection:
            connection.execute(agents.update().where(agents.c.id == sender.agent_id).values(status=status))
            bump_version(connection)

    def post(self, body: bytes, path: str = "/v1/envelopes") -> tuple[int, str, bytes]:
        """(status, content type, body) of one request."""
        handler = self.intake.envelopes if path == "/v1/envelopes" else self.intake.schemas
        return asyncio.run(exchange(handler, body))

    def answer(self, body: bytes) -> Answer:
        status, kind, text = self.post(body)
        assert (status, kind) == (200, ANSWER_TYPE), text
        return read_answer(text)


async def exchange(handler: Any, body: bytes, chunk: int = 1 << 20) -> tuple[int, str, bytes]:
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await handler({"type": "http", "method": "POST"}, receive, send)
    headers = dict(sent[0]["headers"])
    return sent[0]["status"], headers[b"content-type"].decode(), sent[1]["body"]


def problem(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body)
    return found
