"""What an administrator would look at first, each finding with a number of its own and a hint.

A001 identity  A002 key file  A003 clock  A004 collectors  A005 disk space  A006 spool  A007 running
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from agent.config import AgentConfig
from agent.identity import Identity, IdentityError, key_file, load_identity
from agent.link.clock import SystemClock
from agent.link.exchange import Failure, HttpExchange
from agent.link.files import SystemFiles
from agent.link.names import ANSWER_TYPE, LIVE_LANE
from agent.link.offset import Offset
from agent.link.segment import KIND_SCHEMA, scan, segment_seed
from agent.link.send_request import envelopes_request
from agent.link.spool_part import is_part_name
from agent.status import is_running, read_status

OFFSET_LIMIT_SECONDS = 30.0
LEAST_FREE_BYTES = 64 << 20
SILENT_SECONDS = 180.0


class Finding(msgspec.Struct, frozen=True):
    """``hint`` says what to do where ``is_ok`` is False."""

    id: str
    subject: str
    is_ok: bool
    text: str
    hint: str = ""


def examine(config: AgentConfig, data_dir: Path) -> list[Finding]:
    """All findings, in the order of their numbers; those that need an identity are left out where there is none."""
    try:
        identity = load_identity(data_dir)
    except IdentityError as why:
        return [Finding("A001", "identity", False, str(why), "enrol this agent, or point --data at its folder")]
    clock, offset = SystemClock(), Offset(SystemClock())
    one_way = config.one_way.directory
    reached = (
        [_directory(one_way)]
        if one_way
        else [_collector(url, identity, clock, offset) for url in identity.enrolment.collectors]
    )
    return [
        Finding("A001", "identity", True, f"agent {identity.agent_id.hex()} reports as {identity.host}"),
        Finding("A002", "key file", True, f"{data_dir / key_file(identity.enrolment.key_no)} has mode 0600"),
        *([] if one_way else [_clock(offset)]),
        *reached,
        _disk(config, data_dir),
        _spool(data_dir),
        _running(data_dir, clock.wall_ms()),
    ]


def _collector(url: str, identity: Identity, clock: SystemClock, offset: Offset) -> Finding:
    def tls():  # type: ignore[no-untyped-def]
        from agent.link.tls import context_for

        return context_for(identity.ca_file)

    exchange = HttpExchange(clock.monotonic, tls)
    started_at = clock.monotonic()
    response = exchange(envelopes_request(url.rstrip("/"), LIVE_LANE, [], clock.wall_ms(), 10.0))
    now = clock.monotonic()
    exchange.close()
    if isinstance(response, Failure):
        hint = "see that the collector runs, and name resolution, route, firewall and proxy between here and there"
        return Finding("A004", f"collector {url}", False, response.text, hint)
    if response.status != 200 or response.content_type != ANSWER_TYPE:
        text = f"HTTP {response.status} {response.content_type}: expected 200 {ANSWER_TYPE}"
        return Finding("A004", f"collector {url}", False, text, "something else answers there: a portal or a proxy")
    from agent.link.answer import AnswerError, read_answer

    try:
        answer = read_answer(response.body)
    except AnswerError as why:
        return Finding("A004", f"collector {url}", False, str(why), "see whether agent and collector fit together")
    offset.measure(answer.now_ms, started_at, now)
    text = f"{answer.receiver.role} answers in {round((now - started_at) * 1000)} ms"
    return Finding("A004", f"collector {url}", True, text)


def _directory(path: str) -> Finding:
    """Where files go in place of requests."""
    is_ok = os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)  # noqa: PTH112
    text = f"files are written to {path}" if is_ok else "is not a directory this user may write"
    hint = "" if is_ok else "make it, or mount it, and give it to the agent's user; see [one_way] of agent.toml"
    return Finding("A004", f"directory {path}", is_ok, text, hint)


def _clock(offset: Offset) -> Finding:
    if not offset.is_known:
        return Finding("A003", "clock", False, "no collector answered, so it was compared with none", "see A004")
    seconds = offset.offset_ms() / 1000
    is_ok = abs(seconds) <= OFFSET_LIMIT_SECONDS
    text = f"{abs(seconds):.1f} s {'behind' if seconds > 0 else 'ahead of'} the collector"
    hint = "" if is_ok else "reports are corrected by this; still, let chrony or systemd-timesyncd set the clock"
    return Finding("A003", "clock", is_ok, text, hint)


def _disk(config: AgentConfig, data_dir: Path) -> Finding:
    try:
        free = SystemFiles().free_bytes(str(data_dir))
    except OSError as why:
        return Finding("A005", "disk", False, f"{data_dir}: {why}", "see that the folder can be read")
    text = f"{free >> 20} MiB free at {data_dir}; the spool takes at most {config.spool_max_mib} MiB or a tenth"
    hint = "" if free >= LEAST_FREE_BYTES else "free some space: a long cut would make the agent drop records"
    return Finding("A005", "disk", free >= LEAST_FREE_BYTES, text, hint)


def _spool(data_dir: Path) -> Finding:
    """Reads, and only reads: the running agent owns these files."""
    records, bad, segments = 0, 0, 0
    root = data_dir / "spool"
    try:
        for folder in sorted(root.glob("*-*")) if root.exists() else []:
            epoch = bytes.fromhex(folder.name.partition("-")[2][:16])
            for path in sorted(folder.iterdir()):
                if is_part_name(path.name):
                    seen = scan(path.read_bytes(), segment_seed(epoch, path.name))
                    segments += 1
                    records += sum(frame.kind != KIND_SCHEMA for frame in seen.frames)
                    bad += len(seen.bad)
    except (OSError, ValueError) as why:
        return Finding(
            "A006", "spool", False, f"{root}: {why}", "see owner and mode of the folder and the disk's health"
        )
    text = f"{records} records in {segments} segments, {bad} damaged places"
    hint = "" if not bad else "the agent declares what is lost at its next start; look at the disk's health"
    return Finding("A006", "spool", not bad, text, hint)


def _running(data_dir: Path, wall_ms: int) -> Finding:
    status = read_status(data_dir)
    if status is None or not is_running(status):
        return Finding("A007", "agent", False, "is not running here", "start it: systemctl start bongsu-agent")
    age = (wall_ms - status.last_answer_ms) / 1000
    if status.hold:
        return Finding("A007", "agent", False, f"asked to hold: {status.hold}", "ask the centre: bongsu agent list")
    if status.last_answer_ms and age <= SILENT_SECONDS:
        return Finding("A007", "agent", True, f"runs as process {status.pid}, last answer {age:.0f} s ago")
    text = f"runs as process {status.pid}, no answer {f'for {age:.0f} s' if status.last_answer_ms else 'yet'}"
    return Finding("A007", "agent", False, f"{text}: {status.trouble}", "see A004")
