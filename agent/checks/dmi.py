"""Which board, firmware and chassis is it? /sys/class/dmi/id, serial numbers readable by root only::

    sys_vendor: Dell Inc.   product_name: PowerEdge R740   bios_version: 2.2.4

Nothing of it changes while the machine runs, so it is read once per host.
"""

from __future__ import annotations

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import PerHost, words

FOLDER = "/sys/class/dmi/id/"
FILES = words(
    "bios_date bios_release bios_vendor bios_version board_asset_tag board_name board_serial board_vendor"
    " board_version chassis_asset_tag chassis_serial chassis_vendor chassis_version product_family product_name"
    " product_serial product_sku product_uuid product_version sys_vendor"
)
PATTERNS = tuple(FOLDER + file for file in FILES)
_remembered: PerHost[list[Sample]] = PerHost()


def parse_identity(files: dict[str, str]) -> Sample:
    facts = {path.removeprefix(FOLDER): text.strip() for path, text in files.items()}
    if "sys_vendor" in facts:
        facts["system_vendor"] = facts.pop("sys_vendor")
    pairs = [part for name in sorted(facts) for part in (name, facts[name])]
    return Sample("node_dmi_info", GAUGE, labels(*pairs), 1)


def collect(host: Host) -> list[Sample]:
    known = _remembered.get(host)
    if known is None:
        files = host.read_tree(*PATTERNS)
        known = _remembered.keep(host, [parse_identity(files)] if files else [])
    if not known:
        raise NoData("the firmware does not say what this machine is")
    return known


CHECK = Check("dmi", collect)
