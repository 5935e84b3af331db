"""Whose records: the agent's id and its keys, the newest first.

After a rotation a hub may not have heard of the new key. What it answers then (``unknown_key``) loses nothing: the same
records go to it signed by the former key, which stays known for ever, until it takes the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

UNKNOWN_KEY = "unknown_key"


class Signer(NamedTuple):
    """Whose records: ``sign`` gives the 64-byte Ed25519 signature of its argument."""

    agent_id: bytes
    key_no: int
    sign: Callable[[bytes], bytes]


class Signers:
    """One or more signers of one agent. ``on_taken`` is told the number of the key when records signed by the newest
    were taken for the first time.
    """

    def __init__(self, signers: Sequence[Signer], on_taken: Callable[[int], None] = lambda _: None) -> None:
        self._signers = list(signers)
        self._on_taken = on_taken
        self._is_told = len(self._signers) < 2

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

    def note_taken(self, place: int) -> None:
        if place == 0 and not self._is_told:
            self._is_told = True
            self._on_taken(self._signers[0].key_no)
