"""A small collector for tests of people's data: real store, access, registry and routes, and a clock that is set by hand.

Its fleet: agencies ``owner`` and ``stranger``; sites ``here`` and ``there`` of the owner, ``away`` of the stranger; hub
``mea`` before ``here``; a shared host of the stranger's at ``here``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from agent.link.clock import SystemChance
from agent.link.keys import SigningKey, new_key
from collector.access import api as access_api
from collector.access.guard import protect
from collector.access.identity import Access
from collector.access.passwords import hash_password
from collector.access.queries import add_api_token, add_person
from collector.agencies import api as agencies_api
from collector.fleet import api as fleet_api
from collector.fleet.hub_contact import HubContacts
from collector.fleet.registry import Registry
from collector.fleet.tokens import create_token
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.intake.nonce import Nonces
from collector.live.board import Live
from collector.settings import AccessSettings, Server, Settings
from collector.store.engine import Store
from collector.store.scope import Scope
from collector.telemetry import Telemetry

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
PASSWORD_HASH = hash_password(PASSWORD)
PUBLIC = Server(host="0.0.0.0", behind_proxy=True, public_url="https://bongsu.test")
TOPOLOGY = """
[[agencies]]
id = "owner"
[[agencies]]
id = "stranger"
[[hubs]]
id = "mea"
name_ko = "중동 거점"
[[sites]]
id = "here"
agency = "owner"
hub = "mea"
timezone = "Africa/Lagos"
link_profile = "geo"
latitude = 9.0765
longitude = 7.3986
[[sites]]
id = "there"
agency = "owner"
timezone = "Asia/Seoul"
[[sites]]
id = "away"
agency = "stranger"
timezone = "Asia/Dubai"
[[hosts]]
name = "web"
site = "here"
[[hosts]]
name = "web"
site = "there"
[[hosts]]
name = "shared"
site = "here"
agency = "stranger"
shared = true
[[hosts]]
name = "web"
site = "away"
[[systems]]
id = "portal"
agency = "owner"
grade = 1
hosts = ["web.here", "web.there", "shared.here"]
[[systems]]
id = "mail"
agency = "stranger"
grade = 3
hosts = ["web.away"]
"""


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START
        self._seconds = 1000.0

    def wall_ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def monotonic(self) -> float:
        return self._seconds

    def move(self, by: timedelta) -> None:
        self.now += by
        self._seconds += by.total_seconds()


@dataclass
class Stage:
    """What ``collector.services.Services`` promises, as far as the routes on it use it."""

    settings: Settings
    store: Store
    clock: HandClock
    registry: Registry
    telemetry: Telemetry
    access: Access
    centre_key: SigningKey
    fastapi: FastAPI
    nonces: Nonces
    hub_contacts: HubContacts
    live: Any = field(default_factory=Live)
    standing: Any = None
    history: Any = None
    log: Any = None
    upstream: Any = None
    response: Any = None
    is_hub: bool = False

    def client(self, **headers: str) -> TestClient:
        """Somebody at the door; ``base_url`` is what a browser on this machine would use."""
        name = "https://bongsu.test" if self.settings.server.behind_proxy else "http://127.0.0.1:8650"
        return TestClient(self.fastapi, base_url=name, headers=headers, follow_redirects=False)

    def program(self, name: str, *, role: str = "viewer", scope: Scope | None = None) -> TestClient:
        """A program with an API token of this scope."""
        with self.store.transaction() as connection:
            add_api_token(connection, f"secret-{name}", name, "test", self.clock.now, role=role, scope=scope)
        return self.client(Authorization=f"Bearer secret-{name}")

    def person(self, username: str, *, role: str = "viewer", scope: Scope | None = None) -> None:
        with self.store.transaction() as connection:
            add_person(connection, username, PASSWORD_HASH, self.clock.now, role=role, scope=scope)

    def token(self, site: str = "here", host: str = "", hours: int = 24) -> str:
        with self.store.transaction() as connection:
            text, _ = create_token(
                connection,
                self.centre_key,
                site=site,
                host=host,
                hours=hours,
                collectors=["https://bongsu.test"],
                ca_sha256=b"",
                created_by="test",
                now=self.clock.now,
                chance=SystemChance(),
            )
        return text


def set_stage(store: Store, data_dir: Path, server: Server = PUBLIC) -> Stage:
    """A collector on this store, with the fleet above."""
    settings = replace(Settings(data_dir=data_dir), server=server, access=AccessSettings(login_tries=2))
    clock = HandClock()
    with store.transaction() as connection:
        apply_topology(connection, read_topology(TOPOLOGY))
    registry = Registry(store)
    registry.refresh()
    access = Access(store, settings, clock)
    nonces = Nonces(b"n" * 32)
    contacts = HubContacts(store, registry, nonces, clock)
    stage = Stage(settings, store, clock, registry, Telemetry("test"), access, new_key(), FastAPI(), nonces, contacts)
    protect(stage.fastapi, access)
    for noun in (access_api, agencies_api, fleet_api):
        stage.fastapi.include_router(noun.router(stage))
    return stage
