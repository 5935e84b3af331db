"""Start-up of the spool: one scan of the segments tells everything; there is no ledger that could disagree.

Layout: ``spool/<generation>-<epoch>/<first seq>-<family>-<attempt>.seg`` and ``…/acked``. A folder is one epoch; a new
epoch is prepared in a folder ending in ``.new`` and takes over by one rename, so the highest generation without that
ending is the one that counts.

Why numbers are never reused for something another side may have seen: a record gets into the sender's hands only after
its sync, and every file found here is synced again before anything of it is handed out (a killed process may have left
whole records that were never synced). So what a power cut takes away was never sent, and the number behind the last
whole record is free. A record that was synced and sent is found again: nothing is lost and its name stays. Should the
disk damage exactly the last synced record, its number is used for another content; the centre sees the fork and
answers ``renew``. Numbers known from ``acked`` and from segment names are never used again either.

Holes are found by numbers, not by bytes: every number up to the last must be present, settled, or named by a loss
record or a roll-up; what is not is declared lost (``corrupt``). A number that is present and named by one of these was
given up just before a crash kept its segment from being deleted: the loss or the roll-up holds.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from agent.link.files import Files
from agent.link.model import Loss, schema_hash
from agent.link.names import KIND_LOSS, KIND_ROLLUP, KIND_SAMPLE
from agent.link.ranges import Range, Ranges
from agent.link.rollup import rollup_of
from agent.link.segment import KIND_SCHEMA, open_header, record_of, scan, segment_seed
from agent.link.spool_acked import read_acked
from agent.link.spool_part import Part, is_part_name, name_order
from agent.link.spool_record import loss_of

PREPARED = ".new"


class SpoolError(Exception):
    """The spool cannot be used at all; the message says what to do."""


class BadBytes(NamedTuple):
    part: str
    start: int
    data: bytes


class Recovered(NamedTuple):
    """What stands on the disk. ``losses``: number of a loss record not yet settled -> what it declares; ``rollups``:
    number of a roll-up not yet settled -> the numbers it stands for.
    """

    folder: str
    generation: int
    epoch: bytes
    parts: list[Part]
    acked: Ranges
    losses: dict[int, Loss]
    next_seq: int
    holes: list[Range]
    bad: list[BadBytes]
    rollups: dict[int, Ranges]


def folder_name(generation: int, epoch: bytes) -> str:
    return f"{generation:06d}-{epoch.hex()}"


def _generation(name: str) -> tuple[int, bytes] | None:
    number, _, epoch = name.partition("-")
    if not number.isdigit() or len(epoch) != 16:
        return None
    try:
        return int(number), bytes.fromhex(epoch)
    except ValueError:
        return None


def highest_generation(files: Files, root: str) -> int:
    """Of every folder there, whatever became of it, so that a name is never taken twice."""
    return max((g[0] for name in files.list(root) if (g := _generation(name.removesuffix(PREPARED)))), default=0)


def recover(files: Files, root: str, agent_id: bytes) -> Recovered | None:
    """The newest epoch that holds anything, None where there is none. Older and unfinished ones are emptied.

    Raises OSError where the folder cannot be read, SpoolError where it is another agent's.
    """
    found: Recovered | None = None
    names = sorted(name for name in files.list(root) if _generation(name.removesuffix(PREPARED)))
    for name in reversed(names):
        folder = f"{root}/{name}"
        if found is None and not name.endswith(PREPARED) and any(map(is_part_name, files.list(folder))):
            found = _recover_folder(files, folder, agent_id, *_generation(name))  # type: ignore[misc]
        else:
            for leftover in files.list(folder):
                with contextlib.suppress(OSError):
                    files.remove(f"{folder}/{leftover}")
    return found


def _recover_folder(files: Files, folder: str, agent_id: bytes, generation: int, epoch: bytes) -> Recovered:
    parts: list[Part] = []
    bad: list[BadBytes] = []
    losses: dict[int, Loss] = {}
    rollups: dict[int, Ranges] = {}
    by_schema: dict[bytes, list[tuple[Part, int]]] = {}
    names = sorted(filter(is_part_name, files.list(folder)), key=name_order)
    newest = {name_order(name)[1]: name for name in names}
    for name in names:
        part = Part(name)
        is_newest = newest[part.family] == name
        _read_part(files, folder, part, agent_id, epoch, losses, rollups, by_schema, bad, is_newest=is_newest)
        _supersede(parts, part)
        parts.append(part)
    known_schemas = set().union(*(part.schemas for part in parts))
    for schema, places in by_schema.items():
        for part, seq in places:
            if schema not in known_schemas:  # the numbers are there, what they mean is not
                part.seqs.remove(seq, seq)
                rollups.pop(seq, None)
            elif schema not in part.schemas:
                part.borrowed.add(schema)
    acked = read_acked(files, folder, epoch)
    first = 1 if acked is not None else min(part.first_seq for part in parts)
    acked = acked or Ranges()
    losses = {seq: lost for seq, lost in losses.items() if seq not in acked}
    for seq in [seq for seq in rollups if seq in acked]:
        for span in rollups.pop(seq):
            acked.add(*span)
    known = Ranges(
        [
            *acked,
            *((loss.first, loss.last) for loss in losses.values()),
            *(span for stands_for in rollups.values() for span in stands_for),
            *(span for part in parts for span in part.seqs),
        ]
    )
    last = max(known.last, *(part.first_seq - 1 for part in parts))
    holes = known.gaps(first, last) if last else []
    return Recovered(folder, generation, epoch, parts, acked, losses, last + 1, holes, bad, rollups)


def _read_part(
    files: Files,
    folder: str,
    part: Part,
    agent_id: bytes,
    epoch: bytes,
    losses: dict[int, Loss],
    rollups: dict[int, Ranges],
    by_schema: dict[bytes, list[tuple[Part, int]]],
    bad: list[BadBytes],
    *,
    is_newest: bool,
) -> None:
    """Scan one segment into ``part`` and the collections given; cut a torn tail, make what was found durable."""
    path = f"{folder}/{part.name}"
    try:
        data = files.read(path)
    except OSError:  # unreadable: its numbers turn into holes
        return
    header = open_header(data)
    if header is not None and header.agent_id != agent_id:
        raise SpoolError(
            f"spool {folder}: belongs to agent {header.agent_id.hex()}, expected {agent_id.hex()}; "
            "move the folder away or restore that agent's agent.json"
        )
    seen = scan(data, segment_seed(epoch, part.name))
    part.bytes = len(data)
    for start, end in seen.bad:
        if not (is_newest and start == seen.torn_at):
            bad.append(BadBytes(part.name, start, data[start:end]))
    torn_at = seen.torn_at if is_newest else len(data)
    part.is_withheld = not _made_durable(files, path, torn_at if torn_at < len(data) else None)
    if not part.is_withheld:
        part.bytes = torn_at
    for frame in seen.frames:
        if frame.kind == KIND_SCHEMA:
            part.schemas.add(schema_hash(frame.payload))
            continue
        part.note(frame)
        if frame.kind == KIND_SAMPLE:
            by_schema.setdefault(frame.payload[:16], []).append((part, frame.seq))
        elif frame.kind == KIND_ROLLUP:
            with contextlib.suppress(ValueError):  # of a later version: kept as it is
                if (rollup := rollup_of(record_of(frame))) is not None:
                    rollups[frame.seq] = rollup.replaces
                    by_schema.setdefault(rollup.schema_hash, []).append((part, frame.seq))
        elif frame.kind == KIND_LOSS and (lost := loss_of(record_of(frame))) is not None:
            losses[frame.seq] = lost


def _made_durable(files: Files, path: str, cut_at: int | None) -> bool:
    """Sync a segment found, cut first where its tail is torn. Where that fails, its records are kept back until ``make_good``."""
    try:
        file = files.append_to(path)
        try:
            if cut_at is not None:
                file.truncate(cut_at)
            file.sync()
        finally:
            file.close()
    except OSError:
        return False
    return True


def _supersede(parts: list[Part], newer: Part) -> None:
    """A number found twice stands in the later file: the earlier one's sync had failed."""
    for part in parts:
        if part.seqs.last >= newer.first_seq:
            for first, last in newer.seqs:
                part.seqs.remove(first, last)
