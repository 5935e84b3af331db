"""One-way files: whole, readable each by itself, each number once in order, and again where the note of it is gone."""

from __future__ import annotations

import errno

import pytest
from still_clock import SeededChance, StillClock

from agent.link import wire
from agent.link.export import DAY_MS, Exporter
from agent.link.keys import is_signed, new_key
from agent.link.model import Series, StateChange, make_schema, pack_values, schema_hash
from agent.link.names import ENVELOPE_PREFIX
from agent.link.ranges import Ranges
from agent.link.send_request import Signer
from agent.link.send_signers import Signers
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft, StateDraft
from collector.world.disk import DiskModel

AGENT = b"A" * 16
SCHEMA = make_schema((Series("srv1.local", "node_load1", 0, ()),), ())
OUT = "/out"


class Post:
    def __init__(self, cap: int = 1 << 20) -> None:
        self.disk, self.clock, self.cap = DiskModel(), StillClock(), cap
        self.disk.make_folder(OUT)
        self.disk.sync_folder("")
        self.key = new_key()
        self.logged: list[str] = []
        self.start()

    def start(self) -> None:
        self.spool = Spool(self.disk, self.clock, SeededChance(1), "/data", AGENT, self.cap)
        self.exporter = Exporter(
            self.spool, Signers([Signer(AGENT, 1, self.key.sign)]), self.disk, self.clock, OUT, "/data", 300.0, 3,
            self.cap, self.logged.append,
        )  # fmt: skip

    def report(self, value: float) -> None:
        at_ms = self.clock.wall_ms()
        drafts = [SampleDraft(SCHEMA, at_ms, 0, pack_values([value]))]
        if value % 10 == 0:
            drafts.append(StateDraft(StateChange("srv1.local", "process:x", 2, 0, str(value)), at_ms, 0))
        self.spool.append(drafts)

    def run(self, seconds: float, every: float = 60.0) -> None:
        for _ in range(round(seconds / every)):
            self.clock.pass_(every)
            self.report(float(round(self.clock.seconds)))
            while self.exporter.step(self.clock.monotonic()) <= self.clock.monotonic():
                pass

    def files(self) -> list[str]:
        return [path for path in self.disk.paths() if path.startswith(OUT)]

    def read(self) -> list[list[int]]:
        """The numbers of each file, everything of it checked as a reader would."""
        found = []
        for path in self.files():
            assert path.endswith(".bongsu"), f"half a file: {path}"
            seqs: list[int] = []
            for packed in wire.open_request(self.disk.read(path)):
                head, signature, body = wire.open_envelope(packed)
                assert is_signed(ENVELOPE_PREFIX + head + body, signature, self.key.public)
                header = wire.open_header(head)
                opened = wire.open_body(body, header)
                known = {schema_hash(schema) for schema in opened.schemas}
                assert all(block.schema_hash in known for block in opened.blocks), "schemas repeated in each file"
                seqs += [seq for block in opened.blocks for seq in block.seqs]
                seqs += [wire.open_record(raw, header).seq for raw in opened.records]
            agent, epoch, first, last = path.rpartition("/")[2].removesuffix(".bongsu").split("-")
            assert (bytes.fromhex(agent), len(epoch), int(first), int(last)) == (AGENT, 16, min(seqs), max(seqs))
            found.append(sorted(seqs))
        return found


def test_files_hold_every_number_once_in_the_order_of_their_names():
    post = Post()
    post.run(3_600)
    files = post.read()
    assert len(files) == 12
    assert [seq for seqs in files for seq in seqs] == list(range(1, files[-1][-1] + 1))
    assert post.spool.figures().records >= files[-1][-1] > 100, "kept for some days"


def test_after_a_restart_it_goes_on_and_without_its_note_it_begins_anew():
    post = Post()
    post.run(1_200)
    before = post.read()
    post.disk.power_cut()
    post.start()
    post.run(600)
    assert post.read()[: len(before)] == before
    assert [seq for seqs in post.read() for seq in seqs] == list(range(1, post.read()[-1][-1] + 1))
    post.disk.remove("/data/exported")
    post.start()
    post.exporter.hurry()
    post.exporter.step(post.clock.monotonic())
    again = [seqs for seqs in post.read() if seqs[0] == 1]
    assert len(again) == 2
    assert again[-1] == list(range(1, again[-1][-1] + 1))


def test_what_was_written_leaves_the_spool_after_its_days():
    post = Post()
    post.run(5 * 86_400, every=7_200.0)
    kept = 2 * 3 * DAY_MS / 7_200_000  # a sample and a state every two hours
    assert kept - 2 < post.spool.figures().records < kept * 1.3
    assert post.spool.figures().lost == 0
    numbers = Ranges((seq, seq) for seqs in post.read() for seq in seqs)
    assert len(numbers) == 1


def test_a_spool_that_runs_full_lets_go_what_was_written_and_loses_nothing():
    post = Post(cap=16_384)
    post.run(43_200)
    assert post.spool.figures().bytes <= 16_384 + 8_192
    assert post.spool.figures().lost == 0
    assert len(Ranges((seq, seq) for seqs in post.read() for seq in seqs)) == 1


@pytest.mark.parametrize("operation", ["append", "sync", "rename", "sync_folder"])
def test_a_directory_that_fails_is_told_and_tried_again(operation):
    post = Post()

    def fail(what: str, path: str) -> None:
        if what == operation and path.startswith(OUT):
            raise OSError(errno.EIO, "as ordered", path)

    post.disk.before = fail
    post.run(600)
    assert OUT in post.exporter.figures().trouble
    assert len(post.logged) == 1
    assert not [path for path in post.files() if path.endswith(".new")]
    post.disk.before = lambda what, path: None
    post.run(300)
    assert post.exporter.figures().trouble == ""
    assert len(Ranges((seq, seq) for seqs in post.read() for seq in seqs)) == 1


@pytest.mark.parametrize("operation", ["append", "sync", "rename", "sync_folder"])
def test_a_crash_leaves_whole_files_only_and_loses_no_number(operation):
    class PowerGone(BaseException):
        pass

    for seed in range(5):
        post = Post()
        post.disk.random.seed(seed)
        post.run(1_200)

        def die(what: str, path: str) -> None:
            if what == operation and (path.startswith(OUT) or "exported" in path):
                raise PowerGone

        post.disk.before = die
        with pytest.raises(PowerGone):
            post.run(1_200)
        post.disk.before = lambda what, path: None
        post.disk.power_cut()
        post.start()
        post.run(600)
        whole = [path for path in post.files() if path.endswith(".bongsu")]
        for leftover in set(post.files()) - set(whole):
            assert "/." in leftover
            post.disk.remove(leftover)
        known = Ranges((seq, seq) for seqs in post.read() for seq in seqs)
        assert known.as_lists() == [[1, known.last]]


def test_a_directory_that_is_not_there_is_refused_at_once():
    post = Post()
    post.exporter._directory = "/nowhere"
    with pytest.raises(OSError, match="no such folder"):
        post.exporter.try_out()
