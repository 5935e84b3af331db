"""Makes ``v0_1_0.bin``: what version 0.1.0 leaves behind, out of its own code. Never run by tests.

    git archive 99a5e64 | tar x -C /tmp/old && pip install --no-deps --target /tmp/oldpkg /tmp/old
    PYTHONPATH=/tmp/oldpkg python tests/recordings/record_v0_1_0.py

A centre with two agencies takes eighty minutes of reports from one agent; then its rows are taken down. The line is cut, the
agent keeps reporting, and its spool is taken down; then the line is back, and every request that goes up is taken down.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from backports import zstd
from sqlalchemy import select
from starlette.testclient import TestClient

from agent.identity import IDENTITY_FILE, KEY_FILE, Enrolment, write_private
from agent.link.clock import SystemChance
from agent.link.exchange import Failure, Request, Response
from agent.link.files import SystemFiles
from agent.link.keys import new_key, save_key
from agent.link.model import Series, StateChange, make_schema, pack_values
from agent.link.names import COUNTER, GAUGE
from agent.link.offset import Offset
from agent.link.profile import PROFILES
from agent.link.send import Sender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft, StateDraft
from agent.link.token import proof_message
from collector.app import build
from collector.cli import main
from collector.settings import Settings
from collector.store.schema import metadata

FILE = Path(__file__).with_name("v0_1_0.bin")
URL = "http://127.0.0.1:8650"
START_MS = 1_795_340_000_000
TOPOLOGY = """
[[agencies]]
id = "for"
name_ko = "외교정보처"
name_en = "Foreign"
[[agencies]]
id = "edu"
[[hubs]]
id = "mea"
name_ko = "중동 거점"
[[sites]]
id = "abuja"
agency = "for"
hub = "mea"
name_ko = "아부자"
timezone = "Africa/Lagos"
link_profile = "thin"
latitude = 9.0765
longitude = 7.3986
[[sites]]
id = "tokyo"
agency = "edu"
timezone = "Asia/Tokyo"
[[hosts]]
name = "nas"
site = "tokyo"
role = "files"
[[hosts]]
name = "shared"
site = "abuja"
agency = "edu"
shared = true
"""
NAMES = (
    ("node_load1", GAUGE, ()),
    ("node_cpu_seconds_total", COUNTER, (("cpu", "0"), ("mode", "idle"))),
    ("node_memory_MemAvailable_bytes", GAUGE, ()),
    ("node_filesystem_avail_bytes", GAUGE, (("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/"))),
)


class HandClock:
    def __init__(self) -> None:
        self.now_ms = START_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return (self.now_ms - START_MS) / 1000 + 100.0


class Recorder:
    """The line: cut, or to the centre; ``taken``: (path, body) of what was sent while ``is_on``."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.is_cut = self.is_on = False
        self.taken: list[tuple[str, bytes]] = []

    def __call__(self, asked: Request) -> Response | Failure:
        if self.is_cut:
            return Failure("no route to host")
        if self.is_on:
            self.taken.append((asked.path, asked.body))
        said = self.client.request(asked.method, asked.path, content=asked.body, headers=dict(asked.headers))
        kind = said.headers.get("content-type", "").split(";")[0]
        return Response(said.status_code, kind, said.content)

    def close(self) -> None:
        pass


class Machine:
    """The agent: its spool, its sender and what it measures."""

    def __init__(
        self, clock: HandClock, folder: Path, line: Recorder, agent_id: bytes, key: Any, centre: bytes
    ) -> None:
        self.clock, self.key = clock, key
        offset = Offset(clock)
        self.spool = Spool(SystemFiles(), clock, SystemChance(), str(folder), agent_id)
        signer = Signer(agent_id, 1, key.sign)
        self.sender = Sender(
            self.spool, signer, centre, [URL], line, clock, SystemChance(), offset, PROFILES["thin"]
        )  # fmt: skip
        series = tuple(Series("srv1.abuja", name, kind, labels) for name, kind, labels in NAMES)
        self.schema = make_schema(series, (("srv1.abuja", "disk"), ("srv1.abuja", "process:sshd")))

    def minute(self, number: int) -> None:
        self.clock.now_ms += 60_000
        at_ms, values = (
            self.clock.now_ms,
            [number / 4, 100.0 + 58.5 * number, 4e9 - 1e6 * number, None if number % 7 == 0 else 5e10],
        )
        state = 1.0 if number % 20 >= 15 else 0.0
        drafts: list[Any] = [SampleDraft(self.schema, at_ms, 0, pack_values([*values, state, 0.0]))]
        if number % 20 in (0, 15):
            drafts.append(
                StateDraft(
                    StateChange("srv1.abuja", "disk", int(state), 1 - int(state), f"{number} of 100 GB"), at_ms, 0
                )
            )
        self.spool.append(drafts)
        self.send()

    def send(self) -> None:
        for _ in range(500):
            if self.sender.step(self.clock.monotonic()) > self.clock.monotonic():
                return


def rows() -> dict[str, Any]:
    """Every table: the names of its columns, and its rows as Python values."""
    with app.store.reading() as connection:
        return {
            str(table.name): [[str(c.name) for c in table.c], [list(row) for row in connection.execute(select(table))]]
            for table in metadata.sorted_tables
        }


assert version("bongsu") == "0.1.0", "run this with the code of 0.1.0"
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    data = str(folder / "data")
    (folder / "password").write_text("a rather long password\n")
    (folder / "topology.toml").write_text(TOPOLOGY)
    for argv in (
        ["init", "--data", data, "--admin-password-file", str(folder / "password")],
        ["apply", str(folder / "topology.toml"), "--data", data],
        [
            "user",
            "add",
            "kim",
            "--password-file",
            str(folder / "password"),
            "--name",
            "김하늘",
            "--agency",
            "for",
            "--data",
            data,
        ],
        ["api-token", "create", "prometheus", "--data", data],
        ["token", "create", "--site", "tokyo", "--hours", "720", "--data", data],
    ):
        assert main(argv) == 0, argv
    clock = HandClock()
    app = build(Settings(data_dir=Path(data)), clock)
    app.registry.refresh()
    app.log.start()
    client = TestClient(app, base_url=URL)
    from collector.fleet.tokens import create_token
    from collector.store.schema import instant

    with app.store.transaction() as connection:
        token, _ = create_token(
            connection, app.centre_key, site="abuja", host="srv1", hours=24, collectors=[URL], ca_sha256=b"",
            created_by="record", now=instant(clock.now_ms), chance=SystemChance(),
        )  # fmt: skip
    key = new_key()
    proof = key.sign(proof_message(token, key.public)).hex()
    said = client.post(
        "/v1/enrolments", json={"token": token, "public_key": key.public.hex(), "proof": proof, "host": "srv1"}
    )
    assert said.status_code == 200, said.text
    agent_id = bytes.fromhex(said.json()["agent_id"])
    app.registry.refresh()
    line, place = Recorder(client), folder / "agent"
    place.mkdir()
    save_key(place / KEY_FILE, key)
    answer = msgspec.json.decode(said.content, type=Enrolment)
    write_private(place / IDENTITY_FILE, msgspec.json.encode(answer))
    machine = Machine(clock, place, line, agent_id, key, app.centre_key.public)
    for minute in range(1, 81):
        machine.minute(minute)
        app.jobs.run("verdicts")
        app.jobs.run("history_chunks")
        if minute == 70:
            app.log.save_checkpoint()
    long_ago = SampleDraft(
        machine.schema, clock.now_ms - 400 * 86_400_000, 0, pack_values([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    )
    machine.spool.append([long_ago])
    machine.send()
    settled = threading.Event()
    app.log.call(settled.set)
    assert settled.wait(10)
    before, at_ms = rows(), clock.now_ms
    line.is_cut = True
    for minute in range(81, 101):
        machine.minute(minute)
    machine.spool.close()
    spool = {str(file.relative_to(place)): file.read_bytes() for file in sorted(place.rglob("*")) if file.is_file()}
    line.is_cut, line.is_on = False, True
    again = Machine(clock, place, line, agent_id, key, app.centre_key.public)
    again.spool.append([])
    for _ in range(30):
        clock.now_ms += 2_000
        again.send()
    for minute in range(101, 104):
        again.minute(minute)
    again.spool.close()
    held = [[list(span) for span in position.held] for _, position in app.log.positions.items()]
    app.log.stop()
    app.store.close()
    centre = {one: (folder / "data" / one).read_bytes() for one in ("centre.key", "identity.json")}

made = {
    "at_ms": at_ms, "cut_until_ms": clock.now_ms, "agent_id": agent_id, "key": key.seed, "centre_key": app.centre_key.seed,
    "rows": before, "spool": {name: content for name, content in spool.items() if "ballast" not in name},
    "centre_files": centre,
    "requests": line.taken, "held": held,
}  # fmt: skip
FILE.write_bytes(zstd.compress(msgspec.msgpack.encode(made), 19))
print(
    FILE,
    FILE.stat().st_size,
    "bytes;",
    json.dumps({k: len(v[1]) for k, v in before.items()}),
    list(spool),
    len(line.taken),
    held,
    file=sys.stderr,
)
