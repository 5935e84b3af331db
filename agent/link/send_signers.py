"""Whose records: the agent's id and its keys, the newest first.

After a rotation a hub may not have heard of the new key. What it answers then (``unknown_key``) loses nothing: the same
records go to it signed by the former key, which stays known for ever, until it takes the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent.link.ranges import Ranges

UNKNOWN_KEY = "unknown_key"


class Signer(NamedTuple):
    """Whose records: ``sign`` gives the 64-byte Ed25519 signature of its argument."""

    agent_id: bytes
    key_no: int
    sign: Callable[[bytes], bytes]


class Signers:
    """One or more signers of one agent. ``on_taken`` is told the number of the newest key when the centre took records
    signed by it for the first time. A hub's word is not enough: were it wrong, forgetting the former key would be the end.
    """

    def __init__(self, signers: Sequence[Signer], on_taken: Callable[[int], None] = lambda _: None) -> None:
        self._on_taken = on_taken
        self.replace(signers)

    @property
    def agent_id(self) -> bytes:
        return self._signers[0].agent_id

    @property
    def count(self) -> int:
        return len(self._signers)

    def at(self, place: int) -> Signer:
        return self._signers[min(place, len(self._signers) - 1)]

    def replace(self, signers: Sequence[Signer]) -> None:
        """A key was rotated while this process ran."""
        self._signers = list(signers)
        self._is_told = len(self._signers) < 2
        self._at_hub: tuple[bytes, int] | None = None

    def note_taken(self, place: int, epoch: bytes, seq: int, *, by_centre: bool) -> None:
        """A collector took a record under the key at ``place``."""
        if place == 0 and by_centre:
            self._tell()
        elif place == 0:
            self._at_hub = self._at_hub or (epoch, seq)

    def note_receipt(self, epoch: bytes, ranges: Ranges) -> None:
        """The centre's word, which a hub handed down."""
        if self._at_hub is not None and self._at_hub[0] == epoch and self._at_hub[1] in ranges:
            self._tell()

    def note_unknown(self) -> None:
        """Somebody does not know the newest key: what was taken may have been taken under the former."""
        self._at_hub = None

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._on_taken(self._signers[0].key_no)
