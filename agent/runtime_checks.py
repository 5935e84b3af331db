"""Which checks a host gets: the default ones as the configuration chose, watched processes, units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.checks.base import Check
from agent.checks.table import DEFAULT, load
from agent.config import AgentConfig
from agent.link.clock import Clock, SystemClock

if TYPE_CHECKING:
    from agent.probing import Probing
    from agent.remote.targets import Target


def local_checks(config: AgentConfig) -> list[Check]:
    checks = [load(name) for name in config.checks_only or DEFAULT if name not in config.checks_disable]
    checks += [_process(*process) for process in config.processes]
    if config.units:
        from agent.checks.systemd import systemd_check

        checks = [check for check in checks if check.name != "systemd"] + [systemd_check(config.units)]
    for server in config.ups:
        from agent.checks.ups import ups_check

        checks.append(ups_check(server))
    return checks


def target_checks(target: Target) -> list[Check]:
    from agent.remote.reach import CHECK as REACH  # first: where it fails, it alone says why

    checks = [REACH, *(load(name) for name in target.checks or DEFAULT)]
    return checks + [_process(one.name, one.command, one.pattern, one.min_count) for one in target.processes]


def _process(name: str, command: str | None, pattern: str | None, min_count: int) -> Check:
    from agent.checks.process import process_check

    return process_check(name, command, pattern=pattern, min_count=min_count)


def probe_checks(config: AgentConfig) -> list[Check]:
    """Probes that are put when the check is run."""
    if not config.probes:
        return []
    from agent.probes.guard import Guard
    from agent.probes.rounds import probe_check

    return [probe_check(probe, Guard(config.probes_allowed), SystemClock()) for probe in config.probes]


def make_probing(config: AgentConfig, interval_seconds: float, clock: Clock, seed: bytes) -> Probing | None:
    """Probes at a pace of their own; None where there are none, and then nothing of them is even loaded."""
    if not config.probes:
        return None
    from agent.probes.guard import Guard
    from agent.probing import Probing

    return Probing(config.probes, Guard(config.probes_allowed), interval_seconds, clock, seed)
