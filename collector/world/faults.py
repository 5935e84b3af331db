"""What goes wrong, by name. Each is drawn at a chance moment and ends by itself, or when peace comes."""

from __future__ import annotations

import copy
import errno
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from collector.relay.queries import last_id
from collector.world.agent import WorldAgent
from collector.world.centre import set_status
from collector.world.link import MESSAGE_FAULTS, Line
from collector.world.power import IN_ROLL_UP, POINTS
from collector.world.station import AFTER_COMMIT, BEFORE_COMMIT
from collector.world.topology import MISSIONS

if TYPE_CHECKING:
    from collector.world.world import World

Fault = Callable[["World", random.Random], None]
HOUR_MS = 3_600_000
YEAR_MS = 31_557_600_000


def _one(world: World, chance: random.Random, *, is_up: bool = True) -> WorldAgent | None:
    found = [agent for agent in world.agents if agent.is_up or not is_up]
    return chance.choice(found) if found else None


def bad_line(world: World, chance: random.Random) -> None:
    """Messages are lost, doubled, held up, answered by somebody else."""
    for line in list(world.lines.values()):
        line.faults = {name: chance.uniform(0, 0.15) for name in chance.sample(MESSAGE_FAULTS, 3)}

        def end(line: Line = line) -> None:
            line.faults = {}

        world.timeline.after(chance.uniform(60, 600), end)


def slow_line(world: World, chance: random.Random) -> None:
    """A thin line of 64 kbit/s with 600 ms and some loss in the place of a good one."""
    if not world.lines:
        return
    line = chance.choice(list(world.lines.values()))
    before = line.rtt, line.bits_per_second, line.loss
    line.rtt, line.bits_per_second, line.loss = 0.6, 64e3, chance.choice((0.0, 0.05, 0.3))

    def end() -> None:
        line.rtt, line.bits_per_second, line.loss = before

    world.heals.append(end)


def cut_line(world: World, chance: random.Random) -> None:
    if not world.lines:
        return
    line = chance.choice(list(world.lines.values()))
    line.is_cut = True

    def end() -> None:
        line.is_cut = False

    world.timeline.after(chance.uniform(30, 900), end)


def later_collector(world: World, chance: random.Random) -> None:
    """Answers carry fields nobody knows yet."""
    for line in world.lines.values():
        line.is_later = chance.random() < 0.7


def collector_dies(world: World, chance: random.Random) -> None:
    """At the next report that reaches it, before its commit or right after."""
    world.dooms[chance.choice(sorted(world.stations))] = chance.choice((BEFORE_COMMIT, AFTER_COMMIT))


def long_outage(world: World, chance: random.Random) -> None:
    """The centre is away long enough for small spools to overflow."""
    from collector.world.world import CENTRE

    world.stop_station(CENTRE, chance.uniform(300, 900))


def agent_dies(world: World, chance: random.Random) -> None:
    """At a named point of its own work."""
    agent = _one(world, chance)
    if agent is not None:
        fills_up = agent.cap_bytes < 1 << 16 and chance.random() < 0.3
        agent.power.doom = IN_ROLL_UP if fills_up else chance.choice(POINTS)


def agent_killed(world: World, chance: random.Random) -> None:
    agent = _one(world, chance)
    if agent is not None:
        agent.kill(cut_power=chance.random() < 0.5)


def no_room(world: World, chance: random.Random) -> None:
    agent = _one(world, chance)
    if agent is not None:
        agent.was_damaged = True
        agent.disk.capacity = agent.disk.used + chance.randrange(4000)

        def end() -> None:
            agent.disk.capacity = 1 << 40

        world.timeline.after(chance.uniform(60, 600), end)


def broken_disk(world: World, chance: random.Random) -> None:
    """It fails to sync, or takes no writes at all."""
    agent = _one(world, chance)
    if agent is None:
        return
    code, operations = chance.choice(((errno.EIO, ("sync",)), (errno.EROFS, ("open", "append", "rename", "remove"))))

    def fail(operation: str, path: str) -> None:
        if operation in operations:
            raise OSError(code, "as ordered", path)

    agent.was_damaged = True
    agent.power.trouble = fail
    world.heals.append(lambda: world.restart(agent))  # what it withheld at a start is read at the next one

    def end() -> None:
        agent.power.trouble = lambda _operation, _path: None

    world.timeline.after(chance.uniform(30, 400), end)


def bit_flips(world: World, chance: random.Random) -> None:
    """One bit of a sealed segment; the machine is started anew, which is when it is looked for."""
    agent = _one(world, chance, is_up=False)
    if agent is None:
        return
    last = {path.split("-")[-2]: path for path in agent.disk.paths(".seg")}  # of each family: may be open
    newest = max(last.values(), default="")
    sealed = [p for p in agent.disk.paths(".seg") if p not in last.values() and p < newest and agent.disk.size(p) > 100]
    if sealed:
        path = chance.choice(sealed)
        agent.was_damaged = True
        agent.disk.flip_bit(path, chance.randrange(8 * 60, 8 * agent.disk.size(path)))
        agent.kill(cut_power=False)


def clock_jumps(world: World, chance: random.Random) -> None:
    agent = _one(world, chance)
    if agent is not None:
        agent.clock.shift_ms = chance.choice((HOUR_MS, -HOUR_MS, 10 * YEAR_MS, -10 * YEAR_MS, 0))


def boot_without_clock(world: World, chance: random.Random) -> None:
    """1970, until a collector tells the time."""
    agent = _one(world, chance)
    if agent is not None:
        agent.kill(cut_power=True)
        agent.clock.shift_ms = -agent.clock.wall_ms() + agent.clock.shift_ms


def disks_change(world: World, chance: random.Random) -> None:
    """Other series than before: a new schema from the next report on, perhaps one that was used before."""
    agent = _one(world, chance)
    if agent is not None:
        agent.width = max(1, agent.width + chance.choice((-2, -1, 1, 2)))


def _overflows(agent: WorldAgent) -> bool:
    """What a machine drops under names that its twin used as well is declared, but nobody can tell whose it was."""
    return agent.cap_bytes < 1 << 16


def clone(world: World, chance: random.Random) -> None:
    """A copy of a machine starts beside it, with the same identity and the same spool."""
    agent = _one(world, chance)
    if agent is None or agent.is_twinned or agent.revoked_ms is not None or _overflows(agent):
        return
    agent.is_twinned = True
    identity = copy.copy(agent.identity)
    identity.number += 100
    place = next(place for place in MISSIONS if place.id == identity.site)
    disk = agent.disk.copied(chance.randrange(1 << 30))
    twin = WorldAgent(
        world.timeline,
        identity,
        world.centre_key.public,
        disk,
        world.exchange_of(place),
        agent.profile,
        agent.cap_bytes,
        agent.memory_bytes,
    )
    twin.is_twinned = True
    twin.was_damaged = agent.was_damaged = True  # one identity: its losses may be either's
    world.add(twin)
    world.boot_later(twin, chance.uniform(0, 60))


def rolled_back(world: World, chance: random.Random) -> None:
    """A machine is put back to what its disk was a while ago."""
    agent = _one(world, chance)
    if agent is None or agent.is_twinned or _overflows(agent):
        return
    image = agent.disk.copied(chance.randrange(1 << 30))
    before = {promise.value for promise in agent.promised}

    def restore() -> None:
        if agent.is_twinned or not world.is_troubled:
            return
        agent.is_twinned = True
        agent.kill(cut_power=False)
        agent.disk.become(image)
        for promise in [promise for promise in agent.promised if promise.value not in before]:
            agent.promised.remove(promise)  # its disk did not survive
            agent.begun[promise.value] = promise.taken_at_ms

    world.timeline.after(chance.uniform(60, 300), restore)


def suspended(world: World, chance: random.Random) -> None:
    agent, app = _one(world, chance), world.centre.app
    if agent is None or app is None or agent.revoked_ms is not None:
        return
    identity = agent.identity
    set_status(app.store, identity.agent_id, "suspended", app.clock.wall_ms())

    def resume() -> None:
        current = world.centre.app
        if agent.revoked_ms is not None:
            return
        if current is None:
            world.timeline.after(10.0, resume)
        else:
            set_status(current.store, identity.agent_id, "active", current.clock.wall_ms())

    world.timeline.after(chance.uniform(60, 300), resume)


def revoked(world: World, chance: random.Random) -> None:
    """For good. Nothing more may be taken from it; the others go on."""
    agent, app = _one(world, chance), world.centre.app
    if agent is None or app is None or len([one for one in world.agents if one.revoked_ms is None]) < 2:
        return
    set_status(app.store, agent.identity.agent_id, "revoked", app.clock.wall_ms())
    with app.store.reading() as connection:
        world.revoked_rows.setdefault(agent.identity.agent_id, last_id(connection))
    for one in world.agents:
        if one.identity.agent_id == agent.identity.agent_id:
            one.revoked_ms = world.centre.clock.wall_ms()


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        bad_line,
        slow_line,
        cut_line,
        later_collector,
        collector_dies,
        long_outage,
        agent_dies,
        agent_killed,
        no_room,
        broken_disk,
        bit_flips,
        clock_jumps,
        boot_without_clock,
        disks_change,
        clone,
        rolled_back,
        suspended,
        revoked,
    )
}
