"""How much was paged, swapped and faulted, and was a process killed for memory? /proc/vmstat::

pgpgin 1684476
pswpin 0
pgfault 4276818
oom_kill 0
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import UNTYPED, Check, Host, Sample
from agent.checks.labels import NONE
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/vmstat"
BEGINNINGS = ("pg", "pswp", "oom_kill")


@lru_cache(maxsize=512)
def _metric(key: str) -> str | None:
    is_kept = key.startswith(("oom_kill", "pgpg", "pswp")) or (key.startswith("pg") and "fault" in key[2:])
    return f"node_vmstat_{key}" if is_kept else None


def parse_vmstat(text: str) -> Iterator[Sample]:
    if not text.endswith("\n"):
        raise unexpected(PATH, text.rpartition("\n")[2], "a whole line (the file is cut)")
    for line in text.splitlines():
        if line.startswith(BEGINNINGS):
            key, _, value = line.partition(" ")
            name = _metric(key)
            if name is not None:
                try:
                    yield Sample(name, UNTYPED, NONE, int(value))
                except ValueError:
                    raise unexpected(PATH, line, "a name and a whole number") from None


def collect(host: Host) -> Iterator[Sample]:
    return parse_vmstat(read_or_no_data(host, PATH))


CHECK = Check("vmstat", collect)
