"""Label tuples, made once: a report looks the same series up each round, and equal tuples that are one object hash and compare fast."""

from __future__ import annotations

from functools import lru_cache

from agent.checks.base import Labels

NONE: Labels = ()


@lru_cache(maxsize=16_384)
def labels(*names_and_values: str) -> Labels:
    """``labels("cpu", "0", "mode", "idle")`` -> ``(("cpu", "0"), ("mode", "idle"))``, the same object each time."""
    pairs = iter(names_and_values)
    return tuple(zip(pairs, pairs, strict=True))
