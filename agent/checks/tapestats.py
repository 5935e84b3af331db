"""How busy is each tape drive? /sys/class/scsi_tape/st0/stats (Documentation/scsi/st.rst), times in ns::

in_flight: 1   io_ns: 12668405190176   read_byte_cnt: 1341755959   write_cnt: 73668894
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole

FILES = {
    "in_flight": ("node_tape_io_now", GAUGE, 1.0),
    "io_ns": ("node_tape_io_time_seconds_total", COUNTER, 1e-9),
    "other_cnt": ("node_tape_io_others_total", COUNTER, 1.0),
    "read_byte_cnt": ("node_tape_read_bytes_total", COUNTER, 1.0),
    "read_cnt": ("node_tape_reads_completed_total", COUNTER, 1.0),
    "read_ns": ("node_tape_read_time_seconds_total", COUNTER, 1e-9),
    "resid_cnt": ("node_tape_residual_total", COUNTER, 1.0),
    "write_byte_cnt": ("node_tape_written_bytes_total", COUNTER, 1.0),
    "write_cnt": ("node_tape_writes_completed_total", COUNTER, 1.0),
    "write_ns": ("node_tape_write_time_seconds_total", COUNTER, 1e-9),
}
PATTERN = "/sys/class/scsi_tape/st*/stats/*"


def parse_drives(files: dict[str, str]) -> Iterator[Sample]:
    for path, text in files.items():
        device, _, file = path.split("/")[4:7]
        count = whole(text)
        if file in FILES and count is not None and device.removeprefix("st").isdigit():
            name, type_, unit = FILES[file]
            yield Sample(name, type_, labels("device", device), count * unit)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(PATTERN)
    if not files:
        raise NoData("no tape drive here")
    yield from parse_drives(files)


CHECK = Check("tapestats", collect)
