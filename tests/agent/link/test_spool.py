"""The spool on a disk that keeps only what was synced: what was appended is read back once, and no hole is silent."""

from __future__ import annotations

import errno

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from still_clock import SeededChance, StillClock

from agent.link.model import Sample, Series, StateChange, make_schema, pack_values
from agent.link.ranges import Ranges
from agent.link.rollup import rollup_of
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft, StateDraft, loss_of
from collector.world.disk import DiskModel

AGENT = b"A" * 16
SCHEMA = make_schema((Series("srv1.local", "node_load1", 0, ()), Series("srv1.local", "node_load5", 0, ())), ())
OTHER = make_schema((Series("srv1.local", "node_load15", 0, ()),), (("srv1.local", "process:x"),))


def sample(value: float, schema=SCHEMA) -> SampleDraft:
    return SampleDraft(schema, int(value), 7, pack_values([value] * schema.width))


def state(value: int) -> StateDraft:
    return StateDraft(StateChange("srv1.local", "process:x", 2, 0, f"gone {value}"), value, 7)


class World:
    """A spool on a modelled disk, and the means to read all of it back as a sender would."""

    def __init__(self, disk: DiskModel | None = None, cap: int = 256 << 20, chance: int = 1) -> None:
        self.disk = disk or DiskModel()
        self.clock = StillClock()
        self.chance = SeededChance(chance)
        self.cap = cap
        self.open()

    def open(self) -> Spool:
        self.spool = Spool(self.disk, self.clock, self.chance, "/data", AGENT, self.cap, lambda: 7, 20_000)
        return self.spool

    def all(self, count: int = 1_000_000):
        """Everything handed out, by (epoch, number): the live lane and the backlog."""
        found = {}
        for shelf in self.spool.shelves():
            live = shelf.live(self.clock.monotonic() - 1.0, Ranges())
            held = Ranges((r.seq, r.seq) for r in live)
            for record in [*live, *shelf.backlog(held, count, 1 << 40)]:
                assert (shelf.epoch, record.seq) not in found
                found[shelf.epoch, record.seq] = record
                assert not isinstance(record, Sample) or shelf.schema(record.schema_hash) is not None
        return found

    def values(self) -> list[int]:
        return sorted(r.taken_at_ms for r in self.all().values() if loss_of(r) is None and rollup_of(r) is None)

    def rolled_up(self) -> Ranges:
        """The numbers that roll-ups stand for."""
        rollups = [rollup for r in self.all().values() if (rollup := rollup_of(r)) is not None]
        return Ranges(span for rollup in rollups for span in rollup.replaces)

    def fates(self) -> list[int]:
        """Every number that is handed out, in a roll-up or lost, as often as it is."""
        spans = [*self.lost(), *self.rolled_up()]
        return sorted([*(seq for _, seq in self.all()), *(n for a, b in spans for n in range(a, b + 1))])

    def lost(self) -> Ranges:
        return Ranges((loss.first, loss.last) for r in self.all().values() if (loss := loss_of(r)) is not None)

    def deliver(self, ranges) -> None:
        shelf = self.spool.shelves()[0]
        shelf.note_sent(seq for first, last in ranges for seq in range(first, last + 1))
        self.spool.settle(shelf.epoch, ranges)


def test_records_survive_a_power_cut_with_their_names():
    world = World()
    for n in range(1, 11):
        world.spool.append([sample(n), state(100 + n)] if n % 3 == 0 else [sample(n)])
    before = world.all()
    world.disk.power_cut()
    world.open()
    assert world.all() == before
    world.spool.append([sample(11)])
    assert max(seq for _, seq in world.all()) == len(before) + 1


def test_segments_are_sealed_by_age_and_deleted_on_a_receipt_only():
    world = World()
    for n in range(1, 9):
        world.spool.append([sample(n)])
        world.clock.pass_(600)
    assert len(world.disk.paths(".seg")) == 4
    world.deliver([(1, 3)])
    assert len(world.disk.paths(".seg")) == 3
    assert world.values() == [4, 5, 6, 7, 8]
    world.disk.power_cut()
    world.open()
    assert world.values() == [4, 5, 6, 7, 8]
    assert not world.lost()
    world.deliver([(4, 8)])
    assert len(world.disk.paths(".seg")) == 1, "the newest stays: it tells the next number"
    world.open().append([sample(9)])
    assert set(world.all()) == {(world.spool.shelves()[0].epoch, 9)}


def test_a_receipt_settles_only_what_this_process_sent():
    world = World()
    world.spool.append([sample(1), sample(2)])
    world.spool.shelves()[0].note_sent([1])
    world.spool.settle(world.spool.shelves()[0].epoch, [(1, 2)])
    assert world.values() == [2]
    world.spool.settle(b"another!", [(1, 2)])
    assert world.values() == [2]


def test_backlog_is_newest_first_in_chunks():
    world = World()
    for n in range(1, 31):
        world.spool.append([sample(n)])
        world.clock.pass_(100)
    shelf = world.spool.shelves()[0]
    assert not shelf.live(world.clock.monotonic() - 50, Ranges())
    assert [r.seq for r in shelf.backlog(Ranges(), 5, 1 << 20)] == [26, 27, 28, 29, 30]
    assert [r.seq for r in shelf.backlog(Ranges([(20, 30)]), 5, 1 << 20)] == [15, 16, 17, 18, 19]
    assert [r.seq for r in shelf.backlog(Ranges(), 5, 1)] == [30]


def test_a_damaged_sealed_segment_costs_the_record_it_touches_and_is_declared():
    for bit in range(57 * 8, 1_500 * 8, 531):
        world = World()
        for n in range(1, 31):
            world.spool.append([sample(n)])
        world.clock.pass_(2000)
        world.spool.append([sample(31)])
        world.disk.flip_bit(world.disk.paths(".seg")[0], bit)
        world.open()
        lost = world.lost()
        # a damaged schema (at the beginning of the segment) is found again in the next segment
        assert world.values() == [n for n in range(1, 32) if n not in lost]
        assert lost.count <= 1
        assert any("quarantine" in p for p in world.disk.paths()) or not lost
        world.open()
        assert world.lost() == lost, "declared once"
        assert len([r for r in world.all().values() if loss_of(r)]) == len(lost)


def test_samples_whose_schema_is_gone_are_declared_lost():
    world = World()
    world.spool.append([sample(1, OTHER), sample(2, OTHER)])
    world.clock.pass_(2000)
    world.spool.append([sample(3)])
    world.disk.flip_bit(world.disk.paths("samples-0.seg")[0], (57 + 40) * 8)
    world.open()
    assert world.values() == [3]
    assert world.lost() == Ranges([(1, 2)])


def test_a_failed_sync_moves_the_batch_to_a_new_segment():
    world = World()
    world.spool.append([sample(1)])
    failing = [True]

    def fail_once(operation: str, path: str) -> None:
        if operation == "sync" and failing and path.endswith(".seg"):
            failing.clear()
            raise OSError(errno.EIO, "I/O error", path)

    world.disk.before = fail_once
    world.spool.append([sample(2)])
    assert not world.spool.figures().trouble
    assert len(world.disk.paths(".seg")) == 2
    before = world.all()
    world.disk.power_cut()
    world.open()
    assert world.all() == before
    assert world.values() == [1, 2]
    assert not world.lost()


@pytest.mark.parametrize("fails_again", ["", "sync", "rename", "sync_folder"])
def test_what_could_not_be_synced_at_the_start_is_sent_once_the_disk_works(fails_again):
    world = World()
    world.spool.append([sample(1), state(2)])
    world.disk.kill()
    broken, files = {"sync"}, (".seg", ".copy")

    def fails(operation: str, path: str) -> None:
        if operation in broken and (path.endswith(files) or operation == "sync_folder"):
            raise OSError(errno.EIO, "I/O error", path)

    world.disk.before = fails
    world.open()
    assert world.values() == [], "what may be gone after a power cut is told to nobody"
    broken, files = set(), (".copy",)
    world.spool.append([sample(3)])
    assert 3 in world.values()
    for second in (4, 5, 6, 7):  # one segment at a time; after a failure in a minute
        broken = {fails_again} if second < 6 else set()
        world.clock.pass_(61)
        world.spool.append([sample(second)])
    assert {1, 2, 3, 6, 7} <= set(world.values())
    before = world.all()
    assert not world.lost()
    world.disk.power_cut()
    world.open()
    assert before.keys() <= world.all().keys()
    assert not world.lost()


def test_a_broken_disk_leaves_the_agent_reporting_from_memory():
    world = World()
    world.spool.append([sample(1)])

    def broken(operation: str, path: str) -> None:
        if operation in ("sync", "append", "sync_folder"):
            raise OSError(errno.EIO, "I/O error", path)

    world.disk.before = broken
    world.spool.append([sample(2)])
    world.spool.append([sample(3)])
    assert "memory" in world.spool.figures().trouble
    assert world.values() == [1, 2, 3]
    assert len({epoch for epoch, _ in world.all()}) == 2, "no number of the disk's epoch is used without the disk"
    world.disk.before = lambda operation, path: None
    world.clock.pass_(31)
    world.spool.append([sample(4)])
    assert not world.spool.figures().trouble
    assert world.values() == [1, 2, 3, 4]


def test_a_full_disk_drops_oldest_samples_first_and_says_so():
    disk = DiskModel(capacity=3_000)
    world = World(disk)
    for n in range(1, 400):
        world.spool.append([sample(n), state(10_000 + n)] if n % 50 == 0 else [sample(n)])
        world.clock.pass_(15)
    assert world.spool.figures().trouble
    states = [r for r in world.all().values() if not isinstance(r, Sample) and loss_of(r) is None]
    assert len(states) == 7, "states stay longest"
    assert 399 in world.values(), "the newest is the product"
    memory = world.spool.shelves()[1]
    records = {seq for epoch, seq in world.all() if epoch == memory.epoch}
    lost = Ranges(
        (loss.first, loss.last)
        for (epoch, _), r in world.all().items()
        if epoch == memory.epoch and (loss := loss_of(r)) is not None
    )
    assert lost
    assert sorted([*records, *(n for a, b in lost for n in range(a, b + 1))]) == list(range(1, max(records) + 1))
    disk.capacity = 1 << 40
    world.clock.pass_(60)
    world.spool.append([sample(1_000)])
    assert not world.spool.figures().trouble


def test_ballast_gives_room_once():
    disk = DiskModel()
    world = World(disk, cap=1 << 20)
    world.spool.append([sample(1)])
    world.clock.pass_(61)
    world.spool.append([sample(2)])
    assert disk.exists("/data/spool-ballast")
    disk.capacity = disk.used
    world.spool.append([sample(3)])
    assert not disk.exists("/data/spool-ballast")
    assert not world.spool.figures().trouble


def test_over_the_cap_the_oldest_samples_are_rolled_up_and_states_stay():
    world = World(cap=32_768)
    for n in range(1, 1_500):
        world.spool.append([sample(n), state(10_000 + n)] if n % 100 == 0 else [sample(n)])
    figures = world.spool.figures()
    assert figures.bytes <= 32_768 + 8_192
    kept = world.all()
    assert world.fates() == list(range(1, max(s for _, s in kept) + 1))
    assert len([n for n in world.values() if n > 10_000]) == 14
    assert figures.lost == world.lost().count == 0
    assert figures.rolled_up == 1_499 - len([n for n in world.values() if n < 10_000])
    world.disk.power_cut()
    world.open()
    assert world.all() == kept


def test_a_new_epoch_carries_over_what_is_not_settled_and_what_was_lost():
    world = World(cap=32_768)
    for n in range(1, 1_200):
        world.spool.append([sample(n, OTHER if n % 7 else SCHEMA)])
    world.spool.refuse(world.spool.shelves()[0].epoch, Ranges([(1_100, 1_110)]), "bad_labels")
    lost, values, old = world.lost(), world.values(), world.spool.shelves()[0].epoch
    rolled_up = world.rolled_up()
    assert lost.count == 11
    assert rolled_up.count > 400
    world.deliver([(1_190, 1_195)])
    remaining = world.values()
    assert len(remaining) < len(values)
    assert world.spool.renew(old)
    assert world.spool.shelves()[0].epoch != old
    assert world.values() == remaining
    assert world.lost().count == lost.count
    assert world.rolled_up().count == rolled_up.count
    assert world.fates() == list(range(1, len(world.fates()) + 1))
    before = world.all()
    world.disk.power_cut()
    world.open()
    assert world.all() == before


@pytest.mark.parametrize("operation", ["append", "sync", "rename", "sync_folder"])
def test_a_new_epoch_that_cannot_be_written_leaves_the_old_one(operation):
    world = World()
    world.spool.append([sample(1), state(2)])
    before = world.all()

    def fails(what: str, path: str) -> None:
        if what == operation and ("000002-" in path or what == "rename"):
            raise OSError(errno.ENOSPC, "no space left", path)

    world.disk.before = fails
    assert not world.spool.renew(world.spool.shelves()[0].epoch)
    assert world.all() == before
    world.disk.before = lambda what, path: None
    world.spool.append([sample(3)])
    assert world.values() == [1, 2, 3]


def test_a_refused_record_is_put_aside_and_declared_but_not_its_own_declaration():
    world = World()
    world.spool.append([sample(1), sample(2)])
    epoch = world.spool.shelves()[0].epoch
    world.spool.refuse(epoch, Ranges([(1, 1)]), "bad_labels")
    assert world.values() == [2]
    assert {loss_of(r) for r in world.all().values() if loss_of(r)} == {(1, 1, "refused:bad_labels")}
    world.spool.refuse(epoch, Ranges([(3, 3)]), "bad_labels")
    assert world.lost() == Ranges([(1, 1)])


class SpoolMachine(RuleBasedStateMachine):
    """Append, deliver, damage, kill and cut the power in any order; the model is a dict of what append returned for."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(DiskModel(seed=1), cap=14_000)
        self.next_value = 1
        self.kept: set[int] = set()
        self.delivered: set[int] = set()
        self.undecided: set[int] = set()
        self.has_damage = False

    @rule(samples=st.integers(0, 12), states=st.integers(0, 2), seconds=st.sampled_from([0, 15, 900]))
    def append(self, samples: int, states: int, seconds: int) -> None:
        values = list(range(self.next_value, self.next_value + samples + states))
        self.next_value += len(values)
        self.world.spool.append(
            [(sample(v, OTHER if v % 5 else SCHEMA) if n < samples else state(v)) for n, v in enumerate(values)]
        )
        self.kept |= set(values)
        self.world.clock.pass_(seconds)

    @rule(operation=st.sampled_from(["append", "sync", "sync_folder", "open"]), skip=st.integers(0, 3))
    def append_and_crash(self, operation: str, skip: int) -> None:
        """The power goes in the middle of an append: the records may or may not be there, the rest must be."""
        left = [skip]

        class PowerGone(BaseException):
            pass

        def cut(what: str, path: str) -> None:
            if what == operation:
                left[0] -= 1
                if left[0] < 0:
                    raise PowerGone

        self.world.disk.before = cut
        values = [self.next_value, self.next_value + 1]
        self.next_value += 2
        try:
            self.world.spool.append([sample(values[0]), state(values[1])])
            self.kept |= set(values)
        except PowerGone:
            self.undecided |= set(values)
        self.world.disk.before = lambda what, path: None
        self.forget_memory()
        self.world.disk.power_cut()
        self.world.open()

    @rule(fails=st.integers(1, 3))
    def append_with_failing_sync(self, fails: int) -> None:
        left = [fails]

        def fail(what: str, path: str) -> None:
            if what == "sync" and left[0] > 0:
                left[0] -= 1
                raise OSError(errno.EIO, "I/O error", path)

        self.world.disk.before = fail
        self.world.spool.append([sample(self.next_value)])
        self.world.disk.before = lambda what, path: None
        self.kept.add(self.next_value)
        if self.world.spool.figures().trouble:
            self.world.clock.pass_(31)
        self.next_value += 1

    @rule(share=st.floats(0, 1), newest=st.booleans())
    def deliver(self, share: float, newest: bool) -> None:
        shelf = self.world.spool.shelves()[0]
        records = sorted((r for (e, _), r in self.world.all().items() if e == shelf.epoch), key=lambda r: r.seq)
        count = int(len(records) * share)
        taken = records[len(records) - count :] if newest else records[:count]
        self.delivered |= {r.taken_at_ms for r in taken if loss_of(r) is None and rollup_of(r) is None}
        self.world.deliver([(r.seq, r.seq) for r in taken])

    @rule()
    def kill(self) -> None:
        self.forget_memory()
        self.world.open()

    @rule()
    def power_cut(self) -> None:
        self.forget_memory()
        self.world.disk.power_cut()
        self.world.open()

    @rule(family=st.sampled_from(["samples", "states"]), at=st.floats(0, 0.999))
    def damage(self, family: str, at: float) -> None:
        """In a sealed segment: in the last one a damaged tail looks as if its write had been cut short."""
        self.forget_memory()
        sealed = [p for p in self.world.disk.paths(".seg") if f"-{family}-" in p][:-1]
        if sealed and self.world.disk.size(sealed[0]):
            self.world.disk.flip_bit(sealed[0], int(self.world.disk.size(sealed[0]) * 8 * at))
            self.has_damage = True
        self.world.open()

    def forget_memory(self) -> None:
        if len(self.world.spool.shelves()) > 1:
            memory = self.world.spool.shelves()[1].epoch
            gone = {r.taken_at_ms for (e, _), r in self.world.all().items() if e == memory}
            self.kept -= gone
            self.undecided |= gone

    @invariant()
    def everything_is_there_once_or_declared(self) -> None:
        found = self.world.all()
        values = self.world.values()
        present = set(values)
        assert len(present) == len(values), "a record stands under two names"
        assert present <= self.kept | self.undecided, "a record was invented"
        epoch = self.world.spool.shelves()[0].epoch
        lost, rolled_up = self.world.lost(), self.world.rolled_up()
        here = {seq for e, seq in found if e == epoch}
        assert not any(seq in lost or seq in rolled_up for seq in here), "given up and handed out"
        assert not any(lost.gaps(*span) != [span] for span in rolled_up), "declared lost and rolled up"
        missing = self.kept - present - self.delivered
        given_up = lost.count + rolled_up.count
        assert len(missing) <= given_up + self.world.spool.shelves()[0].numbers.acked.count, "a silent hole"
        acked = self.world.spool.shelves()[0].numbers.acked
        known = Ranges([*acked, *lost, *rolled_up, *((seq, seq) for seq in here)])
        assert not known.last or not known.gaps(1, known.last), "a number without a fate"
        if not lost and not rolled_up and not self.has_damage and not acked:
            assert not missing


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=150, stateful_step_count=20, deadline=None, database=None)
