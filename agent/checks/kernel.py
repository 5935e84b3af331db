"""What a check needs from this machine's kernel that no file tells: statvfs, adjtimex and the zone of the wall clock.

A port, so that tests can be another machine. A remote host has no kernel to call; checks then do without.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from agent.checks.base import FilesystemSpace, Host, NoData


class ClockDiscipline(NamedTuple):
    """struct timex of adjtimex(2), raw: units as the kernel gives them; ``state`` is the return value (5 = not synchronised)."""

    state: int
    offset: int
    frequency: int
    maxerror: int
    esterror: int
    status: int
    constant: int
    tick: int
    pps_frequency: int
    jitter: int
    shift: int
    stability: int
    jitter_count: int
    calibration_count: int
    error_count: int
    stability_count: int
    tai: int


class Kernel(Protocol):
    def page_bytes(self) -> int: ...

    def machine(self) -> str:
        """``x86_64``, as ``uname -m`` says."""

    def statvfs(self, path: str) -> FilesystemSpace:
        """Raises OSError."""

    def adjtimex(self) -> ClockDiscipline:
        """Raises NoData where the C library has no such call."""

    def time_zone(self, now: float) -> tuple[str, int]:
        """Name of the local zone at an instant, and its offset east of UTC in seconds."""


class SystemKernel:
    def page_bytes(self) -> int:
        return os.sysconf("SC_PAGE_SIZE")

    def machine(self) -> str:
        return os.uname().machine

    def statvfs(self, path: str) -> FilesystemSpace:
        space = os.statvfs(path)
        unit = space.f_frsize or space.f_bsize
        return FilesystemSpace(
            size_bytes=space.f_blocks * unit,
            free_bytes=space.f_bfree * unit,
            avail_bytes=space.f_bavail * unit,
            files=space.f_files,
            files_free=space.f_ffree,
            is_read_only=bool(space.f_flag & os.ST_RDONLY),
        )

    def adjtimex(self) -> ClockDiscipline:
        call, structure = _adjtimex()
        timex = structure()
        state = call(timex)
        if state < 0:
            raise NoData("adjtimex is refused here (a container without the call?)")
        return ClockDiscipline(state, *(getattr(timex, name) for name in _FIELDS))

    def time_zone(self, now: float) -> tuple[str, int]:
        import time

        local = time.localtime(now)
        return local.tm_zone, local.tm_gmtoff


def kernel_of(host: Host) -> Kernel | None:
    """The kernel behind a host that is this machine; None where only files and programs can be reached."""
    kernel: Kernel | None = getattr(host, "kernel", None)
    return kernel


_FIELDS = (
    *("offset", "freq", "maxerror", "esterror", "status", "constant", "tick", "ppsfreq", "jitter", "shift"),
    *("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt", "tai"),
)


@lru_cache(maxsize=1)
def _adjtimex() -> tuple[Any, Any]:
    """The libc function and its structure (linux/timex.h); ctypes is loaded only once someone asks."""
    import ctypes
    from ctypes import c_int, c_long, c_uint

    class Timex(ctypes.Structure):
        _fields_ = (
            ("modes", c_uint),
            *((name, c_long) for name in ("offset", "freq", "maxerror", "esterror")),
            ("status", c_int),
            *((name, c_long) for name in ("constant", "precision", "tolerance", "seconds", "microseconds", "tick")),
            *((name, c_long) for name in ("ppsfreq", "jitter")),
            ("shift", c_int),
            *((name, c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
            ("tai", c_int),
            ("reserved", c_int * 11),
        )

    try:
        call = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError) as error:
        raise NoData("the C library has no adjtimex") from error
    call.argtypes = [ctypes.POINTER(Timex)]
    call.restype = c_int
    return call, Timex
