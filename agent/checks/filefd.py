"""How many files are open, of how many allowed? /proc/sys/fs/file-nr: allocated, free (always 0), maximum::

603	0	3378670
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import NONE
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/sys/fs/file-nr"


def parse_file_nr(text: str) -> Iterator[Sample]:
    try:
        allocated, _, maximum = (int(part) for part in text.split())
    except ValueError:
        raise unexpected(PATH, text, "three whole numbers") from None
    yield Sample("node_filefd_allocated", GAUGE, NONE, allocated)
    yield Sample("node_filefd_maximum", GAUGE, NONE, maximum)


def collect(host: Host) -> Iterator[Sample]:
    return parse_file_nr(read_or_no_data(host, PATH))


CHECK = Check("filefd", collect)
