"""What time is it there, in which zone, and which clock source counts it?

/sys/devices/system/clocksource/clocksource0/available_clocksource and current_clocksource::

    tsc kvm-clock
    tsc

The zone comes from the C library of this machine, or from ``date +%Z%z`` of another one (``KST+0900``).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, CheckFailed, Host, Sample
from agent.checks.kernel import kernel_of
from agent.checks.labels import NONE, labels
from agent.checks.reading import whole

SOURCES = "/sys/devices/system/clocksource/clocksource*/"


def parse_zone(text: str) -> tuple[str, int]:
    """``KST+0900`` -> ("KST", 32400). Raises CheckFailed."""
    name, digits = text.strip()[:-5], text.strip()[-5:]
    hours, minutes = whole(digits[1:3]), whole(digits[3:])
    if digits[:1] not in ("+", "-") or hours is None or minutes is None:
        raise CheckFailed(f"date +%Z%z: {text.strip()[:40]!r}: expected a zone and an offset such as KST+0900")
    seconds = hours * 3600 + minutes * 60
    return name, -seconds if digits[0] == "-" else seconds


def collect(host: Host) -> Iterator[Sample]:
    now = host.now()
    yield Sample("node_time_seconds", GAUGE, NONE, now)
    kernel = kernel_of(host)
    zone, offset = kernel.time_zone(now) if kernel else parse_zone(host.run(["date", "+%Z%z"]).stdout)
    yield Sample("node_time_zone_offset_seconds", GAUGE, labels("time_zone", zone), offset)
    for path, text in host.read_tree(SOURCES + "available_clocksource", SOURCES + "current_clocksource").items():
        folder, _, file = path.rpartition("/")
        device = folder.rpartition("clocksource")[2]
        name = f"node_time_clocksource_{file.partition('_')[0]}_info"
        for source in text.split():
            yield Sample(name, GAUGE, labels("clocksource", source, "device", device), 1)


CHECK = Check("time", collect)
