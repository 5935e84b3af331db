"""Is the clock steered, and how far may it be off? adjtimex(2) of this machine's kernel.

``node_timex_sync_status`` is 1 while something (chronyd, ntpd, timesyncd) keeps the clock synchronised. A machine
behind SSH cannot be asked: no file or common program tells the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.kernel import ClockDiscipline, kernel_of
from agent.checks.labels import NONE

NOT_SYNCHRONISED = 5
"""adjtimex's return value TIME_ERROR."""
IN_NANOSECONDS = 0x2000
"""Status bit STA_NANO: offset and jitter are in ns, else in µs."""
FREQUENCY_UNIT = 65_536 * 1_000_000
"""Frequencies are parts per million with 16 binary places."""


def parse_discipline(clock: ClockDiscipline) -> Iterator[Sample]:
    fraction = 1e9 if clock.status & IN_NANOSECONDS else 1e6
    gauges = (
        ("offset_seconds", clock.offset / fraction),
        ("frequency_adjustment_ratio", 1 + clock.frequency / FREQUENCY_UNIT),
        ("maxerror_seconds", clock.maxerror / 1e6),
        ("estimated_error_seconds", clock.esterror / 1e6),
        ("status", clock.status),
        ("loop_time_constant", clock.constant),
        ("tick_seconds", clock.tick / 1e6),
        ("pps_frequency_hertz", clock.pps_frequency / FREQUENCY_UNIT),
        ("pps_jitter_seconds", clock.jitter / fraction),
        ("pps_shift_seconds", clock.shift),
        ("pps_stability_hertz", clock.stability / FREQUENCY_UNIT),
        ("tai_offset_seconds", clock.tai),
        ("sync_status", 0 if clock.state == NOT_SYNCHRONISED else 1),
    )
    counters = (
        ("pps_jitter_total", clock.jitter_count),
        ("pps_calibration_total", clock.calibration_count),
        ("pps_error_total", clock.error_count),
        ("pps_stability_exceeded_total", clock.stability_count),
    )
    for type_, rows in ((GAUGE, gauges), (COUNTER, counters)):
        for name, value in rows:
            yield Sample(f"node_timex_{name}", type_, NONE, value)


def collect(host: Host) -> Iterator[Sample]:
    kernel = kernel_of(host)
    if kernel is None:
        raise NoData("the kernel's clock can only be asked on the machine itself")
    return parse_discipline(kernel.adjtimex())


CHECK = Check("timex", collect)
