"""Are the software RAIDs complete, and is one being rebuilt? /proc/mdstat (md(4))::

Personalities : [raid1] [raid6]
md127 : active raid1 sdb2[1] sda2[0](F)
      427877786 blocks [2/1] [_U]
      [==>..................]  recovery = 8.5% (22982506/267574897) finish=17.0min speed=259783K/sec

md9 : active raid1 sdc2[2] sdd2[1] sdb2[3](S) sda2[0]
      resync=PENDING
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import labels
from agent.checks.reading import read_or_no_data, unexpected, whole

PATH = "/proc/mdstat"
STATES = ("active", "check", "inactive", "recovering", "resync")
ACTIVITIES = {"recovery": "recovering", "resync": "resync", "check": "check", "reshape": "resync"}


@dataclass
class Array:
    """One RAID; disks as counts, blocks of 1 KiB."""

    name: str
    state: str
    active: int = 0
    required: int = 0
    failed: int = 0
    spare: int = 0
    blocks: int = 0
    blocks_synced: int = 0


def parse_mdstat(text: str) -> list[Array]:
    arrays: list[Array] = []
    for line in text.splitlines():
        name, _, rest = line.partition(" : ")
        if rest and name.startswith("md"):
            arrays.append(_array(name.strip(), rest))
        elif arrays and line.startswith(" "):
            _detail(arrays[-1], line)
    return arrays


def _array(name: str, rest: str) -> Array:
    words = rest.split()
    if words[:1] not in (["active"], ["inactive"]):
        raise unexpected(PATH, f"{name} : {rest}", "'active' or 'inactive' after the name")
    disks = [word for word in words if "[" in word]
    failed = sum("(F)" in disk for disk in disks)
    spare = sum("(S)" in disk for disk in disks)
    array = Array(name, words[0], failed=failed, spare=spare)
    array.active = array.required = len(disks) - failed - spare  # what raid0 and linear, without [n/m], leave to count
    return array


def _detail(array: Array, line: str) -> None:
    words = line.split()
    if "blocks" in words:
        array.blocks = array.blocks_synced = whole(words[0]) or 0
        for word in words:
            if word.startswith("[") and "/" in word and word[1:2].isdigit():
                required, _, active = word.strip("[]").partition("/")
                array.required, array.active = int(required), int(active)
        return
    for word, state in ACTIVITIES.items():
        if word in line:
            array.state = state
            done = line.partition("(")[2].partition("/")[0]
            array.blocks_synced = whole(done) or 0


def collect(host: Host) -> Iterator[Sample]:
    for array in parse_mdstat(read_or_no_data(host, PATH)):
        where = labels("device", array.name)
        for state, count in (("active", array.active), ("failed", array.failed), ("spare", array.spare)):
            yield Sample("node_md_disks", GAUGE, labels("device", array.name, "state", state), count)
        yield Sample("node_md_disks_required", GAUGE, where, array.required)
        for state in STATES:
            is_state = 1 if array.state == state else 0
            yield Sample("node_md_state", GAUGE, labels("device", array.name, "state", state), is_state)
        yield Sample("node_md_blocks", GAUGE, where, array.blocks)
        yield Sample("node_md_blocks_synced", GAUGE, where, array.blocks_synced)


CHECK = Check("mdadm", collect)
