"""Every family the agent names as its own, or of a probe, has its HELP: read from the agent's source, so none is forgotten."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from collector.exposition.helps import HELP_LINES, HELPS

AGENT = Path(__file__).parents[3] / "agent"
FAMILY = re.compile("agent_[a-z_]+|probe_[a-z_]+")
NO_FAMILIES = {"agent_id", "probe_guard"}


def test_every_family_of_ours_has_its_help() -> None:
    found = {
        node.value
        for file in (AGENT / "selfmetrics.py", AGENT / "reporter.py", *(AGENT / "probes").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and FAMILY.fullmatch(node.value)
    }
    assert len(found) > 35
    assert found - NO_FAMILIES <= HELPS.keys()


def test_a_help_is_one_line() -> None:
    assert [line for line in HELP_LINES.values() if line.count(b"\n") != 1 or b"\\" in line] == []
