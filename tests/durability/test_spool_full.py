"""A spool at its limit, and a disk without room: what goes, what stays, and that it is said exactly."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator

import pytest
from centre import Centre, exchange
from fleet_log import complaints, read_log
from machines import Machine
from still_clock import SeededChance, StillClock

from agent.link.exchange import Failure, Request, Response
from agent.link.model import Series, StateChange, make_schema, pack_values
from agent.link.ranges import Ranges
from agent.link.spool import Spool
from agent.link.spool_memory import MemorySpool
from agent.link.spool_record import SampleDraft, StateDraft, loss_of
from collector.world.disk import DiskModel

SCHEMA = make_schema((Series("srv1.local", "node_load1", 0, ()),), ())
PLENTY = 20_000
"""Disk operations that no append needs."""


def sample(value: int) -> SampleDraft:
    return SampleDraft(SCHEMA, value, 0, pack_values([float(value)]))


def state(value: int) -> StateDraft:
    return StateDraft(StateChange("srv1.local", "process:x", 2, 0, str(value)), value, 0)


def test_losses_that_cannot_be_said_shorter_do_not_keep_the_agent_busy_for_ever() -> None:
    """Every second record is delivered, so the losses between them stay apart and need more room than there is."""
    disk, clock = DiskModel(), StillClock()
    spool = Spool(disk, clock, SeededChance(), "/data", b"A" * 16, cap_bytes=8192)
    left = [PLENTY]

    def count(operation: str, path: str) -> None:
        left[0] -= 1
        assert left[0] > 0, "the spool writes its losses again and again"

    disk.before = count
    for value in range(1, 700):
        left[0] = PLENTY
        spool.append([sample(value) if value % 3 else state(value)])
        (shelf,) = spool.shelves()
        newest = shelf.live(0.0, Ranges())[-1].seq
        if value % 2:
            shelf.note_sent([newest])
            spool.settle(shelf.epoch, [(newest, newest)])
    kept = {r.seq for r in shelf.find(Ranges([(1, 1 << 40)]))}
    assert max(kept) >= 699


def test_memory_stays_within_its_limit_and_keeps_the_present_however_long_it_lasts() -> None:
    """States stand between the samples that go, so each drop leaves many separate losses to declare."""
    memory = MemorySpool(StillClock(), SeededChance(), max_bytes=20_000)
    for value in range(1, 3_001):
        memory.append([sample(value) if value % 7 else state(value)])
        assert memory.bytes <= 20_000
        held = memory.live(0.0, Ranges())
        assert value in {record.taken_at_ms for record in held if loss_of(record) is None}
    lost = [loss for record in held if (loss := loss_of(record)) is not None]
    known = Ranges([*((loss.first, loss.last) for loss in lost), *((record.seq, record.seq) for record in held)])
    assert known.as_lists() == [[1, known.last]], "every number has its fate"
    assert memory.lost_count == sum(loss.last - loss.first + 1 for loss in lost)


class Post:
    """One machine, a line that can be cut, and a real centre, in virtual time."""

    def __init__(self, centre: Centre, loop: asyncio.Runner) -> None:
        self.centre = centre
        self.is_cut = False
        self.disk = DiskModel(3)
        identity = centre.enrolled("m1")
        self.machine = Machine(1, identity, centre.key.public, centre.clock, self._line, self.disk, 1 << 20, 100_000)
        self.loop = loop
        self.machine.boot()

    def _line(self, request: Request) -> Response | Failure:
        if self.is_cut:
            return Failure("no route")
        handler = self.centre.intake.envelopes if request.path == "/v1/envelopes" else self.centre.intake.schemas
        return Response(*self.loop.run(exchange(handler, request.body)))

    def run(self, seconds: float, records: int = 5) -> None:
        for _ in range(round(seconds * 2)):
            self.centre.clock.now_ms += 500
            self.machine.live(records)

    def settle(self) -> None:
        """Until nothing waits any more."""
        self.is_cut = False
        for _ in range(300):
            self.centre.clock.now_ms += 1_000
            self.machine.live(0)
            if not self.machine.spool.figures().records:
                return
        raise AssertionError("records wait for ever")


@pytest.fixture
def post(quick_centre: Centre) -> Iterator[Post]:
    with asyncio.Runner() as loop:
        yield Post(quick_centre, loop)


def no_room(disk: DiskModel) -> Callable[[], None]:
    """As it fills up by itself; gives what makes it well again."""
    disk.capacity = disk.used + 3_000

    def heal() -> None:
        disk.capacity = 1 << 40

    return heal


def broken(code: int, *operations: str) -> Callable[[DiskModel], Callable[[], None]]:
    def make(disk: DiskModel) -> Callable[[], None]:
        def fail(what: str, path: str) -> None:
            if what in operations:
                raise OSError(code, "as ordered", path)

        disk.before = fail

        def heal() -> None:
            disk.before = lambda what, path: None

        return heal

    return make


@pytest.mark.parametrize(
    "trouble",
    [no_room, broken(errno.EIO, "sync"), broken(errno.EROFS, "open", "append")],
    ids=["no room", "EIO of a sync", "read-only"],
)
def test_an_agent_without_its_disk_goes_on_from_memory_and_declares_what_it_dropped(
    post: Post, trouble: Callable[[DiskModel], Callable[[], None]]
) -> None:
    post.run(20)
    heal = trouble(post.disk)
    post.run(10)
    post.is_cut = True
    post.run(60, records=10)
    assert post.machine.spool.figures().trouble
    post.is_cut = False
    post.run(70)
    newest = post.machine.promised[-1]
    found = read_log(post.centre.store)
    assert (post.machine.identity.agent_id, newest.epoch, newest.seq) in found.records, "the present is the product"
    assert post.machine.spool.figures().trouble
    heal()
    post.run(40)
    assert not post.machine.spool.figures().trouble, "it takes the disk again by itself"
    disk_epoch = post.machine.spool.shelves()[0].epoch
    assert post.machine.promised[-1].epoch == disk_epoch
    post.settle()
    found = read_log(post.centre.store)
    assert complaints(found, [post.machine]) == []
    lost = sum(last - first + 1 for spans in found.lost.values() for first, last in spans)
    assert lost == post.machine.spool.figures().lost > 0
    states = [promise for promise in post.machine.promised if promise.value % 1_000_000 % 7 == 0]
    gone = [p for p in states if (post.machine.identity.agent_id, p.epoch, p.seq) not in found.records]
    assert gone == [], "samples go before states"
    oldest_lost = {
        epoch: (min(first for first, _ in spans), max(last for _, last in spans))
        for (_, epoch), spans in found.lost.items()
    }
    for promise in post.machine.promised:
        name = (post.machine.identity.agent_id, promise.epoch, promise.seq)
        if promise not in states and name in found.records and promise.epoch in oldest_lost:
            assert not oldest_lost[promise.epoch][0] < promise.seq < oldest_lost[promise.epoch][1], (
                "the oldest go first"
            )
