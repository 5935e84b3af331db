"""Wrong bytes from right ones: cut, flip, repeat, join, and lie about lengths; every step drawn from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

KEPT = Path(__file__).parent / "kept"
"""Inputs that once broke something, one a file, named by their target; they are tried first for ever."""

BIG = (0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32 - 1, 2**53, 2**63, 2**64 - 1, -1, -(2**63))
LONGEST_WORD = 100_000
"""Longer than any limit on a word; without an end, words grown from grown words would fill the memory themselves."""
WORDS = (b"\x00", b"\xff" * 4, b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x93" * 40, b"[" * 400)


def kept(target: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(KEPT.glob(f"{target}-*.bin"))]


def cases(seed: int, corpus: Sequence[bytes]) -> Iterator[bytes]:
    """The corpus as it is, then mutations of it without end."""
    yield from corpus
    chance = random.Random(seed)
    while True:
        data = bytearray(chance.choice(corpus))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _mutate(data, chance, corpus)
        yield bytes(data)


def _mutate(data: bytearray, chance: random.Random, corpus: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 2, 4, 8, 32, 256)))
    what = chance.randrange(9)
    if what == 0 and data:
        data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)
    elif what == 1:
        del data[at:end]
    elif what == 2:
        del data[at:]
    elif what == 3:
        data[at:at] = data[at:end] * chance.choice((1, 2, 50))
    elif what == 4:
        data[at:end] = chance.randbytes(end - at)
    elif what == 5:
        data[at:at] = chance.choice(WORDS)
    elif what == 6:
        number = chance.choice(BIG) & (2**64 - 1)
        data[at : at + 8] = number.to_bytes(8, chance.choice(("little", "big")))
    elif what == 7:
        other = chance.choice(corpus)
        data[at:] = other[chance.randrange(len(other) + 1) :]
    else:
        other = chance.choice(corpus)
        cut = chance.randrange(len(other) + 1)
        data[at:at] = other[cut : cut + 64]


def trees(seed: int, corpus: Sequence[Any]) -> Iterator[Any]:
    """The same for what MessagePack holds: values of the wrong kind, size and place, in a tree of the right shape."""
    yield from corpus
    chance = random.Random(seed)
    while True:
        tree = msgspec.msgpack.decode(msgspec.msgpack.encode(chance.choice(corpus)))
        for _ in range(chance.choice((1, 1, 2, 4))):
            tree = _grafted(tree, chance)
        yield tree


def _grafted(tree: Any, chance: random.Random) -> Any:
    if isinstance(tree, list) and tree and chance.random() < 0.85:
        at = chance.randrange(len(tree))
        what = chance.randrange(8)
        if what == 0:
            del tree[at]
        elif what == 1:
            tree.insert(at, tree[chance.randrange(len(tree))])
        else:
            tree[at] = _grafted(tree[at], chance)
        return tree
    if isinstance(tree, dict) and tree and chance.random() < 0.7:
        key = chance.choice(list(tree))
        tree[key] = _grafted(tree[key], chance)
        return tree
    if isinstance(tree, bytes) and tree and chance.random() < 0.6:
        data = bytearray(tree)
        _mutate(data, chance, [tree])
        return bytes(data)
    if isinstance(tree, str) and chance.random() < 0.6:
        return chance.choice(
            ((tree * 300)[:LONGEST_WORD], tree[:-1], tree + "\0", tree + '"\n', "__" + tree, "bongsu_" + tree, "\ud7ff")
        )
    return chance.choice((*BIG, None, True, 1.5, float("nan"), "", "x", b"", b"\x00" * 16, [], {}, [[[]]], {"a": [1]}))
