"""A topology written as a file is read back as the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.fleet.topology import read_topology
from collector.fleet.topology_default import default_topology
from collector.fleet.topology_text import topology_text
from collector.world.demo.fleet import document

ROOT = Path(__file__).parents[3]
PLACE = '[[agencies]]\nid = "a"\n[[hubs]]\nid = "m"\n[[sites]]\nid = "s"\nagency = "a"\nhub = "m"\ntimezone = "Asia/Seoul"\n'
ODD = (
    PLACE
    + """custodian = true
name_ko = "\\"가\\\\나\\""
latitude = -0.5
longitude = 1e-7
closures = [2026-12-24, "2027-01-02"]
weekend = ["sun", "fri"]
business_hours = ""
tags = ["far"]
[[systems]]
id = "v"
agency = "a"
grade = 1
hosts = ["h.s"]
groups = [{ name = "x, }", rule = "1 of 2", members = ["h.s/process:a b", "i.s"] }]
[[policies]]
id = "z-first"
tags = ["far"]
checks = { off = ["zfs"] }
processes = [{ name = "sshd", min_count = 2 }]
probes = [{ name = "p", "a key" = 1.5, on = false, bad = "a\\u007f\\n\\tb", codes = [200, 301] }]
[[policies]]
id = "a-second"
sites = ["s"]
checks = { only = [] }
interval_seconds = 120
"""
)


def example() -> str:
    """The larger example that configs/topology.toml has as comments, with every key there is."""
    head, _, example = (ROOT / "configs/topology.toml").read_text("utf-8").partition("# --- A larger example")
    lines = [line.removeprefix("# ") for line in example.splitlines()[1:]]
    return head + "\n".join(line for line in lines if line.startswith("[[") or " = " in line.split("#")[0]) + "\n"


@pytest.mark.parametrize("text", [ODD, example(), document()], ids=["odd", "example", "demo"])
def test_it_comes_back_as_the_same(text: str) -> None:
    topology = read_topology(text)
    again = topology_text(topology)
    assert read_topology(again) == topology
    assert list(read_topology(again).policies) == list(topology.policies)
    assert topology_text(read_topology(again)) == again


def test_what_stands_at_its_default_is_left_out() -> None:
    assert "custodian" not in topology_text(default_topology())
    assert "custodian = true" in topology_text(read_topology(ODD))
