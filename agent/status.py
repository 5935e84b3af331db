"""The small file by which a running agent tells ``bongsu-agent status`` how it is: ``status.json`` in its data folder.

It is for people and may be stale or missing; nothing depends on it, so it is replaced but never synced.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.selfmetrics import resident_bytes

if TYPE_CHECKING:
    from agent.identity import Identity
    from agent.link.offset import Offset
    from agent.link.send import SenderFigures
    from agent.link.spool import SpoolFigures

STATUS_FILE = "status.json"


class Status(msgspec.Struct, frozen=True):
    """Times in ms of this machine's clock. ``trouble``, ``spool_trouble`` and ``policy_trouble`` are "" while all is well.

    ``records_refused``: kept here because a hub will not take them. ``policy_version`` 0 = the centre has given none.
    """

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
    records_refused: int = 0
    policy_version: int = 0
    policy_overridden: list[str] = []
    policy_trouble: str = ""
    spool_rolled_up: int = 0
    spool_damaged: int = 0


def status_of(identity: Identity, spool: SpoolFigures, sent: SenderFigures, offset: Offset) -> Status:
    """How the agent is, but for what only the running one knows: when it began, its reports, its policy."""
    times = os.times()
    return Status(
        pid=os.getpid(),
        started_ms=0,
        written_ms=0,
        host=identity.host,
        agent_id=identity.agent_id.hex(),
        epoch=spool.epoch.hex(),
        reports=0,
        spool_records=spool.records,
        spool_bytes=spool.bytes,
        spool_oldest_ms=spool.oldest_ms,
        spool_lost=spool.lost,
        spool_trouble=spool.trouble,
        offset_ms=offset.offset_ms(),
        is_offset_known=offset.is_known,
        rtt_seconds=offset.rtt_seconds,
        collector=sent.collector,
        collector_role=sent.role,
        last_answer_ms=sent.last_answer_ms,
        trouble=sent.trouble,
        hold=sent.hold,
        records_sent=sent.records_sent,
        bytes_sent=sent.bytes_sent,
        resident_bytes=resident_bytes(),
        cpu_seconds=times.user + times.system,
        records_refused=sent.refused,
        spool_rolled_up=spool.rolled_up,
        spool_damaged=spool.damaged,
    )


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

    waiting = (
        f"{status.spool_records} records, oldest {ago(status.spool_oldest_ms)}" if status.spool_records else "nothing"
    )
    lines = [
        ("agent", f"{status.host} ({status.agent_id}), {'running' if is_alive else 'NOT running'}, pid {status.pid}"),
        ("reports", f"{status.reports} since start, {status.records_sent} records in {status.bytes_sent} bytes sent"),
        (
            "collector",
            f"{status.collector_role or 'not met yet'} {status.collector}, last answer {ago(status.last_answer_ms)}",
        ),
        (
            "waiting",
            f"{waiting}; the spool takes {status.spool_bytes} bytes",
        ),
        ("lost", f"{status.spool_lost} records since start, all declared; {status.spool_rolled_up} samples rolled up"),
        ("clock", f"{status.offset_ms} ms to the collector's" if status.is_offset_known else "not compared yet"),
        ("policy", _policy(status)),
        ("cost", f"{status.resident_bytes / (1 << 20):.1f} MiB, {status.cpu_seconds:.2f} s CPU"),
    ]
    lines += [("trouble", text) for text in (status.trouble, status.spool_trouble, status.policy_trouble) if text]
    if status.spool_damaged:
        lines += [("damaged", f"{status.spool_damaged} places of the spool; see quarantine/ and the disk's health")]
    if status.records_refused:
        lines += [
            ("refused", f"{status.records_refused} records by the hub; kept, and put to the centre when it is reached")
        ]
    lines += [("on hold", f"{status.hold}; asked again within the hour")] if status.hold else []
    return "\n".join(f"{name:<10} {text}" for name, text in lines)


def _policy(status: Status) -> str:
    if not status.policy_version:
        return "none of the centre; agent.toml and the link profile decide"
    own = f"; agent.toml decides {', '.join(status.policy_overridden)}" if status.policy_overridden else ""
    return f"version {status.policy_version} of the centre{own}"
