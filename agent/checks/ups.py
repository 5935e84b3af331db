"""Is there mains power, and how long does the battery last? NUT's own client tells, here or behind SSH::

    $ upsc -l localhost:3493
    rack1
    $ upsc rack1@localhost:3493
    battery.charge: 87
    battery.runtime: 1260
    input.voltage: 0.0
    ups.load: 23
    ups.status: OB DISCHRG

Series are nut_exporter's: ``network_ups_tools_battery_charge`` and so on for every variable that is a number, and
``network_ups_tools_ups_status{flag="OB"}`` 0 or 1. Looked at often, because after the mains go the rest may not take long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.checks.base import CRITICAL, OK, WARNING, Check, CheckFailed, Host, NoData, Result, State, gauge

SERVER = "localhost:3493"
INTERVAL_SECONDS = 5.0
PREFIX = "network_ups_tools_"
FLAGS = ("OL", "OB", "LB", "HB", "RB", "CHRG", "DISCHRG", "BYPASS", "CAL", "OFF", "OVER", "TRIM", "BOOST", "FSD")
WORDS = {
    "FSD": (CRITICAL, "is shutting down what it feeds"),
    "LB": (CRITICAL, "battery is nearly empty"),
    "OB": (CRITICAL, "mains lost, on battery"),
    "OFF": (CRITICAL, "is switched off"),
    "OVER": (WARNING, "is overloaded"),
    "RB": (WARNING, "battery must be replaced"),
    "BYPASS": (WARNING, "runs on bypass: the load is not protected"),
}
"""The worst first."""


def parse_variables(text: str) -> dict[str, str]:
    """``name: value`` lines."""
    pairs = (line.partition(": ") for line in text.splitlines() if ": " in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def judge(name: str, variables: Mapping[str, str]) -> State:
    flags = variables.get("ups.status", "").split()
    told = ", ".join(_rest(variables))
    for flag, (state, words) in WORDS.items():
        if flag in flags:
            return State(f"ups:{name}", state, f"{words}{told and f' ({told})'}")
    if "OL" in flags:
        return State(f"ups:{name}", OK, f"on mains{told and f' ({told})'}")
    raise CheckFailed(f"UPS {name} has status {' '.join(flags) or 'none'}: expected OL or OB among it")


def _rest(variables: Mapping[str, str]) -> Iterator[str]:
    if charge := variables.get("battery.charge"):
        yield f"charge {charge} %"
    try:
        yield f"{float(variables['battery.runtime']) / 60:.0f} min left"
    except (KeyError, ValueError):
        return


def samples_of(name: str, variables: Mapping[str, str]) -> Iterator[Result]:
    for variable, value in variables.items():
        try:
            number = float(value)
        except ValueError:
            continue
        if not variable.startswith("driver."):
            yield gauge(PREFIX + variable.replace(".", "_").replace("-", "_"), number, ups=name)
    flags = variables.get("ups.status", "").split()
    for flag in FLAGS:
        yield gauge(f"{PREFIX}ups_status", flag in flags, ups=name, flag=flag)


def ups_check(server: str = SERVER) -> Check:
    """A check ``ups`` over every UPS that the NUT server at ``server`` (host:port) knows."""

    def collect(host: Host) -> Iterator[Result]:
        listed = host.run(["upsc", "-l", server])
        if listed.exit_code != 0:
            raise CheckFailed(f"NUT server {server}: {_error(listed.stderr)}; does upsd run there?")
        names = listed.stdout.split()
        if not names:
            raise NoData(f"NUT server {server} has no UPS")
        for name in names:
            told = host.run(["upsc", f"{name}@{server}"])
            if told.exit_code != 0:
                raise CheckFailed(f"UPS {name}@{server}: {_error(told.stderr)}")
            variables = parse_variables(told.stdout)
            yield from samples_of(name, variables)
            yield judge(name, variables)

    return Check("ups", collect, INTERVAL_SECONDS)


def _error(text: str) -> str:
    """The last line: the one before it is about missing TLS, each time."""
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else "no answer"
