"""The audit log as a chain: each row's hash covers the hash before it, so that a row edited, removed or put in is found.

Hash = SHA-256 over prefix, the hash before, and the row as compact JSON ``[seq, at_ms, actor, action, subject, data]``
with sorted keys. The first row follows 32 zero bytes. Whoever can write the database could make a whole new chain; that,
and a chain whose end was cut off, is found by its *heads*: how far it had come, signed hour by hour with the collector's
key, which is in no database, and also kept in a file. A *cut* is signed the same way and says up to where retention let
old rows go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from agent.link.keys import is_signed

ROW_PREFIX = b"bongsu-audit-row-1\0"
HEAD_PREFIX = b"bongsu-audit-head-1\0"
START = bytes(32)
HEAD = "head"
CUT = "cut"


class Row(NamedTuple):
    seq: int
    at_ms: int
    actor: str
    action: str
    subject: str
    data: Mapping[str, Any]
    previous: bytes
    hash: bytes


class Head(NamedTuple):
    """``hash`` of row ``seq``; ``kind`` head or cut."""

    kind: str
    seq: int
    at_ms: int
    hash: bytes
    signature: bytes


class Fault(NamedTuple):
    """``what``: edited, missing, inserted, rewritten, unsigned; ``seq`` the first row it is about."""

    what: str
    seq: int
    text: str


def row_hash(previous: bytes, seq: int, at_ms: int, actor: str, action: str, subject: str, data: Any) -> bytes:
    row = json.dumps(
        [seq, at_ms, actor, action, subject, data], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(ROW_PREFIX + previous + row.encode()).digest()


def head_message(kind: str, seq: int, at_ms: int, digest: bytes) -> bytes:
    return HEAD_PREFIX + json.dumps([kind, seq, at_ms, digest.hex()], separators=(",", ":")).encode()


def sign_head(kind: str, seq: int, at_ms: int, digest: bytes, sign: Callable[[bytes], bytes]) -> Head:
    return Head(kind, seq, at_ms, digest, sign(head_message(kind, seq, at_ms, digest)))


def faults(rows: Iterable[Row], heads: Iterable[Head], tip: tuple[int, bytes], public: bytes) -> Iterator[Fault]:
    """What is wrong with the chain, in its order; nothing where it is whole. ``tip`` = what the log says its end is."""
    signed: list[Head] = []
    for head in sorted(set(heads), key=lambda head: (head.seq, head.kind)):
        if is_signed(head_message(*head[:4]), head.signature, public):
            signed.append(head)
        else:
            text = f"the {head.kind} at row {head.seq} is not signed by this collector's key"
            yield Fault("unsigned", head.seq, text)
    start = max((head for head in signed if head.kind == CUT), default=None, key=lambda head: head.seq)
    seq, before = (start.seq, start.hash) if start is not None else (0, START)
    wanted = {head.seq: head for head in signed if head.kind == HEAD and head.seq > seq}
    for row in rows:
        if row.seq <= seq:
            yield Fault(
                "inserted", row.seq, f"row {row.seq} stands where there was none: retention had let go up to {seq}"
            )
            continue
        if row.seq > seq + 1:
            yield _missing(seq + 1, row.seq - 1)
        elif row.previous != before:
            text = f"row {row.seq} does not follow row {seq}: row {seq} was changed, or row {row.seq} was put in"
            yield Fault("inserted", row.seq, text)
        if row.hash != row_hash(row.previous, *row[:6]):
            yield Fault("edited", row.seq, f"row {row.seq} was edited: its content is not what its hash was made of")
        at_row = wanted.pop(row.seq, None)
        if at_row is not None and at_row.hash != row.hash:
            yield Fault(
                "rewritten", row.seq, f"row {row.seq} is not the one that was signed: the log was made anew up to it"
            )
        seq, before = row.seq, row.hash
    last = max([tip[0], *wanted])
    if last > seq:
        yield _missing(seq + 1, last)
    elif tip != (seq, before):
        yield Fault("inserted", tip[0] + 1, f"the log ends at row {seq}, but its last known row is {tip[0]}")


def _missing(first: int, last: int) -> Fault:
    which = f"row {first} is" if first == last else f"rows {first} to {last} are"
    return Fault("missing", first, f"{which} missing")
