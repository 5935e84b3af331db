"""An agent of the world: the product's spool and sender, and a report maker whose every value is unique.

Its process is made anew at each start; what survives is its disk. It reports on its interval, sometimes a state between,
and sends when the sender wants to.
"""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.link.exchange import Exchange
from agent.link.keys import SigningKey, new_key
from agent.link.model import Record, Sample, Schema, Series, StateChange, make_schema, pack_values
from agent.link.names import KIND_STATE
from agent.link.offset import Offset
from agent.link.profile import PROFILES, LinkProfile
from agent.link.ranges import Ranges
from agent.link.send import Sender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.link.spool_memory import MemorySpool
from agent.link.spool_record import Draft, SampleDraft, Spooled, StateDraft
from collector.world.clock import BusyClock, MachineClock, SeededChance, Timeline
from collector.world.disk import DiskModel
from collector.world.power import Power, PowerGone

TICK_SECONDS = 1e-5
"""No clock is read more finely: a due moment must not be missed by a rounding."""
NUMBERS = 1_000_000
"""Values of one agent: its number times this, and counting."""


@dataclass(frozen=True)
class Promise:
    """A record whose append returned, and the name it got. ``is_durable``: it was on the disk then."""

    value: float
    taken_at_ms: int
    epoch: bytes
    seq: int
    is_durable: bool = True


@dataclass
class Identity:
    """``urls``: its collectors in order of preference."""

    number: int
    host: str
    site: str
    urls: Sequence[str]
    agent_id: bytes = b""
    key: SigningKey = field(default_factory=new_key)
    key_no: int = 1


def seeded_identity(number: int, host: str, site: str, urls: Sequence[str], chance: random.Random) -> Identity:
    return Identity(number, host, site, urls, chance.randbytes(16), new_key(chance.randbytes))


class WorldAgent:
    """``promised``: what must not be lost silently. ``begun``: values whose append did not return; either is right.

    ``is_twinned``: a copy of it ran, or it was rolled back: its values may stand under two epochs.
    """

    def __init__(
        self,
        timeline: Timeline,
        identity: Identity,
        centre_key: bytes,
        disk: DiskModel,
        exchange: Callable[[BusyClock], Exchange],
        profile: LinkProfile = PROFILES["lan"],
        cap_bytes: int = 64 << 10,
        memory_bytes: int = 2 << 20,
        width: int = 3,
    ) -> None:
        self.identity = identity
        self.profile = profile
        self.disk = disk
        self.cap_bytes = cap_bytes
        self.memory_bytes = memory_bytes
        self.clock = MachineClock(timeline)
        self.busy = BusyClock(self.clock)
        self.power = Power(disk)
        self.chance = random.Random(f"{identity.number} {identity.agent_id.hex()}")
        self.promised: list[Promise] = []
        self.begun: dict[float, int] = {}
        self.gone_epochs: set[bytes] = set()
        """Of memory, ended by a death: they may have holes."""
        self.deaths: Counter[str] = Counter()
        self.forks = 0
        self.is_up = False
        self.is_silent = False
        """Measures nothing more, and sends what it has."""
        self.is_twinned = False
        self.was_damaged = False
        """Something was wrong with its disk."""
        self.revoked_ms: int | None = None
        self.after_turn: Callable[[], None] = lambda: None
        self.width = width
        self._timeline = timeline
        self._centre_key = centre_key
        self._exchange = self.power.over(exchange(self.busy))
        self._next = 1
        self._life = 0
        self._turn = 0
        self._rhythm = 0

    # ------------------------------------------------------------ the process

    def boot(self) -> None:
        """Start on what the disk holds."""
        self.power.doom = ""
        self._life += 1
        self.clock.boot()
        self.busy.boot()
        offset = Offset(self.clock)
        ports = SeededChance(f"{self.identity.number} life {self._life} {self.chance.random()}")
        try:
            self.spool = Spool(
                self.disk,
                self.clock,
                ports,
                "/data",
                self.identity.agent_id,
                self.cap_bytes,
                offset.offset_ms,
                self.memory_bytes,
            )
        except PowerGone:
            self._die()
            return
        self.offset = offset
        self.sender = Sender(
            self.spool,
            Signer(self.identity.agent_id, self.identity.key_no, self.identity.key.sign),
            self._centre_key,
            list(self.identity.urls),
            self._exchange,
            self.busy,
            ports,
            offset,
            self.profile,
        )
        self.is_up = True
        self._report_soon()
        self._wake()

    def follow(self, profile: LinkProfile) -> None:
        """Another link profile is in force. Who is to report less often says so at once, and then with all others like it
        at whole multiples of the interval: what comes together costs little."""
        is_sooner = profile.interval_seconds < self.profile.interval_seconds
        self.profile = profile
        if not self.is_up:
            return
        self.sender.follow(profile)
        if is_sooner:
            self._report_soon()
        else:
            self.speak()
            self._report_after(profile.interval_seconds - self._timeline.now % profile.interval_seconds)

    def kill(self, cut_power: bool) -> None:
        """From outside, between two steps."""
        if self.is_up:
            self._die(cut_power)

    def _die(self, cut_power: bool | None = None) -> None:
        self.deaths[self.power.doom or "anywhere"] += 1
        if self.is_up:
            self.forks += self.sender.figures().forks
        self.is_up, self.power.doom = False, ""
        self._life += 1
        if cut_power is None:
            cut_power = self.chance.random() < 0.7
        if cut_power:
            self.disk.power_cut()
        for promise in [promise for promise in self.promised if not promise.is_durable]:  # memory promised no more
            self.gone_epochs.add(promise.epoch)
            self.promised.remove(promise)
            self.begun[promise.value] = promise.taken_at_ms

    # ------------------------------------------------------------ turns

    def _report_soon(self) -> None:
        """Within an interval, and then at each."""
        self._report_after(self.chance.uniform(0, self.profile.interval_seconds))

    def _report_after(self, seconds: float) -> None:
        self._rhythm += 1
        life, rhythm = self._life, self._rhythm
        self._timeline.after(seconds, lambda: self._report_turn(life, rhythm))

    def _report_turn(self, life: int, rhythm: int) -> None:
        if not self.is_up or (life, rhythm) != (self._life, self._rhythm):
            return
        if not self.is_silent:
            self.speak()
        self._timeline.after(self.profile.interval_seconds, lambda: self._report_turn(life, rhythm))

    def speak(self) -> None:
        """Report now."""
        try:
            self.report()
        except PowerGone:
            self._die()
            return
        self._wake()
        self.after_turn()

    def _wake(self) -> None:
        """The sender's next step is now, or as soon as it is back from its exchange."""
        self._turn += 1
        self._plan(self.busy.monotonic(), self._life, self._turn)

    def _plan(self, due: float, life: int, turn: int) -> None:
        self._timeline.at(self.clock.moment(due) + TICK_SECONDS, lambda: self._send_turn(life, turn))

    def _send_turn(self, life: int, turn: int) -> None:
        if not self.is_up or (life, turn) != (self._life, self._turn):
            return
        now = self.busy.monotonic()
        if now > self.clock.monotonic() + TICK_SECONDS:
            self._plan(now, life, turn)
            return
        try:
            due = self.sender.step(now)
        except PowerGone:
            self._die()
            return
        self.after_turn()
        self._plan(max(due, self.busy.monotonic()), life, turn)

    # ------------------------------------------------------------ what it measures

    @property
    def schema(self) -> Schema:
        """Column 0 is the unique value. ``width`` changes as a machine's disks come and go."""
        names = ["node_load1", *(f"node_disk_io_now{at}" for at in range(1, self.width))]
        return make_schema(tuple(Series(self.identity.host, name, 0, ()) for name in names), ())

    def report(self, count: int = 1) -> None:
        """Append samples, sometimes with a state. Raises PowerGone."""
        at_ms, offset_ms = self.clock.wall_ms(), self.offset.offset_ms()
        drafts: list[Draft] = []
        for _ in range(count):
            drafts.append(SampleDraft(self.schema, at_ms, offset_ms, pack_values([self._value(at_ms), *self._rest()])))
            if self.chance.random() < 0.15:
                change = StateChange(self.identity.host, "process:x", 2, 0, str(self._value(at_ms)))
                drafts.append(StateDraft(change, at_ms, offset_ms))
        self.spool.append(drafts)
        self._note(len(drafts))

    def _rest(self) -> Sequence[float | None]:
        return [float(self.chance.randrange(1000)) for _ in range(self.width - 1)]

    def _value(self, at_ms: int) -> float:
        value = float(self.identity.number * NUMBERS + self._next)
        self._next += 1
        self.begun[value] = at_ms
        return value

    def last_numbers(self) -> dict[bytes, int]:
        """The highest number promised of each epoch."""
        found: dict[bytes, int] = {}
        for promise in self.promised:
            found[promise.epoch] = max(promise.seq, found.get(promise.epoch, 0))
        return found

    def keeps_old(self) -> bool:
        """Whether it keeps anything but its last two records: a hub tells of those with its next answer."""
        if self.spool.figures().records > 2:
            return True
        newest, everything = self.last_numbers(), Ranges([(1, NUMBERS)])
        return any(
            record.seq < newest.get(shelf.epoch, 0) - 1 and not shelf.is_done(record.seq)
            for shelf in self.spool.shelves()
            for record in shelf.find(everything)
        )

    def _note(self, count: int) -> None:
        noted = 0
        for shelf in self.spool.shelves():
            for record in shelf.live(0.0, Ranges())[-count - 500 :]:  # losses may have come after them
                value = value_of(record)
                if value is not None and (at_ms := self.begun.pop(value, None)) is not None:
                    assert at_ms == record.taken_at_ms
                    durable = not isinstance(shelf, MemorySpool)
                    self.promised.append(Promise(value, at_ms, shelf.epoch, record.seq, durable))
                    noted += 1
        assert noted == count, "an append that returned is not handed out"


def value_of(record: Spooled) -> float | None:
    """The unique value a record carries, None for a loss or a roll-up."""
    if isinstance(record, Sample):
        return float(struct.unpack_from("<d", record.values)[0])
    assert isinstance(record, Record)
    return float(record.data[4]) if record.kind == KIND_STATE else None
