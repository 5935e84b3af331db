"""What the C library's allocator keeps of freed memory, told once before there are threads.

By itself glibc gives each thread a heap of its own, and puts ever larger pieces on them that never go back: a scrape and a
rule's arrays stay in the process for ever. Larger pieces are the system's here, and are given back to it.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""``mallopt(3)``."""
HEAPS = 2
LARGE_BYTES, SPARE_BYTES = 1 << 20, 8 << 20


def keep_little() -> bool:
    """False where the C library has no such settings."""
    set_to = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_to is None:
        return False
    for what, value in ((_ARENA_MAX, HEAPS), (_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, SPARE_BYTES)):
        set_to(what, value)
    return True
