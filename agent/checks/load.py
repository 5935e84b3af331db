"""How many tasks wanted to run, on average over 1, 5 and 15 minutes? /proc/loadavg::

0.21 0.37 0.39 1/719 19737
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import NONE
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/loadavg"
NAMES = ("node_load1", "node_load5", "node_load15")


def parse_load(text: str) -> Iterator[Sample]:
    try:
        one, five, fifteen = (float(part) for part in text.split()[:3])
    except ValueError:
        raise unexpected(PATH, text, "three averages") from None
    for name, value in zip(NAMES, (one, five, fifteen), strict=True):
        yield Sample(name, GAUGE, NONE, value)


def collect(host: Host) -> Iterator[Sample]:
    return parse_load(read_or_no_data(host, PATH))


CHECK = Check("load", collect)
