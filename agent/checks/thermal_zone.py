"""How warm are the thermal zones, and how hard do the coolers work?

/sys/class/thermal (Documentation/driver-api/thermal/sysfs-api.rst), temperatures in thousandths of a degree Celsius::

    thermal_zone0/type: x86_pkg_temp   thermal_zone0/temp: 44000
    cooling_device0/type: Processor    cur_state: 0   max_state: 3
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole

FOLDER = "/sys/class/thermal/"
PATTERNS = (
    FOLDER + "thermal_zone*/type",
    FOLDER + "thermal_zone*/temp",
    FOLDER + "cooling_device*/type",
    FOLDER + "cooling_device*/cur_state",
    FOLDER + "cooling_device*/max_state",
)


def parse_thermal(files: dict[str, str]) -> Iterator[Sample]:
    devices: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        device, _, file = path.removeprefix(FOLDER).partition("/")
        devices.setdefault(device, {})[file] = text.strip()
    for device, facts in devices.items():
        type_ = facts.get("type", "")
        if device.startswith("thermal_zone"):
            temperature = whole(facts.get("temp", ""))
            if temperature is not None:
                where = labels("type", type_, "zone", device.removeprefix("thermal_zone"))
                yield Sample("node_thermal_zone_temp", GAUGE, where, temperature / 1000)
            continue
        where = labels("name", device.removeprefix("cooling_device"), "type", type_)
        for file in ("cur_state", "max_state"):
            state = whole(facts.get(file, ""))
            if state is not None:
                yield Sample(f"node_cooling_device_{file}", GAUGE, where, state)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no thermal zone or cooler is known here")
    yield from parse_thermal(files)


CHECK = Check("thermal_zone", collect)
