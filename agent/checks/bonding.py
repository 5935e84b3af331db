"""How many links of each bond are there, and how many of them work?

/sys/class/net/bonding_masters names the bonds, bond0/bonding/slaves their links, and each link's
bonding_slave/mii_status says ``up`` or ``down`` (Documentation/networking/bonding.rst).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels

LINKS = "/sys/class/net/*/bonding/slaves"
STATES = "/sys/class/net/*/bonding_slave/mii_status"


def parse_bonds(files: dict[str, str]) -> Iterator[Sample]:
    for path, text in files.items():
        if not path.endswith("/bonding/slaves"):
            continue
        links = text.split()
        working = sum(
            files.get(f"/sys/class/net/{link}/bonding_slave/mii_status", "").strip() == "up" for link in links
        )
        where = labels("master", path.split("/")[4])
        yield Sample("node_bonding_slaves", GAUGE, where, len(links))
        yield Sample("node_bonding_active", GAUGE, where, working)


def collect(host: Host) -> Iterator[Sample]:
    try:
        host.read("/sys/class/net/bonding_masters")
    except OSError:
        raise NoData("no bond is set up here") from None
    yield from parse_bonds(host.read_tree(LINKS, STATES))


CHECK = Check("bonding", collect)
