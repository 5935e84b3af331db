"""Which systemd units run, and which have failed?

``systemctl list-units --all --plain --no-legend --full``, unit, load, active, sub state and description::

    ssh.service                loaded    active   running OpenBSD Secure Shell server
    postfix.service            not-found inactive dead    postfix.service
    backup.service             loaded    failed   failed  Nightly backup

``node_systemd_unit_state`` is node_exporter's: each loaded unit once per state, 1 for the one it is in. Scopes, slices,
devices, mounts and targets are left out as there. The service type would cost a second program and stays empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from agent.checks.base import CRITICAL, GAUGE, OK, Check, CheckFailed, Host, NoData, Result, Sample, State
from agent.checks.labels import NONE, labels

ARGV = ("systemctl", "list-units", "--all", "--plain", "--no-legend", "--full", "--no-pager")
RUNS_HERE = "/run/systemd/system"
STATES = ("activating", "active", "deactivating", "failed", "inactive")
EXCLUDED = (".automount", ".device", ".mount", ".scope", ".slice", ".target")
INTERVAL_SECONDS = 30.0


class Unit(NamedTuple):
    name: str
    load: str
    active: str
    sub: str


def parse_units(text: str) -> list[Unit]:
    """Raises CheckFailed at a line with fewer than four columns. Lines of failed units may begin with a mark."""
    units = []
    for line in text.splitlines():
        parts = line.lstrip("●*× ").split(None, 4)
        if not parts:
            continue
        if len(parts) < 4:
            raise CheckFailed(f"systemctl list-units: {line[:80]!r}: expected unit, load, active and sub state")
        units.append(Unit(*parts[:4]))
    return units


def unit_samples(units: Sequence[Unit]) -> Iterator[Sample]:
    counts = Counter(unit.active for unit in units)
    for state in STATES:
        yield Sample("node_systemd_units", GAUGE, labels("state", state), counts[state])
    for unit in units:
        if unit.load != "loaded" or unit.name.endswith(EXCLUDED):
            continue
        for state in STATES:
            where = labels("name", unit.name, "state", state, "type", "")
            yield Sample("node_systemd_unit_state", GAUGE, where, 1 if unit.active == state else 0)


def judge(units: Sequence[Unit], watched: Sequence[str]) -> Iterator[State]:
    """``systemd`` says whether any unit has failed; a watched unit has a state of its own and must be active."""
    failed = [unit.name for unit in units if unit.active == "failed"]
    if failed:
        yield State("systemd", CRITICAL, f"failed: {', '.join(failed[:10])}; look with systemctl status {failed[0]}")
    else:
        yield State("systemd", OK, f"{len(units)} units, none failed")
    known = {unit.name: unit for unit in units}
    for name in watched:
        unit = known.get(name)
        if unit is not None and unit.active == "active":
            yield State(f"systemd:{name}", OK, unit.sub)
        else:
            found = "not loaded" if unit is None or unit.load == "not-found" else f"{unit.active} ({unit.sub})"
            yield State(f"systemd:{name}", CRITICAL, f"{name} is {found}, expected active")


def systemd_check(watched: Sequence[str] = ()) -> Check:
    """The check of a host with the units it must have running (``nginx.service``)."""
    return Check("systemd", _collector(tuple(watched)), interval_seconds=INTERVAL_SECONDS)


def _collector(watched: tuple[str, ...]) -> Callable[[Host], Iterator[Result]]:
    def collect(host: Host) -> Iterator[Result]:
        if not host.list(RUNS_HERE):
            raise NoData("systemd does not run here")
        answer = host.run(ARGV)
        if answer.exit_code != 0:
            reason = answer.stderr.strip() or "no reason given"
            raise CheckFailed(f"systemctl list-units ended with {answer.exit_code}: {reason[:200]}")
        units = parse_units(answer.stdout)
        running = 1 if all(unit.active != "failed" for unit in units) else 0
        yield Sample("node_systemd_system_running", GAUGE, NONE, running)
        yield from unit_samples(units)
        yield from judge(units, watched)

    return collect


CHECK = systemd_check()
