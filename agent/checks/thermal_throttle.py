"""Were processors slowed down because they were too hot?

/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count and package_throttle_count (x86 hardware only), with
topology/core_id and topology/physical_package_id to know which core and package that is::

    5
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, Labels, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole

FOLDER = "/sys/devices/system/cpu/cpu*/"


def parse_throttles(counts: dict[str, str], topology: dict[str, str]) -> Iterator[Sample]:
    """Each core and each package once: their hyper-threads all show the same count."""
    seen: set[Labels] = set()
    for path, text in counts.items():
        folder, _, file = path.partition("/thermal_throttle/")
        package = topology.get(f"{folder}/topology/physical_package_id", "").strip()
        core = topology.get(f"{folder}/topology/core_id", "").strip()
        count = whole(text)
        if not package or not core or count is None:
            continue
        if file == "core_throttle_count":
            name, where = "node_cpu_core_throttles_total", labels("core", core, "package", package)
        else:
            name, where = "node_cpu_package_throttles_total", labels("package", package)
        if where not in seen:
            seen.add(where)
            yield Sample(name, COUNTER, where, count)


def collect(host: Host) -> Iterator[Sample]:
    counts = host.read_tree(
        FOLDER + "thermal_throttle/core_throttle_count", FOLDER + "thermal_throttle/package_throttle_count"
    )
    if not counts:
        raise NoData("no processor here counts thermal throttling")
    yield from parse_throttles(
        counts, host.read_tree(FOLDER + "topology/core_id", FOLDER + "topology/physical_package_id")
    )


CHECK = Check("thermal_throttle", collect)
