"""A spool at its limit, and a disk without room: what goes, what stays, and that it is said exactly."""

from __future__ import annotations

from disk_model import DiskModel
from still_clock import SeededChance, StillClock

from agent.link.model import Series, StateChange, make_schema, pack_values
from agent.link.ranges import Ranges
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft, StateDraft

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
    for value in range(1, 1_500):
        left[0] = PLENTY
        spool.append([sample(value) if value % 3 else state(value)])
        (shelf,) = spool.shelves()
        newest = shelf.live(0.0, Ranges())[-1].seq
        if value % 2:
            shelf.note_sent([newest])
            spool.settle(shelf.epoch, [(newest, newest)])
    kept = {r.seq for r in shelf.find(Ranges([(1, 1 << 40)]))}
    assert max(kept) >= 1_499
