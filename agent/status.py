"""The small file by which a running agent tells ``bongsu-agent status`` how it is: ``status.json`` in its data folder.

It is for people and may be stale or missing; nothing depends on it, so it is replaced but never synced.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

STATUS_FILE = "status.json"


class Status(msgspec.Struct, frozen=True):
    """Times in ms of this machine's clock. ``trouble`` and ``spool_trouble`` are "" while all is well."""

    pid: int
    started_ms: int
    written_ms: int
    host: str
    agent_id: str
    epoch: str
    reports: int
    spool_records: int
    spool_bytes: int
    spool_oldest_ms: int | None
    spool_lost: int
    spool_trouble: str
    offset_ms: int
    is_offset_known: bool
    rtt_seconds: float
    collector: str
    collector_role: str
    last_answer_ms: int
    trouble: str
    hold: str
    records_sent: int
    bytes_sent: int
    resident_bytes: float
    cpu_seconds: float


def write_status(data_dir: Path, status: Status) -> None:
    waiting = data_dir / (STATUS_FILE + ".new")
    with contextlib.suppress(OSError):
        waiting.write_bytes(msgspec.json.encode(status))
        waiting.replace(data_dir / STATUS_FILE)


def read_status(data_dir: Path) -> Status | None:
    """None where there is none, or one of another version."""
    try:
        return msgspec.json.decode((data_dir / STATUS_FILE).read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        return None


def is_running(status: Status) -> bool:
    """Whether the process that wrote it is still there."""
    try:
        return b"agent" in Path(f"/proc/{status.pid}/cmdline").read_bytes()
    except OSError:
        return False


def describe(status: Status, is_alive: bool, wall_ms: int) -> str:
    """For people."""

    def ago(at_ms: int | None) -> str:
        return "never" if not at_ms else f"{max(0, wall_ms - at_ms) / 1000:.0f} s ago"

    lines = [
        ("agent", f"{status.host} ({status.agent_id}), {'running' if is_alive else 'NOT running'}, pid {status.pid}"),
        ("reports", f"{status.reports} since start, {status.records_sent} records in {status.bytes_sent} bytes sent"),
        (
            "collector",
            f"{status.collector_role or 'not met yet'} {status.collector}, last answer {ago(status.last_answer_ms)}",
        ),
        (
            "waiting",
            f"{status.spool_records} records, {status.spool_bytes} bytes, oldest {ago(status.spool_oldest_ms)}",
        ),
        ("lost", f"{status.spool_lost} records since start, all declared"),
        ("clock", f"{status.offset_ms} ms to the collector's" if status.is_offset_known else "not compared yet"),
        ("cost", f"{status.resident_bytes / (1 << 20):.1f} MiB, {status.cpu_seconds:.2f} s CPU"),
    ]
    lines += [("trouble", text) for text in (status.trouble, status.spool_trouble) if text]
    lines += [("on hold", f"{status.hold}; asked again within the hour")] if status.hold else []
    return "\n".join(f"{name:<10} {text}" for name, text in lines)
