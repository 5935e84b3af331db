"""How much randomness has the kernel gathered? /proc/sys/kernel/random/entropy_avail and poolsize, in bits::

256
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import NONE
from agent.checks.reading import unexpected, whole

FILES = {
    "/proc/sys/kernel/random/entropy_avail": "node_entropy_available_bits",
    "/proc/sys/kernel/random/poolsize": "node_entropy_pool_size_bits",
}


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*FILES)
    if not files:
        raise NoData("this kernel shows no entropy")
    for path, text in files.items():
        bits = whole(text)
        if bits is None:
            raise unexpected(path, text, "a whole number of bits")
        yield Sample(FILES[path], GAUGE, NONE, bits)


CHECK = Check("entropy", collect)
