"""A new epoch for a spool whose names are spent.

The centre answers ``renew`` when it holds other content under a name we sent: this machine was rolled back to an older
state, or copied, or its disk lied about a sync. Everything the centre has not settled is then written again under new
numbers of a new epoch, in the old order, and sent under those. What had been lost before keeps numbers of its own in
the new epoch and is declared there, so that produced = stored + declared lost holds across the change.

The new epoch is prepared in a folder of its own and takes over by one rename; a crash before it leaves the old epoch,
a crash after it the new one. It needs room for both: where there is none the old epoch stays and the next ``renew``
tries again.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator

from agent.link.clock import Clock
from agent.link.files import Files
from agent.link.model import Loss
from agent.link.rollup import rollup_of
from agent.link.spool_order import family_of
from agent.link.spool_part import FAMILIES, STATES, Part
from agent.link.spool_record import LossDraft, Spooled, named, renamed, schema_of
from agent.link.spool_recover import PREPARED, folder_name
from agent.link.spool_writer import SpoolWriter

BATCH = 64


def write_renewed(
    files: Files,
    root: str,
    generation: int,
    epoch: bytes,
    agent_id: bytes,
    clock: Clock,
    offset_ms: int,
    records: Iterable[Spooled | Loss],
    schema: Callable[[bytes], bytes | None],
) -> None:
    """Write ``records`` as a new epoch and let it take over. Raises OSError; then the old epoch stands as it was."""
    folder = f"{root}/{folder_name(generation, epoch)}"
    prepared = folder + PREPARED
    files.make_folder(prepared)
    parts: list[Part] = []
    writer = SpoolWriter(files, prepared, agent_id, epoch, parts)
    try:
        batches: dict[str, list[Spooled]] = {family: [] for family in FAMILIES}
        for record in _numbered(records, clock.wall_ms(), offset_ms):
            family = family_of(record)
            batches[family].append(record)
            if len(batches[family]) >= BATCH:
                _write(writer, family, batches, schema, clock)
        for family in batches:
            _write(writer, family, batches, schema, clock)
        if not parts:  # the epoch stands even where there was nothing to carry over
            writer.begin(STATES, 1, clock.wall_ms(), clock.monotonic())
        writer.seal()
        files.sync_folder(prepared)
        files.rename(prepared, folder)
        files.sync_folder(root)
    except OSError:
        with contextlib.suppress(OSError):
            for name in files.list(prepared):
                files.remove(f"{prepared}/{name}")
        raise


def _numbered(records: Iterable[Spooled | Loss], wall_ms: int, offset_ms: int) -> Iterator[Spooled]:
    """Records under ascending new numbers; a loss takes as many numbers as it lost and is declared at the end.

    A roll-up takes as many as it stands for, and one for itself.
    """
    next_seq = 1
    losses: list[Loss] = []
    for record in records:
        if isinstance(record, Loss):
            count = record.last - record.first + 1
            losses.append(Loss(next_seq, next_seq + count - 1, record.reason))
            next_seq += count
        else:
            rollup = rollup_of(record)
            first = next_seq
            next_seq += 0 if rollup is None else rollup.replaces.count
            yield renamed(record, next_seq, first)
            next_seq += 1
    for loss in losses:
        yield named(LossDraft(loss, wall_ms, offset_ms), next_seq)
        next_seq += 1


def _write(
    writer: SpoolWriter,
    family: str,
    batches: dict[str, list[Spooled]],
    schema: Callable[[bytes], bytes | None],
    clock: Clock,
) -> None:
    records = batches[family]
    if not records:
        return
    schemas: dict[bytes, bytes] = {}
    for wanted in {needed for record in records if (needed := schema_of(record)) is not None}:
        packed = schema(wanted)
        if packed is None:
            raise OSError(errno.EIO, f"schema {wanted.hex()} cannot be read")
        schemas[wanted] = packed
    writer.write(family, records, schemas, clock.wall_ms(), clock.monotonic())
    batches[family] = []
