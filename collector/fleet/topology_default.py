"""The topology a new collector begins with: one site for the machine it runs on, so that ``make run`` needs no file."""

from __future__ import annotations

from collector.fleet.topology import Topology, read_topology

LOCAL_SITE = "local"
TEXT = """
[[agencies]]
id = "local"
name_ko = "우리 기관"
name_en = "Our agency"

[[sites]]
id = "local"
agency = "local"
name_ko = "이 서버"
name_en = "This machine"
timezone = "Asia/Seoul"
link_profile = "lan"
"""


def default_topology() -> Topology:
    return read_topology(TEXT, "default topology")
