"""All modules by name; each is imported when it is first used. A module is one file here and one line in this table."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import cast

from agent.checks.base import UNKNOWN
from agent.link.clock import Clock
from agent.probes.guard import Guard
from agent.probes.model import MODULES, Finding, Probe

log = logging.getLogger(__name__)
TABLE = {name: f"agent.probes.{name}:probe_{name}" for name in MODULES}
Look = Callable[[Probe, Guard, Clock], Finding]


def look(probe: Probe, guard: Guard, clock: Clock) -> Finding:
    """Probe once. Never raises: a fault of ours is told as state unknown, and is no verdict on the target."""
    module, _, name = TABLE[probe.module].partition(":")
    try:
        return cast(Look, getattr(import_module(module), name))(probe, guard, clock)
    except Exception as why:  # the agent's check border, see agent/checks/runner.py
        log.exception("a probe failed for a fault of its own", extra={"probe": probe.name, "kind": probe.module})
        return Finding(False, f"{type(why).__name__}: {why}", (), UNKNOWN)
