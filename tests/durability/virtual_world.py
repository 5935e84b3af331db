"""Twenty machines, a bad network and one centre in virtual time; everything drawn from one seed.

The centre is the product's intake on a real database; a crash of it is an end without an answer, before or after the
commit, and a new start from what the database holds.
"""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from itertools import cycle
from random import Random

from centre import Centre, exchange
from machines import AFTER_SEND, BEFORE_SEND, DISK_POINTS, POINTS, Machine
from sqlalchemy import event

from agent.link.exchange import Failure, Request, Response
from agent.link.send_request import ENVELOPES_PATH
from collector.world.disk import DiskModel

MACHINES = 24
TICK_MS = 200
RECORDS = 2
"""Each machine that is up appends two records a tick: 200 records a second in all."""
CAP_BYTES = 64 << 10
SMALL_CAP_BYTES = 8 << 10
OUTAGE = range(45, 110)
"""Ticks in which nobody reaches the centre: the machines with a small cap overflow and must say so."""


class World:
    """``disks_sync`` False: the disks' sync does nothing (the test of the test)."""

    def __init__(self, centre: Centre, seed: int, disks_sync: bool = True) -> None:
        self.chance = Random(seed)
        self.centre = centre
        self.clock = centre.clock
        self.restarts = 0
        self.faults: Counter[str] = Counter()
        self.is_faulty = True
        self.has_outage = False
        self._late: list[Request] = []
        self._points = cycle(point for other in (AFTER_SEND, *DISK_POINTS) for point in (BEFORE_SEND, other))
        """Half of all deaths fall between sync and send."""
        self._loop = asyncio.Runner()
        self.machines = [
            Machine(
                number,
                centre.enrolled(f"m{number}"),
                centre.key.public,
                self.clock,
                self.line,
                DiskModel(seed * 1000 + number, syncs=disks_sync),
                SMALL_CAP_BYTES if number % 4 == 0 else CAP_BYTES,
            )
            for number in range(MACHINES)
        ]
        for machine in self.machines:
            machine.boot()

    # ------------------------------------------------------------ time

    def run(self, ticks: int, kills: int) -> None:
        """``kills`` deaths, spread over ``ticks``; then faults end and everything drains."""
        due = sorted(self.chance.randrange(ticks) for _ in range(kills))
        waiting = 0
        for tick in range(ticks):
            while due and due[0] <= tick:
                due.pop(0)
                waiting += 1
            waiting -= self._doom_some(waiting)
            self.has_outage = tick in OUTAGE
            self._tick(RECORDS)
        self.is_faulty, self.has_outage = False, False
        for machine in self.machines:
            machine.doom = ""
        for _ in range(100):  # the longest back-off is a minute
            self._tick(records=0, ms=1000)
            if not any(machine.is_up and machine.spool.figures().records for machine in self.machines):
                break
        self._loop.close()

    def _doom_some(self, count: int) -> int:
        """Machines that will die at their next chance; how many were found for it."""
        healthy = [machine for machine in self.machines if machine.is_up and not machine.doom]
        chosen = self.chance.sample(healthy, min(count, len(healthy)))
        for machine in chosen:
            machine.doom_at(next(self._points))
        return len(chosen)

    def _tick(self, records: int, ms: int = TICK_MS) -> None:
        self.clock.now_ms += ms
        for machine in self.chance.sample(self.machines, len(self.machines)):
            if machine.is_up:
                machine.live(records)
            elif not self.is_faulty or self.chance.random() < 0.2:
                machine.boot()
        if self._late and not self.has_outage:
            self._deliver(self._late.pop(self.chance.randrange(len(self._late))))

    # ------------------------------------------------------------ the network and the centre

    def line(self, request: Request) -> Response | Failure:
        if self.has_outage:
            return Failure("no route")
        if not self.is_faulty or request.path != ENVELOPES_PATH:
            return self._deliver(request)
        fate = self.chance.random()
        if fate < 0.05:
            return self._fault("request lost")
        if fate < 0.13:
            self._deliver(request)
            return self._fault("reply lost")
        if fate < 0.18:
            self._late.append(request)
            return self._fault("request late, its sender gone on")
        if fate < 0.23:
            self._deliver(request)
            self.faults["request twice"] += 1
        elif fate < 0.24:
            self._crash_before_commit(request)
            return self._fault("centre killed before its commit")
        elif fate < 0.25:
            self._deliver(request)
            self._restart()
            return self._fault("centre killed after its commit")
        return self._deliver(request)

    def _fault(self, what: str) -> Failure:
        self.faults[what] += 1
        return Failure(what)

    def _deliver(self, request: Request) -> Response:
        handler = self.centre.intake.envelopes if request.path == ENVELOPES_PATH else self.centre.intake.schemas
        return Response(*self._loop.run(exchange(handler, request.body)))

    def _crash_before_commit(self, request: Request) -> None:
        def fail(_connection: object) -> None:
            raise OSError(errno.EIO, "the process ends here")

        event.listen(self.centre.store.engine, "commit", fail)
        self._deliver(request)
        event.remove(self.centre.store.engine, "commit", fail)
        self._restart()

    def _restart(self) -> None:
        self.restarts += 1
        self.centre.stop()
        self.centre.start()

    # ------------------------------------------------------------ looking back

    @property
    def deaths(self) -> Counter[str]:
        return sum((machine.deaths for machine in self.machines), Counter())

    def unreached(self) -> list[str]:
        return [point for point in POINTS if not self.deaths[point]]
