"""Agents in virtual time: the product's spool and sender on disks that lose what was not synced, killed at named points.

A machine's process is a spool and a sender made anew at each start; what survives is its disk. ``POINTS`` are the moments
at which it may die, told by what it does to its disk or to its line.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sender import Sender as Identity
from sender import schema_of
from still_clock import SeededChance

from agent.link.clock import Clock
from agent.link.exchange import Failure, Request, Response
from agent.link.model import Record, Sample, StateChange, pack_values
from agent.link.names import KIND_STATE
from agent.link.offset import Offset
from agent.link.profile import PROFILES
from agent.link.ranges import Ranges
from agent.link.send import Sender
from agent.link.send_request import ENVELOPES_PATH, Signer
from agent.link.spool import Spool
from agent.link.spool_record import Draft, SampleDraft, StateDraft
from collector.world.disk import DiskModel

Line = Callable[[Request], Response | Failure]

DISK_POINTS = {
    "after append, before sync": ("sync", ".seg"),
    "in seal: next segment not there": ("open", ".seg"),
    "in seal: next segment without its name": ("sync_folder", ""),
    "after reply, before acked is written": ("append", "acked.new"),
    "after acked is written, before its sync": ("sync", "acked.new"),
    "before acked takes its name": ("rename", "acked.new"),
    "before a settled segment is unlinked": ("remove", ".seg"),
}
BEFORE_SEND, AFTER_SEND = "after sync, before send", "after send, before reply"
POINTS = (BEFORE_SEND, AFTER_SEND, *DISK_POINTS)


class PowerGone(BaseException):
    """Whoever was running stops here."""


@dataclass(frozen=True)
class Promise:
    """A record whose append returned, and the name it got."""

    value: float
    taken_at_ms: int
    epoch: bytes
    seq: int


class Machine:
    """``promised``: what must not be lost silently. ``begun``: values whose append did not return; either is right."""

    def __init__(
        self,
        number: int,
        identity: Identity,
        centre_key: bytes,
        clock: Clock,
        line: Line,
        disk: DiskModel,
        cap: int,
        memory_bytes: int = 2 << 20,
    ) -> None:
        self.number = number
        self.identity = identity
        self.schema = schema_of(identity.host)
        self.disk = disk
        self.promised: list[Promise] = []
        self.begun: dict[float, int] = {}
        self.deaths: Counter[str] = Counter()
        self.forks = 0
        self.is_up = False
        self.doom = ""
        self._centre_key = centre_key
        self._clock = clock
        self._line = line
        self._cap = cap
        self._memory_bytes = memory_bytes
        self._chance = SeededChance(number)
        self._next = 1

    # ------------------------------------------------------------ the process

    def boot(self) -> None:
        self.disk.before = lambda operation, path: None
        offset = Offset(self._clock)
        agent_id, key = self.identity.agent_id, self.identity.key
        self.spool = Spool(
            self.disk, self._clock, self._chance, "/data", agent_id, self._cap, offset.offset_ms, self._memory_bytes
        )
        self.sender = Sender(
            self.spool,
            Signer(agent_id, self.identity.key_no, key.sign),
            self._centre_key,
            ["http://centre"],
            self._exchange,
            self._clock,
            self._chance,
            offset,
            PROFILES["lan"],
        )
        self.is_up = True

    def doom_at(self, point: str) -> None:
        """Die when this point is reached next."""
        self.doom = point
        self.disk.before = self._watch

    def live(self, records: int) -> None:
        """Append, then send what is due. Where the point comes, the machine is down afterwards."""
        try:
            if records:
                self._append(records)
            for _ in range(50):
                if self.sender.step(self._clock.monotonic()) > self._clock.monotonic():
                    return
        except PowerGone:
            self.deaths[self.doom] += 1
            self.forks += self.sender.figures().forks
            self.is_up, self.doom = False, ""
            if self.disk.random.random() < 0.7:  # else only the process was killed
                self.disk.power_cut()

    def _append(self, count: int) -> None:
        at_ms = self._clock.wall_ms()
        drafts: list[Draft] = []
        for _ in range(count):
            value = float(self.number * 1_000_000 + self._next)
            self.begun[value] = at_ms
            if self._next % 7:
                drafts.append(SampleDraft(self.schema, at_ms, 0, pack_values([value])))
            else:
                drafts.append(StateDraft(StateChange(self.identity.host, "process:x", 2, 0, str(value)), at_ms, 0))
            self._next += 1
        self.spool.append(drafts)
        newest: list[Promise] = []
        for shelf in self.spool.shelves():
            for record in shelf.live(0.0, Ranges())[-count - 500 :]:  # losses may have come after them
                value = value_of(record)
                if value is not None and self.begun.pop(value, None) is not None:
                    newest.append(Promise(value, record.taken_at_ms, shelf.epoch, record.seq))
        assert len(newest) == count, "an append that returned is not handed out"
        self.promised += newest

    # ------------------------------------------------------------ where it dies

    def _watch(self, operation: str, path: str) -> None:
        wanted, ending = DISK_POINTS.get(self.doom, ("", ""))
        if operation == wanted and path.endswith(ending):
            raise PowerGone

    def _exchange(self, request: Request) -> Response | Failure:
        is_report = request.path == ENVELOPES_PATH and len(request.body) > 1
        if is_report and self.doom == BEFORE_SEND:
            raise PowerGone
        response = self._line(request)
        if is_report and self.doom == AFTER_SEND:
            raise PowerGone
        return response


def value_of(record: object) -> float | None:
    """The unique value a record of a machine carries, None for a loss."""
    if isinstance(record, Sample):
        return float(struct.unpack("<d", record.values)[0])
    assert isinstance(record, Record)
    return float(record.data[4]) if record.kind == KIND_STATE else None
