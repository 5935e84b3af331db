"""A relay that fetches pages from a closed network's collector over HTTP and leaves receipts there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from centre import HandClock
from fastapi import FastAPI
from gateway import a_message
from starlette.responses import Response
from starlette.testclient import TestClient
from test_outbox_relay import Gate

from collector.access.problems import add_problem_handlers
from collector.pages.door import Door
from collector.pages.outbox_api import router
from collector.pages.relay_box import HttpBox, asked
from collector.pages.relay_send import FAILED, WAITING, Relay
from collector.pages.senders import made
from collector.pages.senders.base import SendError
from collector.pages.senders.http import signature
from collector.pages.senders.relay import PAGE, RECEIPT, RelaySender, name_of, names, read_signed
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound


class Inside:
    """A closed network's collector, as far as a relay sees it; ``is_away``: its outbox answers nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.is_away = folder, HandClock(), ""
        self.sms, self.email = self.sender("sms", is_fetched=True), self.sender("email")
        self.app = FastAPI()
        add_problem_handlers(self.app)
        self.app.middleware("http")(self._maybe)
        office: Any = SimpleNamespace(senders={"sms": self.sms, "email": self.email})
        self.app.include_router(router(self, office))  # type: ignore[arg-type]

    def sender(self, name: str, **more: Any) -> RelaySender:
        channel = Channel(name, "relay", {"folder": str(self.folder / name), **more}, {"secret": "s3cret"})
        found = made(Settings(), channel, Door(Outbound()), self.clock)
        assert isinstance(found, RelaySender)
        return found

    async def _maybe(self, request: Any, go_on: Any) -> Any:
        if request.method == self.is_away:
            return Response(status_code=503)
        return await go_on(request)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    return Inside(tmp_path)


def relay(url: str, gate: Gate, inside: Inside, key: str = "s3cret", channels: tuple[str, ...] = ("sms",)) -> Relay:
    return Relay(
        HttpBox(url, channels, key, Door(Outbound()), inside.clock), dict.fromkeys(channels, gate), inside.clock
    )


def test_there_and_back_and_nothing_twice(inside: Inside) -> None:
    gate, folder = Gate(), inside.folder / "sms"
    with served(inside.app) as url:
        outside = relay(url, gate, inside)
        assert outside.step() == {}
        inside.sms.send(a_message())
        inside.is_away = "POST"
        with pytest.raises(SendError, match="503"):
            outside.step()
        assert (len(gate.sent), len(list(names(folder, PAGE)))) == (1, 1)
        with pytest.raises(SendError, match="503"):
            outside.step()
        inside.is_away = ""
        assert outside.step() == {}
        assert gate.sent == [a_message()], "once, though its receipt could not be left at first"
        receipt = read_signed(folder, RECEIPT, name_of(a_message().key), "s3cret")
        assert (receipt["state"], receipt["receipt"]) == ("sent", "rq-9")
        assert not list(names(folder, PAGE))
        inside.sms.send(a_message(key="second"))
        gate.fails = SendError("HTTP 503", False, "unavailable")
        assert outside.step() == {WAITING: 1}
        inside.clock.now_ms += 3_600_000
        assert outside.step() == {FAILED: 1}
    with pytest.raises(SendError):
        outside.step()


def test_only_who_has_the_secret_reads_pages_or_leaves_receipts(inside: Inside) -> None:
    gate = Gate()
    inside.sms.send(a_message())
    inside.email.send(a_message())
    with served(inside.app) as url:
        for wrong in (
            relay(url, gate, inside, "guess"),
            relay(url, gate, inside, channels=("email",)),
            relay(url, gate, inside, channels=("../sms",)),
        ):
            with pytest.raises(SendError, match="HTTP 40"):
                wrong.step()
        late = relay(url, gate, inside)
        late._box._clock = SimpleNamespace(wall_ms=lambda: inside.clock.now_ms - 301_000)  # type: ignore[attr-defined]
        with pytest.raises(SendError, match="401"):
            late.step()
    assert not gate.sent
    client, name = TestClient(inside.app), name_of(a_message().key)
    for path in (f"/v1/outbox/sms/{name}", "/v1/outbox/sms", "/v1/outbox/sms/x"):
        assert client.get(path).status_code == 401
    path, stamp = f"/v1/outbox/sms/{name}", str(inside.clock.wall_ms() // 1000)
    for body in (b"", b"{}\nsha256=00\n", b"x" * 70_000):
        proof = signature("s3cret", stamp, asked("POST", path, body))
        answer = client.post(path, content=body, headers={"Bongsu-Timestamp": stamp, "Bongsu-Signature": proof})
        assert answer.status_code == 422
    assert not list(names(inside.folder / "sms", RECEIPT))
