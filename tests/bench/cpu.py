"""Processor time and memory of a process tree, from /proc.

``utime`` and ``stime`` come in ticks of 10 ms, but the kernel derives them from its exact count of run time, so a
difference over many pieces of work is good to a tick, however short each piece was.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from agent.link.keys import is_signed, new_key

TICKS = os.sysconf("SC_CLK_TCK")
CHECKS = 1_000
RESTING = 0.02
"""CPU seconds in half a second."""


def tree(pid: int) -> list[int]:
    """The process and all its descendants that live."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue  # it ended while we looked
    return found


def cpu_seconds(pid: int) -> float:
    """User + system time of the tree so far, ended children that were waited for included."""
    return sum(_ticks(one, own_only=one != pid) for one in tree(pid)) / TICKS


def settle(pid: int, seconds: float = 60.0) -> None:
    """Wait until the tree rests, no longer than that: what it was given is taken first and worked on later."""
    used = -1.0
    for _ in range(int(seconds / 0.5)):
        before, used = used, cpu_seconds(pid)
        if used - before < RESTING:
            return
        time.sleep(0.5)


def _ticks(pid: int, own_only: bool) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in (fields[11:13] if own_only else fields[11:15]))


def verify_microseconds() -> float:
    """Processor time of one signature check of ours, now: tells how much slower neighbours make this machine."""
    key, message = new_key(), bytes(1_000)
    signature = key.sign(message)
    began = time.process_time()
    for _ in range(CHECKS):
        assert is_signed(message, signature, key.public)
    return (time.process_time() - began) / CHECKS * 1e6


def rss_mib(pid: int) -> float:
    """Resident memory of the tree now."""
    return sum(_status_kib(one, "VmRSS") for one in tree(pid)) / 1024


def peak_rss_mib(pid: int) -> float:
    """The largest resident memory each process of the tree ever had, added up."""
    return sum(_status_kib(one, "VmHWM") for one in tree(pid)) / 1024


def _status_kib(pid: int, key: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(key + ":")), 0)
