"""Which NVMe disks are there, and are they live? /sys/class/nvme/nvme0::

firmware_rev: FW0301   model: Example SSD 512GB   serial: NVME-0007-SN   state: live
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels

FOLDER = "/sys/class/nvme/"
PATTERNS = tuple(f"{FOLDER}*/{file}" for file in ("firmware_rev", "model", "serial", "state"))


def collect(host: Host) -> Iterator[Sample]:
    devices: dict[str, dict[str, str]] = {}
    for path, text in host.read_tree(*PATTERNS).items():
        device, _, file = path.removeprefix(FOLDER).partition("/")
        devices.setdefault(device, {})[file] = text.strip()
    if not devices:
        raise NoData("no NVMe disk here")
    for device, facts in devices.items():
        where = labels(
            *("device", device, "firmware_revision", facts.get("firmware_rev", ""), "model", facts.get("model", "")),
            *("serial", facts.get("serial", ""), "state", facts.get("state", "")),
        )
        yield Sample("node_nvme_info", GAUGE, where, 1)


CHECK = Check("nvme", collect)
