"""How is the memory used? Every line of /proc/meminfo, in bytes where the kernel says kB::

MemTotal:       33817211 kB
Active(anon):       1568 kB
HugePages_Total:       0
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import NONE
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/meminfo"


@lru_cache(maxsize=256)
def _metric(key: str, in_kilobytes: bool) -> str:
    name = key.replace("(", "_").replace(")", "")
    return f"node_memory_{name}_bytes" if in_kilobytes else f"node_memory_{name}"


def parse_meminfo(text: str) -> Iterator[Sample]:
    """Raises CheckFailed at the first line that is none, so that a cut file never passes for a smaller machine."""
    if not text.endswith("\n"):
        raise unexpected(PATH, text.rpartition("\n")[2], "a whole line (the file is cut)")
    for line in text.splitlines():
        key, colon, rest = line.partition(":")
        value, _, unit = rest.strip().partition(" ")
        if not colon or not value.isdigit():
            raise unexpected(PATH, line, "a name, a colon and a whole number")
        yield Sample(_metric(key, unit == "kB"), GAUGE, NONE, int(value) * 1024 if unit == "kB" else int(value))


def collect(host: Host) -> Iterator[Sample]:
    return parse_meminfo(read_or_no_data(host, PATH))


CHECK = Check("memory", collect)
