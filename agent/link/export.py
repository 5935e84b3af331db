"""One-way mode: the spool written out as files, for where nothing may come back (docs/protocol.md, "One way").

Takes the sender's place. Oldest first, each number once, every file readable by itself. What was written stays in the
spool for some days, so that a file that was lost can be written again (remove ``exported`` from the data folder); then it
goes, or sooner where the spool needs the room. There are no receipts: whether it arrived is for the reader to see.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from zlib import crc32

import msgspec

from agent.link.clock import Clock
from agent.link.files import Files
from agent.link.model import encode
from agent.link.packing import pack_envelopes
from agent.link.profile import LinkProfile
from agent.link.ranges import Ranges
from agent.link.send import SenderFigures
from agent.link.send_request import Enclosed, pack_enclosed
from agent.link.send_signers import Signers
from agent.link.spool import Shelf, Spool
from agent.link.spool_record import schema_of

NOTE_FILE = "exported"
ENDING = ".bongsu"
FILE_RECORDS = 1_000
FILE_RAW_BYTES = 4 << 20
RETRY_SECONDS = 30.0
DAY_MS = 86_400_000
CROWDED_RATIO = 0.8
"""From this share of the spool's limit on, what was written goes whatever its age."""

_decode_note = msgspec.msgpack.Decoder(list[tuple[bytes, list[tuple[int, int]]]]).decode


def file_name(agent_id: bytes, epoch: bytes, seqs: Sequence[int]) -> str:
    return f"{agent_id.hex()}-{epoch.hex()}-{min(seqs):016d}-{max(seqs):016d}{ENDING}"


class Exporter:
    """``step`` writes at most one file and says when it wants to be called again. ``written``: names, newest last."""

    def __init__(
        self,
        spool: Spool,
        signers: Signers,
        files: Files,
        clock: Clock,
        directory: str,
        data_folder: str,
        every_seconds: float,
        keep_days: int,
        cap_bytes: int,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.records_sent = 0
        self.written: list[str] = []
        self._spool = spool
        self._signers = signers
        self._files = files
        self._clock = clock
        self._directory = directory
        self._note = f"{data_folder}/{NOTE_FILE}"
        self._data_folder = data_folder
        self._every_seconds = every_seconds
        self._keep_ms = keep_days * DAY_MS
        self._cap_bytes = cap_bytes
        self._log = log
        self._exported: dict[bytes, Ranges] = self._read_note()
        self._due_at = 0.0
        self._is_hurried = False
        self._bytes = 0
        self._last_ms = 0
        self._trouble = ""

    def try_out(self) -> None:
        """Raises OSError where the directory is not there or cannot be written."""
        self._files.list(self._directory)
        path = f"{self._directory}/.bongsu-trial"
        self._write(self._directory, path + ".new", path, b"")
        self._files.remove(path)

    def hurry(self) -> None:
        """The process ends: write what is there, now."""
        self._is_hurried = True

    def follow(self, profile: LinkProfile) -> None:
        """A link profile says nothing to files."""

    def step(self, now: float) -> float:
        if now < self._due_at and not self._is_hurried:
            return self._due_at
        try:
            has_written = self._write_next()
        except OSError as why:
            text = f"{self._directory}: {why}: nothing written; the records wait in the spool"
            if not self._trouble:
                self._log(text)
            self._trouble, self._due_at, self._is_hurried = text, now + RETRY_SECONDS, False
            return self._due_at
        self._trouble = ""
        if has_written:
            return now
        self._let_go()
        self._due_at, self._is_hurried = now + self._every_seconds, False
        return self._due_at

    def _write_next(self) -> bool:
        """One file. False where everything is written. Raises OSError."""
        with self._spool.lock:
            for shelf in self._spool.shelves():
                done = self._exported.get(shelf.epoch) or Ranges()
                records = shelf.oldest(done, FILE_RECORDS, FILE_RAW_BYTES)
                if records:
                    needed = dict.fromkeys(one for record in records if (one := schema_of(record)) is not None)
                    schemas = [packed for one in needed if (packed := shelf.schema(one)) is not None]
                    enclosed = Enclosed(shelf.epoch, records, schemas)
                    break
            else:
                return False
        signer = self._signers.at(0)
        body = pack_envelopes([pack_enclosed(signer, enclosed)])
        name = file_name(signer.agent_id, enclosed.epoch, enclosed.seqs)
        self._write(self._directory, f"{self._directory}/.{name}.new", f"{self._directory}/{name}", body)
        known = self._exported.setdefault(enclosed.epoch, Ranges())
        for seq in sorted(enclosed.seqs):
            known.add(seq)
        self._write_note()
        self.written.append(name)
        del self.written[:-10]
        self.records_sent += len(enclosed.records)
        self._bytes += len(body)
        self._last_ms = self._clock.wall_ms()
        return True

    def _let_go(self) -> None:
        """What was written and is old enough, or in the way, leaves the spool."""
        is_crowded = self._spool.figures().bytes > self._cap_bytes * CROWDED_RATIO
        before_ms = self._clock.wall_ms() - (0 if is_crowded else self._keep_ms)
        with self._spool.lock:
            for shelf in self._spool.shelves():
                if shelf.epoch in self._exported:
                    _settle_old(shelf, self._exported[shelf.epoch], before_ms)

    # ------------------------------------------------------------ the note of what was written

    def _read_note(self) -> dict[bytes, Ranges]:
        try:
            data = self._files.read(self._note)
            if crc32(data[4:]).to_bytes(4, "little") != data[:4]:
                raise ValueError("damaged")
            return {epoch: Ranges(spans) for epoch, spans in _decode_note(data[4:])}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, ValueError) as why:
            self._log(f"{self._note}: {why}; everything in the spool is written once more")
            return {}

    def _write_note(self) -> None:
        """Best effort: without it records are written twice, which does no harm."""
        with self._spool.lock:
            present = {shelf.epoch for shelf in self._spool.shelves()}
        self._exported = {epoch: spans for epoch, spans in self._exported.items() if epoch in present}
        body = encode([(epoch, spans.as_lists()) for epoch, spans in self._exported.items()])
        with contextlib.suppress(OSError):
            packed = crc32(body).to_bytes(4, "little") + body
            self._write(self._data_folder, self._note + ".new", self._note, packed)

    def _write(self, folder: str, waiting: str, path: str, data: bytes) -> None:
        """Whole or not at all, durable. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self._files.remove(waiting)
        try:
            file = self._files.append_to(waiting)
            try:
                file.append(data)
                file.sync()
            finally:
                file.close()
            self._files.rename(waiting, path)
            self._files.sync_folder(folder)
        except OSError:
            with contextlib.suppress(OSError):
                self._files.remove(waiting)
            raise

    def figures(self) -> SenderFigures:
        return SenderFigures(
            self._directory, "files in", self._last_ms, self._trouble, "", self.records_sent, self._bytes, 0, 0
        )


def _settle_old(shelf: Shelf, exported: Ranges, before_ms: int) -> None:
    old = Ranges(span for span in shelf.older_than(before_ms) if exported.covers(*span))
    if old:
        shelf.note_sent(seq for first, last in old for seq in range(first, last + 1))
        shelf.settle(old)
