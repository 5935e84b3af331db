"""At which frequency does each processor run, and between which bounds?

/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq and its neighbours, in kHz (Documentation/admin-guide/pm/cpufreq.rst)::

    2328973
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole

FILES = {
    "cpuinfo_cur_freq": "node_cpu_frequency_hertz",
    "cpuinfo_min_freq": "node_cpu_frequency_min_hertz",
    "cpuinfo_max_freq": "node_cpu_frequency_max_hertz",
    "scaling_cur_freq": "node_cpu_scaling_frequency_hertz",
    "scaling_min_freq": "node_cpu_scaling_frequency_min_hertz",
    "scaling_max_freq": "node_cpu_scaling_frequency_max_hertz",
}
PATTERN = "/sys/devices/system/cpu/cpu*/cpufreq/*_freq"


def parse_frequencies(files: dict[str, str]) -> Iterator[Sample]:
    """One sample per readable file; kHz become Hz."""
    for path, text in files.items():
        folder, _, file = path.rpartition("/")
        name = FILES.get(file)
        kilohertz = whole(text)
        if name is not None and kilohertz is not None:
            cpu = folder.split("/")[5].removeprefix("cpu")
            yield Sample(name, GAUGE, labels("cpu", cpu), kilohertz * 1000)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(PATTERN)
    if not files:
        raise NoData("no processor here has a frequency driver")
    yield from parse_frequencies(files)


CHECK = Check("cpufreq", collect)
