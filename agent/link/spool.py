"""The spool: what the agent measured, safe until the centre has it (docs/protocol.md, "Spool").

Two shelves behind one lock: the disk, and memory for as long as the disk takes nothing. ``append`` returns when the
records are synced (or, without a disk, kept in memory under an epoch of their own); only then are they handed out.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from agent.link.clock import Chance, Clock
from agent.link.files import Files
from agent.link.ranges import Range, Ranges
from agent.link.rollup import rollup_of
from agent.link.segment import frame_of, pack_frame
from agent.link.spool_disk import DiskSpool
from agent.link.spool_memory import MEMORY_BYTES, MemorySpool
from agent.link.spool_quarantine import Quarantine
from agent.link.spool_record import DISK_FULL, REFUSED, SPOOL_FULL, Draft, loss_of
from agent.link.spool_recover import Recovered, SpoolError, folder_name, highest_generation, recover
from agent.link.spool_renew import write_renewed
from agent.link.spool_writer import SEGMENT_BYTES

CAP_BYTES = 256 << 20
BALLAST_BYTES = 4 << 20
DISK_SHARE = 10
"""The spool takes at most a tenth of what would be free without it."""
RETRY_DISK_SECONDS = 30.0
MOVES_AT_ONCE = 4
"""Segments rolled up or given up after one append: a limit made much smaller is reached in steps."""

Shelf = DiskSpool | MemorySpool
__all__ = ["CAP_BYTES", "Shelf", "Spool", "SpoolError", "SpoolFigures"]


class SpoolFigures(NamedTuple):
    """``records`` and ``oldest_ms``: not yet settled by the centre. ``rolled_up``: samples put into roll-ups since the
    start. ``damaged``: places in segments found unreadable and put aside. ``trouble``: why the disk is not used, or "".
    """

    epoch: bytes
    records: int
    bytes: int
    oldest_ms: int | None
    lost: int
    rolled_up: int
    damaged: int
    trouble: str


class Spool:
    """Safe to use from several threads."""

    def __init__(
        self,
        files: Files,
        clock: Clock,
        chance: Chance,
        data_folder: str,
        agent_id: bytes,
        cap_bytes: int = CAP_BYTES,
        offset_ms: Callable[[], int] = lambda: 0,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Opens what is there, or begins an epoch. Raises SpoolError; a failing disk is no error, only memory then."""
        self.lock = threading.RLock()
        self._files = files
        self._clock = clock
        self._chance = chance
        self._root = f"{data_folder}/spool"
        self._ballast = f"{data_folder}/spool-ballast"
        self._data_folder = data_folder
        self._agent_id = agent_id
        self._cap_bytes = cap_bytes
        self._segment_bytes = min(SEGMENT_BYTES, max(4096, cap_bytes // 8))
        self._offset_ms = offset_ms
        self._quarantine = Quarantine(files, f"{data_folder}/quarantine")
        self._memory_bytes = memory_bytes
        self._disk: DiskSpool | None = None
        self._memory: MemorySpool | None = None
        self._trouble = ""
        self._retry_disk_at = 0.0
        self._ballast_at = clock.monotonic() + 60.0
        self._lost_before = self._rolled_up_before = self._damaged = 0
        self.newest_ms = 0
        """When the newest record found at the start was taken, corrected; 0 = there was none."""
        self._open_disk()

    # ------------------------------------------------------------ writing

    def append(self, drafts: Sequence[Draft]) -> None:
        """Take records. When this returns they survive a power cut, unless ``figures().trouble`` says otherwise."""
        with self.lock:
            now = self._clock.monotonic()
            if self._disk is None and now >= self._retry_disk_at:
                self._open_disk()
            if self._disk is None or now < self._retry_disk_at:
                self._keep_in_memory(drafts)
                return
            left = self._disk.append(drafts)
            if left:
                self._trouble = "the disk takes no records; reporting from memory"
                self._retry_disk_at = now + RETRY_DISK_SECONDS
                self._keep_in_memory(left)
                return
            self._trouble = ""
            self._make_room(self._disk)
            self._disk.make_good()
            if now >= self._ballast_at:
                self._ballast_at = now + 600.0
                self._lay_ballast()

    def _keep_in_memory(self, drafts: Sequence[Draft]) -> None:
        if self._memory is None:
            self._memory = MemorySpool(self._clock, self._chance, self._memory_bytes)
        self._memory.append(drafts)

    def _make_room(self, disk: DiskSpool) -> None:
        limit, reason = self._cap_bytes, SPOOL_FULL
        with contextlib.suppress(OSError):
            share = max(2 * self._segment_bytes, (disk.bytes + self._files.free_bytes(self._root)) // DISK_SHARE)
            if share < limit:
                limit, reason = share, DISK_FULL
        for _ in range(MOVES_AT_ONCE):
            if not disk.make_room(limit, reason):
                return

    # ------------------------------------------------------------ handing out and settling

    def shelves(self) -> list[Shelf]:
        """Those that may hold something; the caller holds ``lock`` while it uses them."""
        return [shelf for shelf in (self._disk, self._memory) if shelf is not None]

    def shelf(self, epoch: bytes) -> Shelf | None:
        return next((shelf for shelf in self.shelves() if shelf.epoch == epoch), None)

    def settle(self, epoch: bytes, ranges: Iterable[Range]) -> None:
        """On a receipt whose signature was checked (``open_receipt``)."""
        with self.lock:
            shelf = self.shelf(epoch)
            if shelf is not None:
                shelf.settle(ranges)

    def note_held(self, epoch: bytes, who: str, held: Ranges) -> None:
        """What a hub says it holds: never deleted on its word alone, but the first to go when there is no room."""
        with self.lock:
            if self._disk is not None and self._disk.epoch == epoch:
                self._disk.numbers.note_held(who, held.copy())

    def forget_held(self, who: str) -> None:
        """The hub begins anew, or another one answers in its place."""
        with self.lock:
            if self._disk is not None:
                self._disk.numbers.note_held(who, Ranges())

    def refuse(self, epoch: bytes, seqs: Ranges, code: str) -> None:
        """Records the receiver will never take: put aside as evidence and declared lost.

        A refused loss record is not declared lost in turn: that declaration would be refused as well, for ever.
        """
        with self.lock:
            shelf = self.shelf(epoch)
            if shelf is None:
                return
            records = list(shelf.find(seqs))
            evidence = b"".join(pack_frame(frame_of(record), 0) for record in records)
            self._quarantine.put(self._clock.wall_ms(), f"refused-{epoch.hex()}-{code[:32]}", evidence)
            lost = Ranges((r.seq, r.seq) for r in records if loss_of(r) is None)
            for rollup in filter(None, map(rollup_of, records)):  # nothing else will ever say what became of these
                for span in rollup.replaces:
                    lost.add(*span)
            shelf.declare(lost, f"{REFUSED}:{code}")

    def renew(self, epoch: bytes) -> bool:
        """Begin a new epoch in place of a spent one. False where the disk has no room for it now."""
        with self.lock:
            if self._memory is not None and self._memory.epoch == epoch:
                self._memory.renew()
                return True
            disk = self._disk
            if disk is None or disk.epoch != epoch:
                return True
            disk.close()
            generation = highest_generation(self._files, self._root) + 1
            try:
                write_renewed(
                    self._files,
                    self._root,
                    generation,
                    self._chance.bytes(8),
                    self._agent_id,
                    self._clock,
                    self._offset_ms(),
                    disk.unsettled(),
                    disk.schema,
                )
            except OSError:
                return False
            self._lost_before += disk.lost_count
            self._rolled_up_before += disk.rolled_up_count
            self._open_disk()
            return True

    # ------------------------------------------------------------ looking and leaving

    def figures(self) -> SpoolFigures:
        with self.lock:
            waiting = [shelf.waiting() for shelf in self.shelves()]
            oldest = [at for _, at in waiting if at is not None]
            return SpoolFigures(
                self._disk.epoch if self._disk is not None else b"",
                sum(count for count, _ in waiting),
                sum(shelf.bytes for shelf in self.shelves()),
                min(oldest, default=None),
                self._lost_before + sum(shelf.lost_count for shelf in self.shelves()),
                self._rolled_up_before + (self._disk.rolled_up_count if self._disk is not None else 0),
                self._damaged,
                self._trouble,
            )

    def close(self) -> None:
        with self.lock:
            if self._disk is not None:
                self._disk.close()

    # ------------------------------------------------------------ the disk

    def _open_disk(self) -> None:
        try:
            self._files.make_folder(self._root)
            found = recover(self._files, self._root, self._agent_id) or self._begin()
        except OSError as why:
            self._disk = None
            self._trouble = f"spool {self._root}: {why}; reporting from memory"
            self._retry_disk_at = self._clock.monotonic() + RETRY_DISK_SECONDS
            return
        self._damaged += len(found.bad)
        self.newest_ms = max((part.newest_ms for part in found.parts), default=0)
        if found.holes:
            for part, start, data in found.bad:
                self._quarantine.put(self._clock.wall_ms(), f"{found.epoch.hex()}-{part}-{start}", data)
        self._trouble = ""
        self._disk = DiskSpool(
            found,
            self._files,
            self._clock,
            self._agent_id,
            self._segment_bytes,
            self._offset_ms,
            self._release_ballast,
        )

    def _begin(self) -> Recovered:
        """A new epoch in an empty folder; its first segment makes it durable. Raises OSError."""
        generation = highest_generation(self._files, self._root) + 1
        epoch = self._chance.bytes(8)
        folder = f"{self._root}/{folder_name(generation, epoch)}"
        self._files.make_folder(folder)
        self._files.sync_folder(self._root)
        self._files.sync_folder(self._data_folder)
        return Recovered(folder, generation, epoch, [], Ranges(), {}, 1, [], [], {})

    def _lay_ballast(self) -> None:
        size = min(BALLAST_BYTES, self._cap_bytes // 16)
        with contextlib.suppress(OSError):
            if self._files.exists(self._ballast) or self._files.free_bytes(self._root) < 16 * size:
                return
            file = self._files.append_to(self._ballast)
            try:
                block = self._chance.bytes(1 << 16)  # not zeros, which some file systems do not store
                for _ in range(0, size, len(block)):
                    file.append(block)
            finally:
                file.close()

    def _release_ballast(self) -> bool:
        try:
            self._files.remove(self._ballast)
        except OSError:
            return False
        return True
