"""A bad line for real programs: two network namespaces joined by a pair of TUN devices with this program between them.

    unshare --user --map-root-user --net python -m collector.world.tun --rtt-ms 600 --bits-per-second 64000 --loss 0.05

Needs no root, only /dev/net/tun and user namespaces. Prints ``ready PID PID``: processes whose namespaces are the near
end (10.80.0.1) and the far end (10.80.0.2); run something in one with ``nsenter --preserve-credentials -U -n -t PID``.
Orders on standard input, one a line: ``cut``, ``mend``, ``end``. Each direction has a rate, a delay of half the round
trip, chance loss and reordering, and a queue of fifty packets; the kernels at both ends speak their own TCP over it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import selectors
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from heapq import heappop, heappush

from agent.link.clock import SystemClock

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1400
NEAR, FAR = "10.80.0.1", "10.80.0.2"
QUEUED_PACKETS = 50
QUEUE_PACKETS_SENT = 1000
"""The device's own queue, long enough that only ours drops."""


@dataclass
class Direction:
    """From the device it is read from to the one it is written to."""

    target: int
    free_at: float = 0.0
    waiting: list[tuple[float, int, bytes]] = field(default_factory=list)
    count: int = 0


@dataclass
class Quality:
    """``reorder``: share of packets that take half as long again as the others."""

    delay: float
    bits_per_second: float
    loss: float
    reorder: float
    is_cut: bool = False


def take(direction: Direction, packet: bytes, now: float, quality: Quality, chance: random.Random) -> None:
    """Put a packet on its way, or drop it."""
    queued = sum(departs > now + quality.delay for departs, _, _ in direction.waiting)
    if quality.is_cut or queued >= QUEUED_PACKETS or chance.random() < quality.loss:
        return
    direction.free_at = max(now, direction.free_at) + len(packet) * 8 / quality.bits_per_second
    late = quality.delay / 2 if chance.random() < quality.reorder else 0.0
    direction.count += 1
    heappush(direction.waiting, (direction.free_at + quality.delay + late, direction.count, packet))


def main() -> None:
    parser = argparse.ArgumentParser(prog="collector.world.tun", description="A bad line between two namespaces.")
    parser.add_argument("--rtt-ms", type=float, default=20.0)
    parser.add_argument("--bits-per-second", type=float, default=10e6)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--reorder", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    quality = Quality(args.rtt_ms / 2000, args.bits_per_second, args.loss, args.reorder)
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as far:
        near_device, far_device = _open("near"), _open("far")
        _wait_for_namespace(far.pid)
        _run("ip", "link", "set", "far", "netns", str(far.pid))
        _set_up("near", NEAR, [])
        _set_up("far", FAR, ["nsenter", "--net", "-t", str(far.pid)])
        sys.stdout.write(f"ready {os.getpid()} {far.pid}\n")
        sys.stdout.flush()
        carry(near_device, far_device, quality, random.Random(args.seed))
        assert far.stdin is not None
        far.stdin.close()


def carry(near: int, far: int, quality: Quality, chance: random.Random) -> None:
    """Carry packets until told to end."""
    clock = SystemClock()
    ways = {near: Direction(far), far: Direction(near)}
    with selectors.DefaultSelector() as selector:
        for descriptor in (near, far, sys.stdin.fileno()):
            selector.register(descriptor, selectors.EVENT_READ)
        while True:
            due = min((way.waiting[0][0] for way in ways.values() if way.waiting), default=None)
            ready = selector.select(None if due is None else max(0.0, due - clock.monotonic()))
            now = clock.monotonic()
            for key, _ in ready:
                if key.fd in ways:
                    take(ways[key.fd], os.read(key.fd, 65536), now, quality, chance)
                    continue
                order = sys.stdin.readline().strip()
                if order in ("", "end"):
                    return
                quality.is_cut = order == "cut"
                sys.stdout.write(f"{order}\n")
                sys.stdout.flush()
            for way in ways.values():
                while way.waiting and way.waiting[0][0] <= clock.monotonic():
                    packet = heappop(way.waiting)[2]
                    if not quality.is_cut:
                        os.write(way.target, packet)


def _open(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def _set_up(device: str, address: str, inside: list[str]) -> None:
    _run(*inside, "ip", "link", "set", "lo", "up")
    _run(*inside, "ip", "addr", "add", f"{address}/24", "dev", device)
    _run(*inside, "ip", "link", "set", device, "mtu", str(MTU), "txqueuelen", str(QUEUE_PACKETS_SENT), "up")


def _wait_for_namespace(pid: int) -> None:
    """Until the process has left ours."""
    mine = os.readlink("/proc/self/ns/net")  # noqa: PTH115
    while os.readlink(f"/proc/{pid}/ns/net") == mine:  # noqa: PTH115
        os.sched_yield()


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    main()
