"""From a join token to a number on every surface, over HTTP alone, with an agent written from docs/protocol.md.

Nothing here imports the product's link code: this is the other implementation the protocol text is for.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import struct
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import nacl.signing
import pytest
from backports import zstd
from running import Running, bongsu, collector, wait_until

pack = msgspec.msgpack.encode
unpack = msgspec.msgpack.decode


class Stranger:
    """An agent somebody else wrote."""

    def __init__(self, running: Running, name: str = "srv1") -> None:
        self.running = running
        self.key = nacl.signing.SigningKey.generate()
        self.epoch = os.urandom(8)
        self.seq = 0
        self.name = name

    def enrol(self, token: str) -> tuple[int, dict[str, Any]]:
        public = bytes(self.key.verify_key)
        proof = self.key.sign(b"bongsu-enrol-1\0" + hashlib.sha256(token.encode()).digest() + public).signature
        body = {"token": token, "public_key": public.hex(), "proof": proof.hex(), "host": {"host.name": self.name}}
        status, text = self.running.post("/v1/enrolments", msgspec.json.encode(body))
        answer = msgspec.json.decode(text)
        if status == 200:
            self.agent_id = bytes.fromhex(answer["agent_id"])
            self.host = answer["hosts"][0]
            self.centre_key = bytes.fromhex(answer["centre_key"])
        return status, answer

    def send(self, values: list[tuple[str, int, dict[str, str], float]], check: float = 0.0) -> dict[str, Any]:
        self.seq += 1
        series = [[self.host, name, kind, labels] for name, kind, labels, _ in values]
        schema = pack([series, [[self.host, "cpu"]]])
        columns = struct.pack(f"<{len(values) + 1}d", *(value for *_, value in values), check)
        block = [hashlib.sha256(schema).digest()[:16], [self.seq], [time.time_ns() // 1_000_000], [0], columns]
        body = zstd.compress(pack([[schema], [block], []]))
        header = pack([1, self.agent_id, 1, self.epoch, self.seq, self.seq])
        signature = self.key.sign(b"bongsu-envelope-1\0" + header + body).signature
        status, text = self.running.post("/v1/envelopes", pack([[header, signature, body]]))
        assert status == 200, text
        answer: dict[str, Any] = msgspec.json.decode(text)
        return answer


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with collector(tmp_path / "data") as made:
        yield made


def token_for(running: Running, site: str = "local") -> str:
    found = re.search(r"bongsu1\.\S+", bongsu("token", "create", "--site", site, data=running.data))
    assert found
    return found.group()


def test_from_a_token_to_every_surface(running: Running) -> None:
    stranger = Stranger(running)
    token = token_for(running)
    status, first = stranger.enrol(token)
    assert (status, first["site"], first["hosts"]) == (200, "local", ["srv1.local"])
    assert stranger.enrol(token) == (200, first), "the same token and key: the same answer"
    assert Stranger(running).enrol(token)[1]["code"] == "token_used"

    answer = stranger.send(
        [("node_load1", 0, {}, 1.25), ("node_cpu_seconds_total", 1, {"cpu": "0", "mode": "idle"}, 7.0)]
    )
    assert answer["envelopes"] == []
    assert answer["agents"][0]["held"] == [[1, 1]]
    payload, signature = unpack(base64.b64decode(answer["agents"][0]["receipt"]))
    nacl.signing.VerifyKey(stranger.centre_key).verify(b"bongsu-receipt-1\0" + payload, signature)
    assert unpack(payload)[:3] == [stranger.agent_id, stranger.epoch, [[1, 1]]]

    own = 'agency="local",hub="",site="local",instance="srv1.local",job="node"'
    metrics = running.get("/metrics/sites/local")[1]
    assert f"node_load1{{{own}}} 1.25\n" in metrics
    assert f'node_cpu_seconds_total{{{own},cpu="0",mode="idle"}} 7.0\n' in metrics
    assert f"up{{{own}}} 1\n" in metrics
    assert 'bongsu_check_state{agency="local",hub="",site="local",instance="srv1.local",check="cpu"} 0\n' in metrics

    (target,) = running.json("/sd/prometheus")
    assert target["labels"]["__metrics_path__"] == "/metrics/sites/local"
    assert running.url.endswith(target["targets"][0])

    (found,) = running.json("/api/v1/query?query=node_load1")["data"]["result"]
    assert found["metric"]["instance"] == "srv1.local"
    assert found["value"][1] == "1.25"

    wait_until(lambda: 'bongsu_site_state{agency="local",hub="",site="local"} 0\n' in running.get("/metrics")[1], "ok")
    assert "srv1.local" in running.get("/sites/local")[1]
    assert running.get("/hosts/srv1.local")[0] == 200


def test_a_failing_check_degrades_the_site_and_silence_is_not_ok(running: Running) -> None:
    stranger = Stranger(running)
    stranger.enrol(token_for(running))
    state = 'bongsu_site_state{agency="local",hub="",site="local"} '
    assert state + "2\n" in running.get("/metrics")[1], "never reported is no data"
    stranger.send([("node_load1", 0, {}, 1.0)], check=2.0)
    wait_until(lambda: state + "3\n" in running.get("/metrics")[1], "degraded")
    stranger.send([("node_load1", 0, {}, 1.0)], check=0.0)
    wait_until(lambda: state + "0\n" in running.get("/metrics")[1], "ok")


def test_revoking_by_command_holds_for_the_next_report(running: Running) -> None:
    stranger = Stranger(running)
    stranger.enrol(token_for(running))
    assert stranger.send([("node_load1", 0, {}, 1.0)])["envelopes"] == []
    bongsu("agent", "revoke", stranger.agent_id.hex(), data=running.data)
    refused = stranger.send([("node_load1", 0, {}, 2.0)])["envelopes"]
    assert [(r["action"], r["code"]) for r in refused] == [("hold", "revoked")]


def test_kill_and_start_again_keeps_what_was_answered(running: Running, tmp_path: Path) -> None:
    stranger = Stranger(running)
    stranger.enrol(token_for(running))
    stranger.send([("node_load1", 0, {}, 3.5)])
    running.kill()
    with collector(tmp_path / "data") as again:
        assert " 3.5\n" in again.get("/metrics/sites/local")[1]
        stranger.running = again
        assert stranger.send([("node_load1", 0, {}, 4.5)])["agents"][0]["held"] == [[1, 2]]
        (series,) = again.json("/api/v1/query?query=node_load1[5m]")["data"]["result"]
        assert [value for _, value in series["values"]] == ["3.5", "4.5"]


def test_head_is_get_without_its_body(running: Running) -> None:
    for path in ("/healthz", "/", "/metrics"):
        with urllib.request.urlopen(urllib.request.Request(running.url + path, method="HEAD"), timeout=20) as answer:
            assert answer.status == 200
            assert answer.read() == b""
