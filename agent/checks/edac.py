"""Did the memory controllers see errors? /sys/devices/system/edac/mc/mc0 (Documentation/driver-api/edac.rst)::

ce_count: 1   ce_noinfo_count: 0   ue_count: 5   ue_noinfo_count: 0   csrow0/ce_count: 1   csrow0/ue_count: 5
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole

FOLDER = "/sys/devices/system/edac/mc/"
KINDS = {"ce": "correctable", "ue": "uncorrectable"}
PATTERNS = tuple(
    f"{FOLDER}mc*/{file}"
    for kind in KINDS
    for file in (f"{kind}_count", f"{kind}_noinfo_count", f"csrow*/{kind}_count")
)


def parse_counts(files: dict[str, str]) -> Iterator[Sample]:
    for path, text in files.items():
        controller, *row, file = path.removeprefix(FOLDER).split("/")
        count = whole(text)
        if count is None:
            continue
        kind = KINDS[file[:2]]
        number = controller.removeprefix("mc")
        if not row and file.endswith("_noinfo_count"):
            row = ["unknown"]
        if row:
            where = labels("controller", number, "csrow", row[0].removeprefix("csrow"))
            yield Sample(f"node_edac_csrow_{kind}_errors_total", COUNTER, where, count)
        else:
            yield Sample(f"node_edac_{kind}_errors_total", COUNTER, labels("controller", number), count)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no memory controller reports errors here")
    yield from parse_counts(files)


CHECK = Check("edac", collect)
