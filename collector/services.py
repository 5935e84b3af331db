"""What a noun's ``router(services)`` may use: the parts of a running collector, made in ``collector.app``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fastapi import FastAPI

    from agent.link.clock import Clock
    from agent.link.keys import SigningKey
    from collector.access.identity import Access
    from collector.completeness.hours import SiteHour
    from collector.fleet.hub_contact import HubContacts
    from collector.fleet.registry import Registry
    from collector.fleet.signed_request import NonceBook
    from collector.live.board import Live
    from collector.maintenance.queries import Windows
    from collector.settings import Settings
    from collector.store.engine import Store
    from collector.telemetry import Telemetry
    from collector.verdicts.standing import Standing


class Services(Protocol):
    """Read only: who takes part is decided once, at the start. ``standing`` is replaced on every tick; read it anew.

    ``centre_key`` is the centre's alone: a hub has none. ``upstream`` is a hub's ``HubSide``, None at the centre.
    """

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def centre_key(self) -> SigningKey: ...
    @property
    def answer_secret(self) -> bytes: ...
    @property
    def nonces(self) -> NonceBook: ...
    @property
    def is_hub(self) -> bool: ...
    @property
    def hub_contacts(self) -> HubContacts: ...
    @property
    def upstream(self) -> Any: ...
    @property
    def access(self) -> Access: ...
    @property
    def live(self) -> Live: ...
    @property
    def standing(self) -> Standing: ...
    @property
    def windows(self) -> Windows: ...
    @property
    def completeness(self) -> Mapping[str, SiteHour]: ...
    @property
    def response(self) -> Any: ...
    @property
    def history(self) -> Any: ...
    @property
    def log(self) -> Any: ...
    @property
    def fastapi(self) -> FastAPI: ...
