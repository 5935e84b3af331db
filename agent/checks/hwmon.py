"""What do the sensors of the board say: temperature, fans, voltages, power?

/sys/class/hwmon/hwmon0 (Documentation/hwmon/sysfs-interface.rst): ``name`` says the chip, ``temp1_label`` the sensor
and ``temp1_input`` the value, in thousandths of the unit::

    name: coretemp   temp1_label: Package id 0   temp1_input: 43000   temp1_max: 80000   fan1_input: 1500
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import number

FOLDER = "/sys/class/hwmon/"
TYPES = (
    "beep_enable",
    "cpu",
    "curr",
    "energy",
    "fan",
    "freq",
    "humidity",
    "in",
    "intrusion",
    "power",
    "pwm",
    "temp",
    "update_interval",
    "vrm",
)
PATTERNS = tuple(f"{FOLDER}*/{name}*" for name in ("name", *TYPES)) + tuple(
    f"{FOLDER}*/device/{name}*" for name in TYPES
)
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789:_")
Sensors = dict[tuple[str, str], dict[str, str]]
"""Elements (``input``, ``max``, ``label``) by (type, sensor)."""


def clean(text: str) -> str:
    """As part of a metric or label: lower case, ``_`` for anything else, none at the ends."""
    return "".join(letter if letter in LETTERS else "_" for letter in text.strip().lower()).strip("_")


@lru_cache(maxsize=4096)
def split_name(file: str) -> tuple[str, str, str] | None:
    """``temp1_crit_alarm`` -> ("temp", "temp1", "crit_alarm"); None for files that are no sensor."""
    if file in ("beep_enable", "update_interval", "vrm"):
        return file, file + "0", ""
    head, _, element = file.partition("_")
    type_ = head.rstrip("0123456789")
    return (type_, head, element) if type_ in TYPES and type_ != head else None


@lru_cache(maxsize=4096)
def metric(type_: str, element: str, has_plain: bool) -> tuple[str, int, float]:
    """Name, type and factor for one element of a sensor; ``has_plain`` says that the sensor also has a file without element."""
    name = f"node_hwmon_{type_}"
    if element == "input":
        name += "_input" if has_plain else ""
    elif element:
        name += "_" + clean(element)
    if element in ("fault", "alarm"):
        return name, GAUGE, 1
    if element == "beep":
        return name + "_enabled", GAUGE, 1
    match type_:
        case "in" | "cpu":
            return name + "_volts", GAUGE, 1e-3
        case "temp" if element != "type":
            return name + "_celsius", GAUGE, 1e-3
        case "curr":
            return name + "_amps", GAUGE, 1e-3
        case "energy":
            return name + "_joule_total", COUNTER, 1e-6
        case "power" if element == "accuracy":
            return name, GAUGE, 1e-6
        case "power" if element.startswith("average_interval"):
            return name + "_seconds", GAUGE, 1e-3
        case "power":
            return name + "_watt", GAUGE, 1e-6
        case "humidity":
            return name, GAUGE, 1e-6
        case "fan" if element in ("input", "min", "max", "target"):
            return name + "_rpm", GAUGE, 1
        case "freq":
            return name + "_freq_mhz", GAUGE, 1e-6
    return name, GAUGE, 1


SINGLE = {
    "beep_enable": ("node_hwmon_beep_enabled", 1.0),
    "update_interval": ("node_hwmon_update_interval_seconds", 1e-3),
    "vrm": ("node_hwmon_voltage_regulator_version", 1.0),
}


def parse_chip(chip: str, sensors: Sensors) -> Iterator[Sample]:
    """Samples of one chip; a sensor's label becomes a fact of its own, so that the sensor keeps its name."""
    for (type_, sensor), elements in sensors.items():
        where = labels("chip", chip, "sensor", sensor)
        if label := elements.get("label", "").strip("\n"):
            yield Sample("node_hwmon_sensor_label", GAUGE, labels("chip", chip, "label", label, "sensor", sensor), 1)
        for element, text in elements.items():
            value = number(text)
            if element == "label" or value is None:
                continue
            if type_ in SINGLE:
                name, factor = SINGLE[type_]
                kind = GAUGE
            else:
                name, kind, factor = metric(type_, element, "" in elements)
            yield Sample(name, kind, where, value * factor)


def chip_name(host: Host, folder: str, name: str) -> str:
    """Stable over restarts: bus and device where the device is known, else the driver's name, else hwmonN."""
    try:
        place = host.link(FOLDER + folder).split("/")
    except OSError:
        place = []
    place = place[: -2 if place[-2:-1] == ["hwmon"] else -1]
    if len(place) < 2 or place[-1] == "virtual":
        return clean(name) or folder
    return "_".join(part for part in (clean(place[-2]), clean(place[-1])) if part) or folder


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no sensor driver is loaded")
    chips: dict[str, tuple[str, Sensors]] = {}
    for path, text in files.items():
        folder, _, file = path.removeprefix(FOLDER).partition("/")
        name, sensors = chips.setdefault(folder, ("", {}))
        if file == "name":
            chips[folder] = (text.strip(), sensors)
            continue
        split = split_name(file.removeprefix("device/"))
        if split is not None:
            type_, sensor, element = split
            sensors.setdefault((type_, sensor), {})[element] = text
    for folder, (name, sensors) in chips.items():
        chip = chip_name(host, folder, name)
        if name:
            yield Sample("node_hwmon_chip_names", GAUGE, labels("chip", chip, "chip_name", clean(name)), 1)
        yield from parse_chip(chip, sensors)


CHECK = Check("hwmon", collect)
