"""What was acknowledged is there after the power went, exactly once; and the same test fails where it should.

A real collector works on a disk that drops unsynced writes. It is killed at named points and at random, the power goes,
it starts again. Senders keep what is not acknowledged and send it again, at about 200 reports a second.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from real import require
from running import bongsu, environment, wait_until
from sender import Sender, request
from sqlalchemy import insert, select

from agent.link.answer import Answer, read_answer
from agent.link.clock import SystemClock
from agent.link.ranges import Ranges
from agent.link.wire import open_body, open_envelope, open_header
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.intake.admit import instants
from collector.log.positions import read_accepted
from collector.log.tables import envelopes
from collector.store.engine import Store
from collector.store.schema import instant

HERE = Path(__file__).parent
SENDERS = 20
CUTS = 50
"""Three in five fall between commit and answer, one before a commit, one anywhere."""

pytestmark = [pytest.mark.real, pytest.mark.slow]


@dataclass
class Disk:
    point: Path
    process: subprocess.Popen[str]

    def cut(self) -> None:
        self.process.send_signal(signal.SIGUSR1)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("cut")

    def lie(self) -> None:
        self.process.send_signal(signal.SIGUSR2)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    require("fusermount3")
    point = tmp_path / "disk"
    point.mkdir()
    command = [sys.executable, str(HERE / "power_cut_disk.py"), str(point), "7"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    wait_until(lambda: process.poll() is not None or os.path.ismount(point), "the disk to be mounted")
    assert process.poll() is None, "the disk could not be mounted: is /dev/fuse usable?"
    yield Disk(point, process)
    subprocess.run(["fusermount3", "-u", "-z", str(point)], check=False)
    process.terminate()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


@dataclass
class Crowd:
    """Senders that never forget what was not acknowledged; each value is unique in the whole run."""

    senders: list[Sender]
    waiting: dict[bytes, list[bytes]] = field(default_factory=dict)
    acknowledged: dict[bytes, Ranges] = field(default_factory=dict)
    sent: Counter[bytes] = field(default_factory=Counter)
    answers: int = 0

    def round(self, url: str) -> bool:
        """Each sender makes one report and sends all it has; False where the collector is gone."""
        now_ms = SystemClock().wall_ms()
        for sender in self.senders:
            value = float(self.senders.index(sender) * 1_000_000 + sender.seq + 1)
            self.waiting.setdefault(sender.agent_id, []).append(sender.report(now_ms, value))
            self.sent[sender.agent_id] = sender.seq
        for sender in self.senders:
            answer = post(url, request(*self.waiting[sender.agent_id]))
            if answer is None:
                return False
            self.answers += 1
            assert not answer.envelopes, answer.envelopes
            (told,) = answer.agents
            self.acknowledged[sender.agent_id] = Ranges(told.held)
            self.waiting[sender.agent_id] = []
        return True


def post(url: str, body: bytes) -> Answer | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url + "/v1/envelopes", body), timeout=20) as answer:
            return read_answer(answer.read())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def enrol(store: Store) -> list[Sender]:
    """Rows of agents, as an enrolment makes them."""
    senders = [Sender(f"h{n}.local") for n in range(SENDERS)]
    at = instant(SystemClock().wall_ms())
    with store.transaction() as connection:
        for sender in senders:
            row = {"id": sender.agent_id, "site": "local", "host": sender.host, "status": "active"}
            connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
            key = {"agent_id": sender.agent_id, "key_no": 1, "public_key": sender.key.public, "created_at": at}
            connection.execute(insert(agent_keys), key)
            name = sender.host.removesuffix(".local")
            host = {"id": sender.host, "name": name, "site": "local", "agency": "local", "managed_by": "enrolment"}
            connection.execute(insert(hosts), {**host, "agent_id": sender.agent_id})
        bump_version(connection)
    return senders


@contextlib.contextmanager
def crashing(data: Path, point: str, nth: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, str(HERE / "crashing_collector.py"), str(data), point, str(nth)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, "the collector did not start after a power cut"
    try:
        yield process, url
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def prepare(disk: Disk) -> tuple[Path, Crowd]:
    data = disk.point / "data"
    bongsu("init", data=data)
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    crowd = Crowd(enrol(store))
    store.close()
    for file in data.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
    return data, crowd


def endure(disk: Disk, cuts: int, seed: int) -> tuple[Path, Crowd]:
    """Kill, cut, start again, ``cuts`` times; then one quiet round, so that everything waiting is sent."""
    data, crowd = prepare(disk)
    chance = random.Random(seed)
    for cut in range(cuts):
        point = "after-commit" if cut % 5 < 3 else "before-commit" if cut % 5 == 3 else "never"
        with crashing(data, point, chance.randint(1, 40)) as (process, url):
            rounds = chance.randint(1, 3) if point == "never" else 50
            for _ in range(rounds):
                if not crowd.round(url):
                    break
            if point != "never":
                assert process.wait(10) == -signal.SIGKILL, "it was to die at its named point"
        disk.cut()
    with crashing(data, "never", 0) as (_, url):
        assert crowd.round(url)
    return data, crowd


def stored(data: Path) -> dict[bytes, Counter[tuple[int, float]]]:
    """(seq, value) of every sample in the log, and how often."""
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    found: dict[bytes, Counter[tuple[int, float]]] = {}
    with store.reading() as connection:
        for row in connection.execute(select(envelopes.c.packed, envelopes.c.accepted)):
            header_bytes, _, body = open_envelope(row.packed)
            header = open_header(header_bytes)
            new = set(read_accepted(row.accepted).seqs)
            for block in open_body(body, header).blocks:
                for one in instants(block):
                    if one.seq in new:
                        value = float(one.words.view("<f8")[0])
                        found.setdefault(header.agent_id, Counter())[one.seq, value] += 1
    store.close()
    return found


def test_everything_acknowledged_is_there_exactly_once(disk: Disk) -> None:
    data, crowd = endure(disk, CUTS, 1)
    found = stored(data)
    for index, sender in enumerate(crowd.senders):
        expected = Counter({(seq, float(index * 1_000_000 + seq)): 1 for seq in range(1, sender.seq + 1)})
        assert found[sender.agent_id] == expected
        assert crowd.acknowledged[sender.agent_id].as_lists() == [[1, sender.seq]]
    print(f"\n{CUTS} power cuts, {crowd.answers} answers, {sum(crowd.sent.values())} records, none lost, none twice")


def test_a_disk_that_lies_about_its_syncs_is_found_out(disk: Disk) -> None:
    """The test of the test: without the sync, what was acknowledged is gone after a cut, and this sees it."""
    data, crowd = prepare(disk)
    disk.lie()
    with crashing(data, "never", 0) as (_, url):
        for _ in range(5):
            assert crowd.round(url)
    disk.cut()
    try:
        found = stored(data)
    except Exception:  # noqa: BLE001 -- a database torn by a lying disk may not even open
        found = {}
    lost = [s for s in crowd.senders if len(found.get(s.agent_id, ())) < crowd.acknowledged[s.agent_id].count]
    assert lost, "acknowledged records survived although nothing was ever synced: this test could not fail"
