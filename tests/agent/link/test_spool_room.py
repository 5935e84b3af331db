"""A spool at its limit: what goes first, what is said of it, and that a crash in between counts nothing twice."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from still_clock import SeededChance, StillClock

from agent.link.model import Sample, Series, StateChange, make_schema, pack_values
from agent.link.names import COUNTER
from agent.link.profile import PROFILES
from agent.link.ranges import Ranges
from agent.link.rollup import _values, rollup_of
from agent.link.spool import CAP_BYTES, Spool
from agent.link.spool_order import HOURS_MS, MINUTES_MS, STATES_RATIO, is_over, moves
from agent.link.spool_part import HOURS, MINUTES, SAMPLES, STATES, Part, part_name
from agent.link.spool_record import SampleDraft, StateDraft, loss_of
from collector.world.disk import DiskModel

SCHEMA = make_schema(
    tuple(Series("srv1.local", f"node_x{n}", 0, ()) for n in range(8))
    + tuple(Series("srv1.local", f"node_y{n}_total", COUNTER, ()) for n in range(4)),
    (("srv1.local", "process:x"),),
)


class Desk:
    """A spool that gets a sample of one value every ``interval`` seconds, and what it hands out."""

    def __init__(self, cap: int, interval: float = 15.0, seed: int = 0) -> None:
        self.disk, self.clock, self.chance = DiskModel(seed), StillClock(), SeededChance(seed)
        self.cap, self.interval = cap, interval
        self.begun_ms = self.clock.wall_ms()
        self.sum = 0.0
        self.open()

    def open(self) -> None:
        self.spool = Spool(self.disk, self.clock, self.chance, "/data", b"A" * 16, self.cap, lambda: 0)

    def report(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.pass_(self.interval)
            value = float(self.clock.seconds)
            self.sum += value
            self.spool.append([SampleDraft(SCHEMA, self.clock.wall_ms(), 0, pack_values([value] * SCHEMA.width))])

    def state(self, text: str) -> None:
        change = StateChange("srv1.local", "process:x", 2, 0, text)
        self.spool.append([StateDraft(change, self.clock.wall_ms(), 0)])

    def records(self):
        (shelf,) = self.spool.shelves()
        live = shelf.live(0.0, Ranges())
        return [*live, *shelf.backlog(Ranges((r.seq, r.seq) for r in live), 1 << 40, 1 << 40)]

    def rollups(self):
        return [rollup for record in self.records() if (rollup := rollup_of(record)) is not None]

    def lost(self) -> dict[tuple[int, int], str]:
        return {loss[:2]: loss.reason for r in self.records() if (loss := loss_of(r)) is not None}

    def assert_each_number_has_one_fate(self) -> None:
        spans = [*self.lost(), *(span for rollup in self.rollups() for span in rollup.replaces)]
        numbers = sorted([*(r.seq for r in self.records()), *(n for a, b in spans for n in range(a, b + 1))])
        assert numbers == list(range(1, len(numbers) + 1))

    def assert_nothing_is_missing_or_doubled(self) -> None:
        """The values are whole numbers, so their sum tells."""
        self.assert_each_number_has_one_fate()
        raw = sum(_values(r.values)[0] for r in self.records() if isinstance(r, Sample))
        assert raw + sum(_values(rollup.total)[0] for rollup in self.rollups()) == self.sum

    def spans(self) -> list[int]:
        """Minutes that each roll-up covers, oldest first."""
        return [(r.ended_ms - r.began_ms) // 60_000 for r in sorted(self.rollups(), key=lambda r: r.began_ms)]


def part(first: int, family: str, *spans: tuple[int, int], is_flat: bool = False) -> Part:
    made = Part(part_name(first, family, 0))
    made.is_flat = is_flat
    for span in spans or ((first, first + 9),):
        made.seqs.add(*span)
    return made


def order(parts: list[Part], held: Ranges | None = None) -> list[tuple[int, str, int, str]]:
    """What would go, each only where it comes first."""
    seen = {}
    for move in moves(parts, set(), Ranges(), held or Ranges(), "spool_full"):
        seen.setdefault((move.part.first_seq, move.part.family), (move.into, move.reason))
    return [(*key, *what) for key, what in seen.items()]


def test_the_order_in_which_segments_go():
    parts = [
        part(41, STATES),
        part(31, MINUTES),
        part(21, SAMPLES),
        part(11, HOURS),
        part(1, SAMPLES),
        part(51, SAMPLES),
    ]
    assert order(parts, held=Ranges([(51, 60)])) == [
        (51, SAMPLES, 0, "entrusted"),
        (1, SAMPLES, MINUTES_MS, ""),
        (21, SAMPLES, MINUTES_MS, ""),
        (31, MINUTES, HOURS_MS, ""),
        (11, HOURS, 0, "spool_full"),
        (41, STATES, 0, "spool_full"),
    ]


def test_what_cannot_be_rolled_up_goes_before_what_can_only_where_nothing_else_is_left():
    parts = [part(1, SAMPLES, is_flat=True), part(11, SAMPLES), part(21, MINUTES, is_flat=True)]
    assert order(parts) == [
        (11, SAMPLES, MINUTES_MS, ""),
        (1, SAMPLES, 0, "spool_full"),
        (21, MINUTES, 0, "spool_full"),
    ]


@pytest.mark.parametrize(
    ("samples", "states", "is_so"), [(90, 10, False), (91, 0, True), (90, 11, True), (0, 100, False), (20, 80, False)]
)
def test_a_tenth_is_kept_for_states(samples, states, is_so):
    assert is_over(samples, states, 100) == is_so


@pytest.mark.slow
def test_minutes_then_hours_then_a_declared_loss():
    desk = Desk(cap=64 << 10)
    desk.report(700)
    assert max(desk.spans()) == 4
    desk.assert_nothing_is_missing_or_doubled()
    desk.report(4_000)
    assert max(desk.spans()) > 30
    assert not desk.lost()
    desk.assert_nothing_is_missing_or_doubled()
    assert desk.spans()[0] > 4 >= max(desk.spans()[-5:]), "the oldest become hours first"
    desk.state("it broke")
    for _ in range(30):
        desk.report(1_000)
        assert desk.spool.figures().bytes <= desk.cap + (9 << 10)
    assert set(desk.lost().values()) == {"spool_full"}
    desk.assert_each_number_has_one_fate()
    oldest_kept = min(rollup.began_ms for rollup in desk.rollups())
    assert oldest_kept > desk.begun_ms + 3_600_000
    assert any(record.seq and getattr(record, "kind", 0) == 2 for record in desk.records()), "states outlive samples"
    before = sorted(desk.records(), key=lambda r: r.seq)
    desk.disk.power_cut()
    desk.open()
    assert sorted(desk.records(), key=lambda r: r.seq) == before


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("point", ["append", "sync", "remove"])
def test_a_crash_inside_a_roll_up_counts_nothing_twice_and_loses_nothing(point, seed):
    """``append``, ``sync``: the roll-up was not durable. ``remove``: it was, and what it was made of is still there."""

    class PowerGone(BaseException):
        pass

    desk = Desk(cap=64 << 10, seed=seed)
    desk.report(200)
    desk.clock.pass_(desk.interval)

    def die(operation: str, path: str) -> None:
        if operation == point and path.endswith(".seg") and ("-minutes-" in path or operation == "remove"):
            raise PowerGone

    desk.disk.before = die
    with pytest.raises(PowerGone):
        desk.report(2_000)
    desk.disk.before = lambda operation, path: None
    if seed % 2:
        desk.disk.power_cut()
    desk.open()
    desk.assert_nothing_is_missing_or_doubled()
    assert point == "remove" or not desk.rollups() or seed % 2 == 0
    desk.report(50)
    desk.assert_nothing_is_missing_or_doubled()


def test_what_a_hub_holds_goes_first_and_is_said_to_be_entrusted():
    desk = Desk(cap=64 << 10)
    desk.report(160)
    (shelf,) = desk.spool.shelves()
    desk.spool.note_held(shelf.epoch, "http://hub", Ranges([(40, 150)]))
    desk.report(400)
    reasons = desk.lost()
    assert set(reasons.values()) == {"entrusted"}
    assert all(first >= 40 and last <= 150 for first, last in reasons)
    assert min(rollup.replaces.as_lists()[0][0] for rollup in desk.rollups()) == 1, "then the oldest are rolled up"
    desk.spool.forget_held("http://hub")
    held = desk.lost()
    desk.report(400)
    assert desk.lost() == held
    desk.assert_each_number_has_one_fate()


def test_sparse_samples_skip_the_step_that_saves_nothing():
    desk = Desk(cap=64 << 10, interval=300.0)
    desk.report(500)
    assert max(desk.spans()) > 30
    assert not desk.lost()
    desk.assert_nothing_is_missing_or_doubled()


def test_where_even_a_roll_up_finds_no_room_the_oldest_samples_go():
    desk = Desk(cap=64 << 10)

    def no_room(operation: str, path: str) -> None:
        if operation == "append" and "-minutes-" in path:
            raise OSError(errno.ENOSPC, "no space left on device", path)

    desk.disk.before = no_room
    desk.report(1_000)
    assert not desk.rollups()
    assert desk.spool.figures().bytes <= desk.cap + (9 << 10)
    assert set(desk.lost().values()) == {"spool_full"}
    desk.assert_each_number_has_one_fate()


def test_a_damaged_roll_up_is_lost_with_all_it_stood_for():
    desk = Desk(cap=64 << 10)
    desk.report(1_500)
    desk.open()  # seals what was being written
    desk.report(100)
    (damaged, *_) = [path for path in desk.disk.paths(".seg") if "-minutes-" in path]
    stood_for = sorted(desk.rollups(), key=lambda r: r.began_ms)[3].replaces.as_lists()
    desk.disk.flip_bit(damaged, desk.disk.size(damaged) // 2 * 8)
    desk.open()
    desk.assert_each_number_has_one_fate()
    assert set(desk.lost().values()) == {"corrupt"}
    assert sum(last - first + 1 for first, last in desk.lost()) == 21, f"20 samples and the roll-up itself, {stood_for}"


def test_a_refused_roll_up_is_declared_with_all_it_stood_for():
    desk = Desk(cap=64 << 10)
    desk.report(700)
    (record, *_) = [r for r in desk.records() if rollup_of(r) is not None]
    desk.spool.refuse(desk.spool.shelves()[0].epoch, Ranges([(record.seq, record.seq)]), "malformed")
    assert set(desk.lost().values()) == {"refused:malformed"}
    assert Ranges(desk.lost()).count == rollup_of(record).replaces.count + 1


def test_a_receipt_for_a_roll_up_settles_what_it_stands_for():
    desk = Desk(cap=64 << 10)
    desk.report(1_500)
    (shelf,) = desk.spool.shelves()
    everything = [r.seq for r in desk.records()]
    shelf.note_sent(everything)
    desk.spool.settle(shelf.epoch, [(1, max(everything))])
    desk.open()
    assert desk.records() == []
    assert not desk.lost()
    assert desk.spool.figures().bytes < 3 * 8_192


def test_the_tenth_attempt_at_a_segment_comes_after_the_second():
    desk = Desk(cap=1 << 20)
    desk.report(2)
    fails = [True]

    def fail(operation: str, path: str) -> None:
        if operation == "append" and path.endswith(".seg") and fails:
            raise OSError(errno.EIO, "as ordered", path)
        if operation == "remove" and path.endswith(".seg"):
            raise OSError(errno.EIO, "as ordered", path)

    desk.disk.before = fail
    for _ in range(5):
        desk.spool.append([SampleDraft(SCHEMA, 1, 0, pack_values([1.0] * SCHEMA.width))])
        desk.clock.pass_(31)
    fails.clear()
    desk.spool.append([SampleDraft(SCHEMA, 2, 0, pack_values([2.0] * SCHEMA.width))])
    desk.disk.before = lambda operation, path: None
    assert any("-samples-1" in path for path in desk.disk.paths(".seg") if int(path[:-4].rpartition("-")[2]) >= 10)
    (disk, *_) = desk.spool.shelves()
    before = list(disk.find(Ranges([(1, 100)])))
    desk.open()
    assert list(desk.spool.shelves()[0].find(Ranges([(1, 100)]))) == before


def test_seventy_two_hours_of_a_lan_site_fit_the_default_limit_three_times():
    """Measured on real segments of the largest usual report; configs/agent.toml says the same figures."""
    schema = make_schema(
        tuple(Series("srv1.abuja", f"node_netstat_Tcp_word_{n}", 0, (("device", f"eth{n}"),)) for n in range(460)),
        tuple(("srv1.abuja", f"process:{n}") for n in range(22)),
    )
    desk = Desk(cap=CAP_BYTES)
    hours = 2
    profile = PROFILES["lan"]
    for n in range(int(hours * 3_600 / profile.interval_seconds)):
        desk.clock.pass_(profile.interval_seconds)
        values = pack_values([float(n * 482 + column) for column in range(schema.width)])
        desk.spool.append([SampleDraft(schema, desk.clock.wall_ms(), 0, values)])
    three_days = desk.spool.figures().bytes / hours * 72
    assert 65 << 20 < three_days < 75 << 20
    assert 3 * three_days < CAP_BYTES * (1 - STATES_RATIO)
    words = " ".join((Path(__file__).parents[3] / "configs/agent.toml").read_text().split("#"))
    assert "72 hours of a host on the lan profile take about 70 MiB" in " ".join(words.split())
    assert f"max_mib = {CAP_BYTES >> 20}" in words
