"""How much energy did the processor packages use?

/sys/class/powercap/intel-rapl:0 (Documentation/power/powercap/powercap.rst), microjoules, readable by root only::

    name: package-0   energy_uj: 329378641785
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole

PATTERNS = ("/sys/class/powercap/*/name", "/sys/class/powercap/*/energy_uj")


def parse_zones(files: dict[str, str]) -> Iterator[Sample]:
    """A name that ends in a number is a numbered zone; others are numbered in the order of their paths."""
    seen: dict[str, int] = {}
    for path, text in files.items():
        if not path.endswith("/name"):
            continue
        folder = path.removesuffix("/name")
        name, dash, index = text.strip().rpartition("-")
        if not dash or not index.isdigit():
            name = text.strip()
            index = str(seen.get(name, 0))
        seen[name] = seen.get(name, 0) + 1
        energy = whole(files.get(f"{folder}/energy_uj", ""))
        if energy is not None:
            metric = "".join(letter if letter.isalnum() else "_" for letter in name)
            where = labels("index", index, "path", folder)
            yield Sample(f"node_rapl_{metric}_joules_total", COUNTER, where, energy / 1_000_000)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not any(path.endswith("/energy_uj") for path in files):
        raise NoData("no energy counter can be read here (only root may, and virtual machines have none)")
    yield from parse_zones(files)


CHECK = Check("rapl", collect)
