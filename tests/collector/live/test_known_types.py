"""The collector's table of types against what the checks really yield."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.link.names import TYPE_NAMES
from collector.live.known_types import KNOWN_TYPES

GOLDEN = Path(__file__).parents[2] / "agent/checks/fixtures"


@pytest.mark.parametrize("machine", ["vm", "server"])
def test_every_name_our_checks_yield_has_its_type_here(machine: str) -> None:
    heads = re.findall(r"^# TYPE (\S+) (\S+)$", (GOLDEN / f"{machine}.prom").read_text(), re.MULTILINE)
    assert len(heads) > 150
    assert {
        name: kind for name, kind in heads if TYPE_NAMES[KNOWN_TYPES.get(name, 0)] != kind or name not in KNOWN_TYPES
    } == {}
