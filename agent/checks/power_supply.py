"""Is there mains power, and what is in the battery?

/sys/class/power_supply/BAT0 (Documentation/ABI/testing/sysfs-class-power), in millionths of volts, amperes, watts and
their hours, tenths of a degree::

    type: Battery   status: Full   capacity: 98   voltage_now: 16753730   energy_now: 67746500   temp: 231
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import number, words

FOLDER = "/sys/class/power_supply/"
PLAIN = {
    **{name: name for name in ("authentic", "calibrate", "capacity", "capacity_alert_max", "capacity_alert_min")},
    **{"cycle_count": "cyclecount", "online": "online", "present": "present"},
    **{"time_to_empty_now": "time_to_empty_seconds", "time_to_full_now": "time_to_full_seconds"},
}
MILLIONTHS = {
    **{
        name: name
        for name in words(
            "current_boot current_max energy_empty energy_empty_design energy_full energy_full_design voltage_boot"
            " voltage_max voltage_max_design voltage_min voltage_min_design voltage_ocv charge_control_limit"
            " charge_control_limit_max charge_counter charge_empty charge_empty_design charge_full charge_full_design"
            " charge_term_current constant_charge_current constant_charge_current_max constant_charge_voltage"
            " constant_charge_voltage_max precharge_current input_current_limit"
        )
    },
    **{"current_now": "current_ampere", "energy_now": "energy_watthour", "voltage_now": "voltage_volt"},
    **{"charge_now": "charge_ampere", "power_now": "power_watt"},
}
TENTHS = {
    file: f"{file}_celsius"
    for file in words(
        "temp temp_alert_max temp_alert_min temp_ambient temp_ambient_max temp_ambient_min temp_max temp_min"
    )
}
TEXTS = words(
    "capacity_level charge_type health manufacturer model_name scope serial_number status technology type usb_type"
)
PATTERNS = tuple(f"{FOLDER}*/{file}" for file in (*PLAIN, *MILLIONTHS, *TENTHS, *TEXTS))


@lru_cache(maxsize=256)
def _metric(file: str) -> tuple[str, float] | None:
    for names, divisor in ((PLAIN, 1.0), (MILLIONTHS, 1e6), (TENTHS, 10.0)):
        if file in names:
            return f"node_power_supply_{names[file]}", divisor
    return None


def parse_supplies(files: dict[str, str]) -> Iterator[Sample]:
    texts: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        supply, _, file = path.removeprefix(FOLDER).partition("/")
        facts = texts.setdefault(supply, {"power_supply": supply})
        found = _metric(file)
        if found is None:
            if text.strip():
                facts[file] = text.strip()
            continue
        value = number(text)
        if value is not None:
            yield Sample(found[0], GAUGE, labels("power_supply", supply), value / found[1])
    for facts in texts.values():
        pairs = [part for name in sorted(facts) for part in (name, facts[name])]
        yield Sample("node_power_supply_info", GAUGE, labels(*pairs), 1)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no battery and no mains sensor is known here")
    yield from parse_supplies(files)


CHECK = Check("power_supply", collect)
